//! The desktop application: a window on the engine in the same process.
//!
//! It holds no rule of its own. Commands of the typed contract go to `patchbay_api::rpc`; what only a desktop can do (open
//! a store, a consent window, a file dialog) is in [`desk`].

mod consent;
mod consent_window;
mod desk;
mod ipc;
mod opened;
mod servers;
mod stores;
mod work;

use std::process::ExitCode;

use tauri::{Manager, RunEvent, WebviewUrl, WebviewWindowBuilder};
use tracing_subscriber::EnvFilter;

/// Runs the application until its last window is closed.
pub fn run() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"))).init();
    let built = tauri::Builder::default()
        // The first plugin, as its documentation asks: a second process hands over before it touches anything.
        .plugin(tauri_plugin_single_instance::init(|app, _, _| focus_main(app)))
        .plugin(tauri_plugin_dialog::init())
        .invoke_handler(tauri::generate_handler![ipc::rpc, ipc::subscribe])
        .setup(|app| {
            let desk = desk::Desk::new(app.handle())?;
            app.manage(desk);
            let handle = app.handle().clone();
            WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into()))
                .title("Patchbay")
                .inner_size(1280.0, 800.0)
                .min_inner_size(720.0, 480.0)
                // The window shows our own interface and nothing else, whatever a link says.
                .on_navigation(|url| {
                    matches!(url.scheme(), "tauri" | "about") || url.host_str() == Some("tauri.localhost") || (cfg!(debug_assertions) && url.host_str() == Some("localhost"))
                })
                .build()?;
            tauri::async_runtime::spawn(async move { handle.state::<desk::Desk>().open_last().await });
            Ok(())
        })
        .build(tauri::generate_context!());
    match built {
        Ok(app) => {
            app.run(|app, event| {
                if let RunEvent::Exit = event {
                    tauri::async_runtime::block_on(app.state::<desk::Desk>().close());
                }
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "the application could not start; check that a display and WebKitGTK are there, or use `patchbay serve`");
            ExitCode::FAILURE
        }
    }
}

/// Brings the window of the first process to the front.
fn focus_main(app: &tauri::AppHandle) {
    if let Some(window) = app.get_webview_window("main") {
        let shown = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
        if let Err(error) = shown {
            tracing::warn!(%error, "the window could not be brought to the front");
        }
    }
}

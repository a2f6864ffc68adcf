//! The desktop application: a window on the engine in the same process.
//!
//! It holds no rule of its own. Commands of the typed contract go to `patchbay_api::rpc`; what only a desktop can do (open
//! a store, a consent window, a file dialog) is in [`desk`].

mod consent;
mod consent_window;
mod desk;
mod handed;
mod ipc;
mod opened;
mod servers;
mod stores;
mod work;

use std::process::ExitCode;

use tauri::{Manager, RunEvent, WebviewUrl, WebviewWindowBuilder};
use tracing_subscriber::EnvFilter;

use crate::handed::Handed;

/// Runs the application until its last window is closed.
pub fn run() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"))).init();
    let built = tauri::Builder::default()
        // The first plugin, as its documentation asks: a second process hands over before it touches anything.
        .plugin(tauri_plugin_single_instance::init(|app, arguments, _| take_over(app, arguments)))
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
            let handed = Handed::of(std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()));
            tauri::async_runtime::spawn(async move {
                let desk = handle.state::<desk::Desk>();
                desk.take_handed(handed).await;
                desk.open_last().await;
            });
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

/// Acts on what a second process was started with: it has handed that over, and goes.
fn take_over(app: &tauri::AppHandle, arguments: Vec<String>) {
    focus_main(app);
    let (handle, handed) = (app.clone(), Handed::of(arguments));
    // The main thread takes it up when everything is set up; a second process can be as fast as that.
    let taken = app.run_on_main_thread(move || {
        let desk = handle.state::<desk::Desk>().inner().clone();
        tauri::async_runtime::spawn(async move { desk.take_handed(handed).await });
    });
    if let Err(error) = taken {
        tracing::warn!(%error, "what another start of the application brought could not be taken");
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

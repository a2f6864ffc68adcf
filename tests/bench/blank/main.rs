//! The reference of `make bench`: the least that a Tauri window can be, built from the same crates with the same profile.

use tauri::{WebviewUrl, WebviewWindowBuilder};

fn main() -> tauri::Result<()> {
    tauri::Builder::default()
        .setup(|app| {
            WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into())).title("blank").inner_size(1280.0, 800.0).build()?;
            Ok(())
        })
        .run(tauri::generate_context!("tests/bench/blank/tauri.conf.json"))
}

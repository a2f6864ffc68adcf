//! Builds the window's context. Everything that Tauri reads lies where one directory, the repository's root, makes the
//! command line tool, Cargo and the bundler agree.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The context embeds ui/dist; a fresh clone has none until the interface is built.
    let dist = Path::new("ui/dist");
    if !dist.join("index.html").exists() {
        std::fs::create_dir_all(dist)?;
        std::fs::write(dist.join("index.html"), "<!doctype html><title>Patchbay</title><p>The interface is not built. Run: make run</p>\n")?;
    }
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    println!("cargo:rerun-if-changed=src-tauri/permissions");
    println!("cargo:rerun-if-changed=ui/dist");
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("src-tauri/capabilities/**/*.json")
        .app_manifest(tauri_build::AppManifest::new().permissions_path_pattern("src-tauri/permissions/**/*.toml"));
    tauri_build::try_build(attributes)?;
    // tauri-build always writes editor schemas to ./gen; the root is not their place.
    let made = Path::new("gen");
    if made.exists() {
        let kept = Path::new("src-tauri/gen");
        if kept.exists() {
            std::fs::remove_dir_all(kept)?;
        }
        std::fs::rename(made, kept)?;
    }
    Ok(())
}

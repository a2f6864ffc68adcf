//! Puts the built user interface into the program. Where it has not been built, a page that says so takes its place, so that
//! a fresh clone compiles without Node.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const PLACEHOLDER: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Patchbay</title><h1>Patchbay is running</h1><p>This program was built without its user interface. Build it with <code>npm ci</code> and <code>npm run build</code> in <code>ui</code>, then build the program again. The APIs under <code>/v1</code> work all the same.</p></html>\n";

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    let ui = manifest.join("../../../ui");
    let dist = ui.join("dist");
    // The folder above as well: `dist` may come into being after this has run.
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", if dist.is_dir() { dist.display() } else { ui.display() });

    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        collect(&dist, &mut files)?;
        files.sort();
    } else {
        let page = out.join("placeholder.html");
        fs::write(&page, PLACEHOLDER)?;
        files.push(page);
    }

    let mut table = String::from("pub(crate) static FILES: &[File] = &[\n");
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
        let name = file.strip_prefix(&dist).map_or_else(|_| "index.html".to_owned(), |name| name.to_string_lossy().replace('\\', "/"));
        let mut hasher = DefaultHasher::new();
        fs::read(file)?.hash(&mut hasher);
        let path = fs::canonicalize(file)?;
        writeln!(table, "    File {{ path: {:?}, etag: \"\\\"{:016x}\\\"\", content: include_bytes!({:?}) }},", format!("/{name}"), hasher.finish(), path.display().to_string())
            .map_err(io::Error::other)?;
    }
    table.push_str("];\n");
    fs::write(out.join("ui.rs"), table)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

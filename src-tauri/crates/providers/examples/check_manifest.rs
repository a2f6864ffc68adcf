//! Judges manifests: `check_manifest FILE|FOLDER...`. One line for each finding; status 1 where there is any. Families are looked for in
//! `family/` beside the files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use patchbay_providers::manifest::{Families, Family, Manifest};

fn main() -> ExitCode {
    let mut findings = Vec::new();
    let mut notes = Vec::new();
    for argument in std::env::args_os().skip(1) {
        let path = PathBuf::from(argument);
        let folder = if path.is_dir() { path.clone() } else { path.parent().map(Path::to_path_buf).unwrap_or_default() };
        let in_family = folder.file_name().is_some_and(|name| name == "family");
        let families = families(&if in_family { folder } else { folder.join("family") }, &mut findings);
        if in_family && !path.is_dir() {
            continue;
        }
        for file in if path.is_dir() { tomls(&path) } else { vec![path] } {
            judge(&file, &families, &mut findings, &mut notes);
        }
    }
    let mut out = std::io::stdout().lock();
    let written = findings.iter().chain(&notes).try_for_each(|line| writeln!(out, "{line}"));
    if findings.is_empty() && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tomls(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
}

fn stem(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn families(folder: &Path, findings: &mut Vec<String>) -> Families {
    let mut families = Families::new();
    for file in tomls(folder) {
        match std::fs::read_to_string(&file).map_err(|error| error.to_string()).and_then(|text| Family::parse(&text)) {
            Ok(family) => drop(families.insert(stem(&file), family)),
            Err(message) => findings.push(format!("{}: {}", file.display(), message.trim())),
        }
    }
    families
}

fn judge(file: &Path, families: &Families, findings: &mut Vec<String>, notes: &mut Vec<String>) {
    let manifest = match std::fs::read_to_string(file).map_err(|error| error.to_string()).and_then(|text| Manifest::read(&text, families)) {
        Ok(manifest) => manifest,
        Err(message) => return findings.push(format!("{}: {}", file.display(), message.trim())),
    };
    let name = stem(file);
    let id = name.split_once('@').map_or(name.as_str(), |(id, _)| id);
    if manifest.id.as_str() != id {
        findings.push(format!("{}: id: `{}` is not the name of the file", file.display(), manifest.id));
    }
    findings.extend(manifest.check().iter().chain(&manifest.check_sources()).map(|fault| format!("{}: {fault}", file.display())));
    notes.push(format!("{}: {} facts, {} unverified", file.display(), manifest.facts().len(), manifest.unverified()));
}

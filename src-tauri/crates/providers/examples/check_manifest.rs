//! Judges manifests: `check_manifest FILE|FOLDER...`. One line for each finding; status 1 where there is any. Families are looked for in
//! `family/` beside the files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use patchbay_providers::manifest::{Families, Family, Manifest};
use patchbay_providers::{Catalog, sample_config};
use serde_json::Value;

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
    let (text, manifest) = match std::fs::read_to_string(file).map_err(|error| error.to_string()).and_then(|text| Manifest::read(&text, families).map(|manifest| (text, manifest)))
    {
        Ok(read) => read,
        Err(message) => return findings.push(format!("{}: {}", file.display(), message.trim())),
    };
    let name = stem(file);
    let id = name.split_once('@').map_or(name.as_str(), |(id, _)| id);
    if manifest.id.as_str() != id {
        findings.push(format!("{}: id: `{}` is not the name of the file", file.display(), manifest.id));
    }
    let faults = manifest.check();
    let deeper = if faults.is_empty() { misfits(&name, &text, families) } else { Vec::new() };
    let all = faults.iter().chain(&manifest.check_sources()).map(ToString::to_string).chain(deeper).collect::<Vec<_>>();
    findings.extend(all.into_iter().map(|finding| format!("{}: {finding}", file.display())));
    notes.push(format!("{}: {} facts, {} unverified", file.display(), manifest.facts().len(), manifest.unverified()));
}

/// What shows only in the schemas that are made of a manifest: a form that its own examples do not fit.
fn misfits(name: &str, text: &str, families: &Families) -> Vec<String> {
    let catalog = match Catalog::of_one(name, text, families) {
        Ok(catalog) => catalog,
        Err(error) => return vec![error.to_string()],
    };
    let mut found = Vec::new();
    for provider in catalog.providers() {
        let manifest = provider.manifest();
        let mut judge =
            |key: &str, schema: &Value, value: &Value| match jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true).build(schema) {
                Ok(judge) => found.extend(judge.iter_errors(value).map(|error| format!("{key}: {value} does not fit: {error}"))),
                Err(error) => found.push(format!("{key}: its schema is none: {error}")),
            };
        judge("config", &provider.settings_schema(), &Value::Object(sample_config(manifest)));
        for property in manifest.config.iter().chain(manifest.credential.iter().flat_map(|way| &way.config)) {
            for example in property.examples.iter().chain(property.fallback()) {
                judge(&format!("config.{}", property.name), &Value::Object(property.schema.clone()), example);
            }
        }
    }
    found
}

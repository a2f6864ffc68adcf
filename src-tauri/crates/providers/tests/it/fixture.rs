//! Answers kept in files, and the unified objects expected of them.
//!
//! `PATCHBAY_BLESS=1 cargo test -p patchbay-providers` writes the expected objects anew; read the difference before committing.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

/// The folder of a provider's fixtures.
pub(crate) fn folder(provider: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).join(provider)
}

/// The names of all answers of a provider.
pub(crate) fn responses(provider: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder(provider))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().unwrap().strip_suffix(".response.json").map(str::to_owned))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    names
}

/// An answer.
pub(crate) fn response(provider: &str, name: &str) -> Value {
    let path = folder(provider).join(format!("{name}.response.json"));
    serde_json::from_slice(&std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).unwrap()
}

/// Compares with what is expected.
pub(crate) fn expect(provider: &str, name: &str, is: &impl Serialize) {
    let path = folder(provider).join(format!("{name}.expected.json"));
    let is = serde_json::to_value(is).unwrap();
    if std::env::var_os("PATCHBAY_BLESS").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&is).unwrap() + "\n").unwrap();
    }
    let expected: Value = serde_json::from_slice(&std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).unwrap();
    assert_eq!(is, expected, "{} differs; is:\n{is:#}", path.display());
}

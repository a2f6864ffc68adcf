//! The reviewed table, read as data.

use std::collections::HashMap;

use serde::Deserialize;

/// One row of the table.
#[derive(Deserialize)]
pub(super) struct Row {
    id: String,
    pub(super) allow: Vec<String>,
    #[serde(default)]
    pub(super) organization_wide: bool,
}

#[derive(Deserialize)]
struct Table {
    operation: Vec<Row>,
}

/// Every permission set, as the wire writes it.
pub(super) const SETS: [&str; 7] = ["administrator", "viewer", "member", "account-manager", "connect-ui", "token-issuer", "account-provisioner"];

/// The rows by operation.
pub(super) fn rows() -> HashMap<String, Row> {
    let text = include_str!("../../../src-tauri/crates/engine/src/permission/permissions.toml");
    toml::from_str::<Table>(text).unwrap().operation.into_iter().map(|row| (row.id.clone(), row)).collect()
}

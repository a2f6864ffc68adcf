//! The reviewed table of permission sets and operations, `permission/permissions.toml`.

mod map;

use std::collections::HashMap;
use std::sync::LazyLock;

use patchbay_model::permission::PermissionSet;
use patchbay_model::{Code, Operation, Problem};
use serde::Deserialize;

pub use map::map;

/// One row: who may run an operation, and why.
#[derive(Deserialize)]
struct Row {
    id: String,
    /// Permission sets beside `administrator`, which has everything.
    allow: Vec<PermissionSet>,
    /// Whether the object belongs to the organization as a whole, so that a caller who is narrowed to some accounts may not.
    #[serde(default)]
    organization_wide: bool,
    /// Whether it is on an account as a whole and yet open to a caller who is narrowed to some categories of integrations.
    #[serde(default)]
    any_category: bool,
    #[cfg_attr(not(test), expect(dead_code, reason = "for the reader of the table; a test demands it"))]
    reason: String,
}

#[derive(Deserialize)]
struct Table {
    operation: Vec<Row>,
}

const TABLE: &str = include_str!("permission/permissions.toml");

/// A table that cannot be read allows nothing; a test reads it.
static ROWS: LazyLock<HashMap<Operation, Row>> = LazyLock::new(|| {
    toml::from_str::<Table>(TABLE)
        .map(|table| table.operation.into_iter().filter_map(|row| Operation::from_id(&row.id).map(|operation| (operation, row))).collect())
        .unwrap_or_default()
});

/// Whether a permission set has an operation.
pub fn allows(set: PermissionSet, operation: Operation) -> bool {
    ROWS.get(&operation).is_some_and(|row| set == PermissionSet::Administrator || row.allow.contains(&set))
}

/// Whether an operation changes or tells something of the organization as a whole.
pub fn organization_wide(operation: Operation) -> bool {
    ROWS.get(&operation).is_none_or(|row| row.organization_wide)
}

/// Whether a caller who is narrowed to some categories of integrations may run an operation on an account as a whole.
/// Operations on integrations are held to their category instead, and ask nothing of this.
pub fn any_category(operation: Operation) -> bool {
    ROWS.get(&operation).is_some_and(|row| row.any_category)
}

/// The set of this name, for a caller that may read sets.
///
/// # Errors
/// `permission_denied`; `not_found`, with words for the sets of the wire that are not offered.
pub fn get(grant: &crate::ManagementGrant, name: &str) -> Result<PermissionSet, Problem> {
    grant.require(Operation::PermissionsetGet, None)?;
    PermissionSet::ALL.into_iter().find(|set| set.as_str() == name).ok_or_else(|| {
        if NOT_OFFERED.contains(&name) {
            Problem::new(Code::NotFound, format!("The permission set `{name}` is for MCP servers, which this version of Patchbay does not offer, so no token could use it."))
        } else {
            Problem::not_found("permission set", name)
        }
    })
}

/// Every set, for a caller that may read sets.
///
/// # Errors
/// `permission_denied`.
pub fn list(grant: &crate::ManagementGrant) -> Result<[PermissionSet; 7], Problem> {
    grant.require(Operation::PermissionsetList, None)?;
    Ok(PermissionSet::ALL)
}

/// Sets of the wire that are not offered: MCP tokens open an MCP server, which is no part of product.md, and a token that no
/// route takes would only look like one that works.
const NOT_OFFERED: [&str; 2] = ["mcp-integrations-use-only", "mcp-management"];

/// Whether every operation of `inner` is one of `outer`.
pub fn within(inner: PermissionSet, outer: PermissionSet) -> bool {
    Operation::ALL.iter().all(|operation| !allows(inner, *operation) || allows(outer, *operation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_exactly_one_row_with_a_reason() {
        let table: Table = toml::from_str(TABLE).unwrap();
        for row in &table.operation {
            assert!(Operation::from_id(&row.id).is_some(), "{} is no operation", row.id);
            assert!(!row.reason.trim().is_empty(), "{} has no reason", row.id);
            assert!(!row.allow.contains(&PermissionSet::Administrator), "{}: administrator has everything and is not listed", row.id);
        }
        for operation in Operation::ALL {
            assert_eq!(table.operation.iter().filter(|row| row.id == operation.id()).count(), 1, "{} must have one row", operation.id());
        }
    }

    #[test]
    fn sets_nest_as_documented() {
        use PermissionSet::{AccountManager, AccountProvisioner, Administrator, ConnectUi, Member, TokenIssuer, Viewer};
        for set in PermissionSet::ALL {
            assert!(within(set, Administrator), "{} is within administrator", set.as_str());
        }
        assert!(within(Viewer, Member));
        assert!(within(ConnectUi, AccountManager));
        assert!(within(TokenIssuer, AccountManager));
        assert!(!within(Member, Viewer));
        for operation in Operation::ALL {
            // A member with such a role signs off like any other.
            let own = matches!(operation, Operation::AuthChangePassword | Operation::AuthLogoff);
            assert_eq!(allows(TokenIssuer, *operation), own || *operation == Operation::TokensCreateIntegration, "{}", operation.id());
            if allows(Viewer, *operation) {
                let id = operation.id();
                assert!(
                    [
                        "list",
                        "get",
                        "lookup",
                        "impact",
                        "preview",
                        "preview_version",
                        "list_versions",
                        "journal",
                        "list_account",
                        "list_connectors",
                        "list_providers",
                        "get_provider",
                        "list_deliveries",
                        "get_delivery",
                        "list_events",
                        "get_timeseries",
                        "get_integration_timeseries",
                        "management_openapi_spec",
                        "engine_openapi_spec",
                        "change_password",
                        "logoff",
                        "receipts",
                        "schema",
                        "feed",
                        "flight",
                        "latest",
                        "check",
                        "checks",
                        "export"
                    ]
                    .iter()
                    .any(|verb| id.ends_with(&format!(".{verb}"))),
                    "viewer has {id}"
                );
            }
        }
        assert!(!allows(AccountProvisioner, Operation::AccountsDelete));
    }
}

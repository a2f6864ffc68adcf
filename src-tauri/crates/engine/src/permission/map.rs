//! The permission map of the wire (synqly-wire.md section 6): what a permission set allows, as actions per API. It is made
//! from the reviewed table and so cannot disagree with what is enforced.

use std::collections::BTreeMap;

use patchbay_model::Operation;
use patchbay_model::permission::PermissionSet;

use super::allows;

/// Every API of the wire's map and its actions. Those of APIs that are not offered here (billing, bridges, ...) are listed
/// too, so that the map is whole; no set ever has them.
const APIS: &[(&str, &[&str])] = &[
    ("accounts", &["list", "create", "get", "update", "patch", "delete"]),
    ("alarms", &["list", "get", "mode", "priority", "clear"]),
    ("alarm_policies", &["get", "update", "patch"]),
    ("audit", &["list"]),
    ("auth", &["logon", "change_password", "logoff"]),
    ("billing", &["list", "get"]),
    ("bridges", &["list", "create", "get", "update", "patch", "delete", "status"]),
    ("credentials", &["list", "create", "get", "update", "patch", "delete", "lookup"]),
    ("customs", &["list", "create", "get", "update", "patch", "delete"]),
    ("integrations", &["list", "create", "get", "update", "patch", "delete", "list_account", "verify"]),
    ("integration_points", &["list", "create", "get", "update", "patch", "delete"]),
    ("operations", &["list", "list_history"]),
    ("mappings", &["list", "create", "get", "update", "patch", "delete", "apply"]),
    ("members", &["list", "create", "get", "update", "patch", "delete"]),
    ("organizations", &["get", "update", "patch"]),
    ("permission_set", &["list", "get"]),
    ("roles", &["list", "create", "get", "update", "patch", "delete"]),
    ("status", &["list", "get", "reset", "list_events", "timeseries", "integration_timeseries"]),
    ("suborgs", &["list", "create", "get", "delete"]),
    ("tokens", &["list", "create", "create_integration", "create_synqly_integrations", "provision", "delete", "get", "reset", "rotate", "refresh", "remove_secondary"]),
    ("transforms", &["list", "create", "get", "update", "patch", "delete"]),
    ("webhooks", &["list", "create", "get", "update", "patch", "delete"]),
    ("idp", &["get", "create", "update", "delete"]),
];

/// Actions that change nothing.
const READS: &[&str] = &["list", "get", "lookup", "list_account", "list_events", "timeseries", "integration_timeseries"];

/// The operation behind an action of the map; none for what is not offered here. `verify` stands for both operations that
/// test a connection; the table gives them to the same sets.
fn operation(api: &str, action: &str) -> Option<Operation> {
    let (resource, verb) = match (api, action) {
        ("organizations", _) => ("organization", action),
        ("permission_set", _) => ("permissionset", action),
        ("webhooks", _) => ("organization_webhooks", action),
        ("status", "timeseries") => (api, "get_timeseries"),
        ("status", "integration_timeseries") => (api, "get_integration_timeseries"),
        ("tokens", "create") => (api, "create_token"),
        ("tokens", "create_integration") => (api, "create_integration_token"),
        _ => (api, action),
    };
    Operation::from_id(&format!("{resource}.{verb}"))
}

/// The actions of a set per API, all APIs among them. Under `all` stands `*` for a set that has every action offered here, and
/// `read` for one that has every action that changes nothing.
pub fn map(set: PermissionSet) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut map = BTreeMap::new();
    let (mut everything, mut reads) = (true, true);
    for (api, actions) in APIS {
        let mut had = Vec::new();
        for action in *actions {
            let Some(operation) = operation(api, action) else { continue };
            if allows(set, operation) {
                had.push(*action);
            } else {
                everything = false;
                reads &= !READS.contains(action);
            }
        }
        map.insert(*api, had);
    }
    let all = match (everything, reads) {
        (true, _) => vec!["*"],
        (false, true) => vec!["read"],
        (false, false) => Vec::new(),
    };
    map.insert("all", all);
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_wire_is_in_the_map() {
        let shown: Vec<Operation> = APIS.iter().flat_map(|(api, actions)| actions.iter().filter_map(|action| operation(api, action))).collect();
        for operation in Operation::ALL {
            let id = operation.id();
            // What the wire has no word for: what is ours alone, and the catalog, which everybody may read.
            let (resource, verb) = id.split_once('.').unwrap();
            let mut words =
                APIS.iter().filter(|(api, _)| self::operation(api, "list").or(self::operation(api, "get")).is_some_and(|other| other.id().starts_with(&format!("{resource}."))));
            let ours = !words.any(|(_, actions)| actions.contains(&verb));
            assert!(shown.contains(operation) || ours, "{id} is missing in the map");
        }
        assert_eq!(allows_all(Operation::IntegrationsVerify), allows_all(Operation::IntegrationsVerifyExisting), "the map has one word for both");
    }

    fn allows_all(operation: Operation) -> Vec<bool> {
        PermissionSet::ALL.into_iter().map(|set| allows(set, operation)).collect()
    }

    #[test]
    fn the_summary_follows_from_the_rest() {
        assert_eq!(map(PermissionSet::Administrator)["all"], ["*"]);
        assert_eq!(map(PermissionSet::Viewer)["all"], ["read"]);
        assert_eq!(map(PermissionSet::Member)["all"], ["read"]);
        assert!(map(PermissionSet::AccountManager)["all"].is_empty());
        assert_eq!(map(PermissionSet::TokenIssuer)["tokens"], ["create_integration"]);
        for set in PermissionSet::ALL {
            assert!(map(set)["alarms"].is_empty() && map(set).len() == 24);
        }
    }
}

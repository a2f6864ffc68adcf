//! Operations of the Management API that this version does not have (tier B of synqly-wire.md section 12). Each answers 501
//! to whoever holds an organization token, so that a program learns that the address is right and the operation missing.
//! They stay out of the served OpenAPI, and README lists them.

use patchbay_model::{Code, Origin, Problem};

use crate::gate;
use crate::serving::{Audited, Outcome, Visit};

/// One such operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Missing {
    /// `resource.verb` as in the SDK.
    pub operation: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path with `{name}` for parameters.
    pub path: &'static str,
}

const fn missing(operation: &'static str, method: &'static str, path: &'static str) -> Missing {
    Missing { operation, method, path }
}

/// All of them, in the order of the document.
pub const MISSING: &[Missing] = &[
    missing("auth.create_sso", "POST", "/v1/auth/sso"),
    missing("auth.list_sso", "GET", "/v1/auth/sso"),
    missing("auth.get_sso", "GET", "/v1/auth/sso/{sso_id}"),
    missing("auth.get_sso_metadata", "GET", "/v1/auth/meta"),
    missing("auth.update_sso", "PUT", "/v1/auth/sso/{sso_id}"),
    missing("auth.delete_sso", "DELETE", "/v1/auth/sso/{sso_id}"),
    missing("billing.list", "GET", "/v1/billing"),
    missing("billing.export", "GET", "/v1/billing/export"),
    missing("billing.get", "GET", "/v1/billing/{organization_id}/{month}"),
    missing("bridges.list", "GET", "/v1/bridges/{account_id}"),
    missing("bridges.get", "GET", "/v1/bridges/{account_id}/{bridge_id}"),
    missing("bridges.get_status", "GET", "/v1/bridges/{account_id}/{bridge_id}/status"),
    missing("bridges.create", "POST", "/v1/bridges/{account_id}"),
    missing("bridges.update", "PUT", "/v1/bridges/{account_id}/{bridge_id}"),
    missing("bridges.patch", "PATCH", "/v1/bridges/{account_id}/{bridge_id}"),
    missing("bridges.delete", "DELETE", "/v1/bridges/{account_id}/{bridge_id}"),
    missing("customs.list", "GET", "/v1/customs"),
    missing("customs.get", "GET", "/v1/customs/{custom_id}"),
    missing("customs.create", "POST", "/v1/customs"),
    missing("customs.update", "PUT", "/v1/customs/{custom_id}"),
    missing("customs.patch", "PATCH", "/v1/customs/{custom_id}"),
    missing("customs.delete", "DELETE", "/v1/customs/{custom_id}"),
    missing("mappings.list", "GET", "/v1/mappings"),
    missing("mappings.get", "GET", "/v1/mappings/{mapping_id}"),
    missing("mappings.create", "POST", "/v1/mappings"),
    missing("mappings.update", "PUT", "/v1/mappings/{mapping_id}"),
    missing("mappings.patch", "PATCH", "/v1/mappings/{mapping_id}"),
    missing("mappings.delete", "DELETE", "/v1/mappings/{mapping_id}"),
    missing("mappings.apply", "POST", "/v1/mappings/apply"),
    missing("operations.list", "GET", "/v1/jobs"),
    missing("operations.list_execution_history", "GET", "/v1/jobs/history"),
    missing("sub_orgs.list", "GET", "/v1/suborgs"),
    missing("sub_orgs.get", "GET", "/v1/suborgs/{organization_id}"),
    missing("sub_orgs.create", "POST", "/v1/suborgs"),
    missing("sub_orgs.delete", "DELETE", "/v1/suborgs/{organization_id}"),
    missing("tokens.create_mcp_token", "POST", "/v1/tokens/mcp"),
    missing("tokens.create_synqly_integrations_token", "POST", "/v1/tokens/synqly-integrations"),
];

/// Refuses. Strangers and holders of another kind of token are told about that and nothing else.
pub(crate) async fn refuse(missing: &'static Missing, visit: Visit) -> Outcome {
    let caller = visit.head.info(Origin::Api);
    let grant = gate::bearer(&visit.app, &visit.head, caller.clone()).await;
    let (seen, result) = match grant {
        Ok(grant) => (Some(grant.clone()), grant.management().and_then(|_| Err(refusal(missing)))),
        Err(problem) => (None, Err(problem)),
    };
    Outcome { result, audited: Some(Audited { grant: seen, operation: missing.operation.to_owned(), caller }) }
}

fn refusal(missing: &Missing) -> Problem {
    Problem::new(
        Code::OperationUnsupported,
        format!("This version of Patchbay does not have the operation `{}`. GET /v1/meta/openapi/management describes those that it has.", missing.operation),
    )
}

#[cfg(test)]
mod tests {
    use super::MISSING;

    #[test]
    fn readme_lists_every_missing_operation_and_no_other() {
        let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../README.md")).unwrap();
        let listed = readme.split_once("<!-- missing operations -->").and_then(|(_, rest)| rest.split_once("<!-- end -->")).unwrap().0;
        let wanted: Vec<String> = MISSING.iter().map(|missing| format!("| `{}` | {} {} |", missing.operation, missing.method, missing.path)).collect();
        let found: Vec<&str> = listed.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(found, wanted, "README's list of missing operations is stale");
    }

    #[test]
    fn no_missing_operation_exists() {
        for missing in MISSING {
            assert!(patchbay_model::Operation::from_id(missing.operation).is_none(), "{} exists", missing.operation);
        }
    }
}

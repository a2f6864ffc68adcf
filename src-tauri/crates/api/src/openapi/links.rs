//! Links: what the answer of one operation gives to the path of another (OpenAPI 3.1 section 4.8.20). With them a program,
//! or a test, can follow an object from its creation to its end.

use serde_json::{Map, Value, json};

/// Operations that give ids: the parameters that they fill, and where in the answer the value stands.
const GIVES: &[(&str, &[(&str, &str)])] = &[
    ("accounts_create", &[("account_id", "/result/account/id"), ("owner_id", "/result/account/id")]),
    ("accounts_list", &[("account_id", "/result/0/id")]),
    ("integration_points_create", &[("integration_point_id", "/result/id")]),
    ("integration_points_list", &[("integration_point_id", "/result/0/id")]),
    ("integrations_create", &[("integration_id", "/result/integration/id"), ("refresh_token_id", "/result/integration/refresh_token_id"), ("owner_id", "/result/integration/id")]),
    ("integrations_list", &[("integration_id", "/result/0/id"), ("account_id", "/result/0/account_id")]),
    ("integrations_list_account", &[("integration_id", "/result/0/id")]),
    ("credentials_create", &[("credential_id", "/result/id")]),
    ("credentials_list", &[("credential_id", "/result/0/id")]),
    ("tokens_create_token", &[("refresh_token_id", "/result/id"), ("owner_id", "/result/owner_id")]),
    ("members_create", &[("member_id", "/result/member/id")]),
    ("roles_create", &[("role_id", "/result/id")]),
    ("roles_list", &[("role_id", "/result/0/id")]),
    ("provider_apps_create", &[("provider_app_id", "/result/id")]),
    ("organization_webhooks_create", &[("webhook_id", "/result/id")]),
    ("organization_webhooks_test", &[("delivery_id", "/result/id")]),
    ("organization_webhooks_list_deliveries", &[("delivery_id", "/result/0/id")]),
    ("end_users_create", &[("end_user_id", "/result/id")]),
    ("end_users_list", &[("end_user_id", "/result/0/id")]),
    ("definitions_list", &[("definition_id", "/result/0/id")]),
    ("connect_begin", &[("connect_session_id", "/result/id")]),
    ("capabilities_list_providers", &[("provider_id", "/result/0/id")]),
    ("permissionset_list", &[("permissionset_id", "/result/0/name")]),
    ("audit_list", &[("audit_id", "/result/0/x_patchbay/id")]),
    ("ticketing_create_ticket", &[("ticket_id", "/result/id")]),
    ("ticketing_query_tickets", &[("ticket_id", "/result/0/id")]),
    ("ticketing_create_comment", &[("comment_id", "/result/id")]),
    ("ticketing_create_attachment", &[("attachment_id", "/result/id")]),
];

/// Deletes that answer with a handle: it fills the path of the undo.
const DELETION: (&str, &str) = ("deletion_id", "$response.header.X-Patchbay-Deletion");

struct Target {
    id: String,
    parameters: Vec<String>,
}

/// Adds links from every operation that gives ids to every operation whose path they fill, alone or together with the
/// parameters of its own path.
pub(super) fn add(paths: &mut Map<String, Value>) {
    let targets: Vec<Target> = paths.values().filter_map(Value::as_object).flat_map(Map::values).map(target).filter(|target| !target.parameters.is_empty()).collect();
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        let source = target(operation);
        let Some(given) = given(&source.id, operation) else { continue };
        let own: Vec<(String, String)> =
            source.parameters.iter().filter(|name| !given.iter().any(|(given, _)| given == *name)).map(|name| (name.clone(), format!("$request.path.{name}"))).collect();
        let links: Map<String, Value> = targets
            .iter()
            .filter(|target| target.id != source.id && target.parameters.iter().any(|name| given.iter().any(|(given, _)| given == name)))
            .filter_map(|target| {
                let filled: Option<Map<String, Value>> = target
                    .parameters
                    .iter()
                    .map(|name| given.iter().chain(&own).find(|(known, _)| known == name).map(|(name, expression)| (name.clone(), expression.clone().into())))
                    .collect();
                filled.map(|parameters| (target.id.clone(), json!({ "operationId": target.id, "parameters": parameters })))
            })
            .collect();
        if links.is_empty() {
            continue;
        }
        let success = operation["responses"].as_object_mut().into_iter().flat_map(Map::iter_mut).find(|(status, _)| status.starts_with('2'));
        if let Some((_, response)) = success {
            response["links"] = Value::Object(links);
        }
    }
}

/// The parameters that an operation's answer fills, with the expression of each.
fn given(id: &str, operation: &Value) -> Option<Vec<(String, String)>> {
    let deletes = operation["responses"]["204"]["headers"].get("X-Patchbay-Deletion").is_some();
    if deletes {
        return Some(vec![(DELETION.0.to_owned(), DELETION.1.to_owned())]);
    }
    let (_, parameters) = GIVES.iter().find(|(source, _)| *source == id)?;
    Some(parameters.iter().map(|(name, pointer)| ((*name).to_owned(), format!("$response.body#{pointer}"))).collect())
}

fn target(operation: &Value) -> Target {
    let parameters = operation["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "path").filter_map(|parameter| parameter["name"].as_str());
    Target { id: operation["operationId"].as_str().unwrap_or_default().to_owned(), parameters: parameters.map(ToOwned::to_owned).collect() }
}

//! The lifecycle of the source documents as calls (synqly-wire.md section 8), with statuses and envelopes.

use serde_json::{Value, json};

use crate::world::{World, text};

#[tokio::test]
async fn from_account_to_tickets() {
    let world = World::new().await;
    let organization = world.api("GET", "/v1/organization", None).await.status(200).result();
    assert_eq!(organization["organization_type"], "root");
    let created = world
        .api("POST", "/v1/accounts", Some(&json!({"fullname": "Beta Tenant", "labels": ["gold", "eu:1"], "token": {"permission_set": "connect-ui"}})))
        .await
        .status(201)
        .result();
    assert_eq!((&created["account"]["name"], &created["account"]["environment"]), (&json!("beta-tenant"), &json!("prod")));
    assert!(text(&created["token"]["primary"]["access"]["secret"]).starts_with("pbo_"));
    let point = world
        .api("POST", "/v1/integration-points", Some(&json!({"name": "desk", "connector": "ticketing", "environments": {"prod": ["ticketing_mock_ticketing"]}})))
        .await
        .status(201)
        .result();
    let verify =
        world.api("POST", "/v1/integrations/beta-tenant/verify", Some(&json!({"integration": {"provider_config": {"type": "ticketing_mock_ticketing"}}}))).await.status(200).json();
    assert_eq!(verify, json!({}), "without messages all is well");
    let made = world
        .api("POST", "/v1/integrations/beta-tenant", Some(&json!({"name": "t", "provider_config": {"type": "ticketing_mock_ticketing"}, "integration_point_id": point["id"]})))
        .await
        .status(201)
        .result();
    assert_eq!((&made["integration"]["provider_type"], &made["integration"]["x_patchbay"]["status"]), (&json!("ticketing_mock_ticketing"), &json!("active")));
    world.api("DELETE", "/v1/integration-points/desk", None).await.problem(409, "in_use");

    let token = world.api("POST", "/v1/tokens/beta-tenant/t", Some(&json!({"token_ttl": "2h"}))).await.status(201).result();
    let token = text(&token["secret"]);
    let ticket = world.ask("POST", "/v1/ticketing/tickets").bearer(&token).json(&json!({"name": "n", "summary": "First", "priority": "HIGH"})).send().await.status(201).result();
    let path = format!("/v1/ticketing/tickets/{}", text(&ticket["id"]));
    let patched = world.ask("PATCH", &path).bearer(&token).json(&json!([{"op": "replace", "path": "/summary", "value": "Second"}])).send().await.status(200).result();
    assert_eq!(patched["summary"], "Second");
    let listed = world.ask("GET", "/v1/ticketing/tickets?limit=5&meta=stats%2Fcount%28%29").bearer(&token).send().await.status(200).json();
    assert!(listed["cursor"].is_string(), "a connector list always has a cursor");
    assert!(listed["meta"]["stats"]["count"]["*"].as_u64().unwrap() >= 1);
    let tried =
        world.api("POST", "/v1/x/integrations/beta-tenant/t/call", Some(&json!({"operation": "get_ticket", "path": {"ticket_id": ticket["id"]}}))).await.status(200).result();
    assert_eq!((&tried["status"], &tried["answer"]["result"]["summary"]), (&json!(200), &json!("Second")));
    assert_eq!(tried["request"]["path"], path);
    let missed = world.api("POST", "/v1/x/integrations/beta-tenant/t/call", Some(&json!({"operation": "get_ticket", "path": {"ticket_id": "none"}}))).await.status(200).result();
    assert_eq!((&missed["status"], &missed["problem"]["code"]), (&json!(404), &json!("not_found")), "a provider's trouble is part of the answer");

    let gone = world.api("DELETE", "/v1/integrations/beta-tenant/t", None).await.status(204);
    let deletion = gone.header("x-patchbay-deletion").to_owned();
    world.ask("GET", &path).bearer(&token).send().await.problem(401, "token_invalid");
    world.api("POST", &format!("/v1/x/deletions/{deletion}/undo"), None).await.status(204);
    world.ask("GET", &path).bearer(&token).send().await.status(200);
    let impact = world.api("GET", "/v1/x/accounts/beta-tenant/impact", None).await.status(200).result();
    assert!(impact["takes"].as_array().unwrap().iter().any(|count| count["kind"] == "integration" && count["count"] == 1), "{impact}");
}

#[tokio::test]
async fn lists_page_by_the_header_and_by_the_sort_key() {
    let world = World::new().await;
    for name in ["beta", "gamma", "delta"] {
        world.api("POST", "/v1/accounts", Some(&json!({"name": name}))).await.status(201);
    }
    let names = |value: &Value| value["result"].as_array().unwrap().iter().map(|row| text(&row["name"])).collect::<Vec<_>>();
    let first = world.api("GET", "/v1/accounts?limit=2&total=true", None).await.status(200);
    assert_eq!((names(&first.json()), &first.json()["total"]), (vec!["alpha".to_owned(), "beta".to_owned()], &json!(4)));
    assert!(first.json().get("next").is_none(), "on HTTP the next page is in the header alone");
    let next: String = url::form_urlencoded::byte_serialize(first.header("x-next-start-after").as_bytes()).collect();
    let second = world.api("GET", &format!("/v1/accounts?limit=2&start_after={next}"), None).await.status(200);
    assert_eq!((names(&second.json()), second.header("x-next-start-after")), (vec!["delta".to_owned(), "gamma".to_owned()], ""));
    let by_key = world.api("GET", "/v1/accounts?limit=2&start_after=beta", None).await.status(200);
    assert_eq!(names(&by_key.json()), ["delta", "gamma"]);
    let cookie = world.sign_in(&json!({"token": world.access})).await;
    let command = world.rpc(&cookie, "accounts.list", json!({"query": {"limit": 2}})).await.status(200).json();
    assert_eq!(command["next"], first.header("x-next-start-after"), "a command has it in the result");
}

#[tokio::test]
async fn secrets_are_shown_once() {
    let world = World::new().await;
    let container = world.api("GET", &format!("/v1/tokens/{}/info", world.container), None).await.status(200);
    assert!(!container.text.contains("pbo_") && !container.text.contains("pbr_"), "{}", container.text);
    assert_eq!(container.result()["primary"]["access"]["secret"], "");
    let listed = world.api("GET", "/v1/tokens", None).await.status(200);
    assert!(!listed.text.contains("pbi_") && !listed.text.contains("pbo_"), "{}", listed.text);
    let credential = json!({"name": "c", "config": {"type": "basic", "username": "u", "secret": "hunter2-hunter2"}});
    let path = format!("/v1/credentials/{}", world.account);
    let made = world.api("POST", &path, Some(&credential)).await.status(201);
    assert!(!made.text.contains("hunter2"), "{}", made.text);
    let config = made.result()["config"].clone();
    assert_eq!(config["type"], "basic");
    assert!(config.get("secret").is_none_or(|secret| secret == ""), "{config}");
    let patched = world.api("PATCH", &format!("{path}/c"), Some(&json!([{"op": "replace", "path": "/config/secret", "value": "hunter3-hunter3"}]))).await.status(200);
    assert!(!patched.text.contains("hunter"), "{}", patched.text);
    for patch in [
        json!([{"op": "test", "path": "/config/secret", "value": "hunter3-hunter3"}]),
        json!([{"op": "copy", "from": "/config/secret", "path": "/name"}]),
        json!([{"op": "replace", "path": "/config/type", "value": "token"}]),
    ] {
        let seen = world.api("PATCH", &format!("{path}/c"), Some(&patch)).await;
        assert!(!seen.text.contains("hunter"), "{}", seen.text);
        seen.problem(400, "invalid_patch");
    }
}

#[tokio::test]
async fn refusals_and_changes_are_in_the_audit_log() {
    let world = World::new().await;
    world.ask("GET", "/v1/accounts").bearer(&world.integration_access).send().await.problem(403, "wrong_token_kind");
    world.api("POST", "/v1/accounts", Some(&json!({"name": "alpha"}))).await.problem(409, "name_taken");
    let rows = world.api("GET", "/v1/audit/organizations?order=created_at%5Bdesc%5D&limit=50", None).await.status(200).json();
    let has = |operation: &str, code: &str| rows["result"].as_array().unwrap().iter().any(|row| row["x_patchbay"]["operation"] == operation && row["code"] == code);
    assert!(has("accounts.create", "201") || has("accounts.create", "200"), "{rows}");
    assert!(has("accounts.create", "409"), "{rows}");
    assert!(has("accounts.list", "403"), "{rows}");
    assert!(!rows.to_string().contains("pbi_"), "no secret is in the log");
}

#[tokio::test]
async fn the_catalogue_expands() {
    let world = World::new().await;
    let providers = world.api("GET", "/v1/capabilities/providers?expand=operations&expand=provider_config", None).await.status(200).result();
    let redmine = providers.as_array().unwrap().iter().find(|row| row["id"] == "ticketing_redmine").unwrap();
    assert!(redmine["provider_config"].is_object() && redmine["operations"].is_array() && redmine["connector"] == "ticketing");
    assert!(redmine["x_patchbay"]["credentials"].as_array().unwrap().iter().any(|choice| choice["type"] == "token"));
    let bare = world.api("GET", "/v1/capabilities/providers/ticketing_redmine", None).await.status(200).result();
    assert!(bare.get("operations").is_none() && bare.get("provider_config").is_none());
    let connectors = world.api("GET", "/v1/capabilities/connectors?expand=providers", None).await.status(200).result();
    assert!(connectors.as_array().unwrap().iter().any(|row| row["id"] == "ticketing" && row["providers"].as_array().is_some_and(|rows| rows.len() > 2)));
}

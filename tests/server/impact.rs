//! The preview of a delete tells what the delete then takes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::{World, text};

/// How many objects of each kind there are, of the owners that the test made.
async fn counts(world: &World, owners: &[String]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for (kind, path) in [("integration", "/v1/integrations"), ("token", "/v1/tokens")] {
        counts.insert(kind, world.api("GET", &format!("{path}?limit=1000"), None).await.result().as_array().unwrap().len());
    }
    let mut credentials = std::collections::BTreeSet::new();
    for owner in owners {
        let seen = world.api("GET", &format!("/v1/credentials/{owner}?limit=1000"), None).await;
        if seen.status == 200 {
            credentials.extend(seen.result().as_array().unwrap().iter().map(|row| text(&row["id"])));
        }
    }
    counts.insert("credential", credentials.len());
    counts
}

#[tokio::test]
async fn the_preview_of_every_delete_counts_what_then_goes() {
    let world = World::new().await;
    let post = async |path: &str, body: Value| world.api("POST", path, Some(&body)).await.status(201).result();
    let account = text(&post("/v1/accounts", json!({"name": "big"})).await["account"]["id"]);
    let point = text(&post("/v1/integration-points", json!({"name": "point", "connector": "ticketing", "environments": {"prod": ["*"]}})).await["id"]);
    let credential = |name: &str| json!({"name": name, "config": {"type": "token", "secret": "shared-secret"}});
    let shared = text(&post(&format!("/v1/credentials/{account}"), credential("shared")).await["id"]);
    post(&format!("/v1/credentials/{point}"), credential("of-point")).await;
    let mut owners = vec![account.clone(), point.clone()];
    let mut integrations = Vec::new();
    for name in ["one", "two", "three"] {
        let config = json!({"type": "ticketing_redmine", "url": "http://127.0.0.1:9", "credential": {"type": "token", "secret": "inline-secret"}});
        let made = post(&format!("/v1/integrations/{account}"), json!({"name": name, "provider_config": config})).await;
        let id = text(&made["integration"]["id"]);
        post(&format!("/v1/tokens/{account}/{id}"), json!({})).await;
        owners.push(id.clone());
        integrations.push(id);
    }
    let uses = json!({"name": "uses", "provider_config": {"type": "ticketing_redmine", "url": "http://127.0.0.1:9", "credential": {"type": "token_id", "value": shared}}});
    let uses = text(&post(&format!("/v1/integrations/{account}"), uses).await["integration"]["id"]);
    let member = text(&post("/v1/members", json!({"name": "ada@example.com", "secret": crate::world::PASSWORD, "role_binding": ["member"]})).await["member"]["id"]);
    let logon = json!({"name": "ada@example.com", "secret": crate::world::PASSWORD});
    world.ask("POST", &format!("/v1/auth/logon/{}", world.organization)).json(&logon).send().await.status(200);
    let role = text(&post("/v1/roles", json!({"name": "own", "permission_set": "viewer"})).await["id"]);
    let token = text(&post("/v1/tokens", json!({"permission_set": "viewer", "resources": {}})).await["id"]);
    let app =
        json!({"name": "app", "provider": "identity_openid", "issuer": "https://issuer.example", "client_id": "c", "client_secret": "s", "redirect_uris": ["http://127.0.0.1/cb"]});
    let app = text(&post("/v1/x/provider-apps", app).await["id"]);
    let hook =
        json!({"name": "hook", "environment": "prod", "filters": ["account_create"], "url": "https://example.com/hook", "secret": {"value": "a-secret-of-twenty-four-bytes"}});
    let hook = text(&post("/v1/organization/webhooks", hook).await["id"]);
    owners.push(hook.clone());

    // The least first, the account with all that is left at the end. Members' previews come with their own routes.
    let deletes = [
        (format!("/v1/x/credentials/{account}/{shared}/impact"), format!("/v1/credentials/{account}/{shared}")),
        (format!("/v1/x/tokens/{token}/impact"), format!("/v1/tokens/{token}")),
        (format!("/v1/x/integrations/{account}/{}/impact", integrations[0]), format!("/v1/integrations/{account}/{}", integrations[0])),
        (format!("/v1/x/integration-points/{point}/impact"), format!("/v1/integration-points/{point}")),
        (format!("/v1/x/provider-apps/{app}/impact"), format!("/v1/x/provider-apps/{app}")),
        (format!("/v1/x/roles/{role}/impact"), format!("/v1/roles/{role}")),
        (format!("/v1/x/organization/webhooks/{hook}/impact"), format!("/v1/organization/webhooks/{hook}")),
        (format!("/v1/x/members/{member}/impact"), format!("/v1/members/{member}")),
        (format!("/v1/x/accounts/{account}/impact"), format!("/v1/accounts/{account}")),
    ];
    let mut previewed = 0;
    for (impact, delete) in deletes {
        let seen = world.api("GET", &impact, None).await;
        if seen.status == 404 && impact.contains("/members/") && text(&seen.json()["message"]).contains("page or route") {
            continue;
        }
        let preview = seen.status(200).result();
        previewed += 1;
        assert_eq!(preview["used_by"], json!([]), "{impact}: nothing forbids it");
        assert!(preview["used_today"].is_u64() && preview["affects"].is_array(), "{impact}: {preview}");
        if impact.contains("/credentials/") {
            assert_eq!(preview["affects"], json!([{"type": "integration", "id": uses, "rel": "affected"}]), "{impact}");
        }
        let before = counts(&world, &owners).await;
        world.api("DELETE", &delete, None).await.status(204);
        let after = counts(&world, &owners).await;
        // The object itself is not what goes along with it.
        let itself = |kind: &str| usize::from(impact.contains(&format!("/{kind}s/")));
        for (kind, number) in &before {
            let told = preview["takes"].as_array().unwrap().iter().find(|take| take["kind"] == *kind).map_or(0, |take| take["count"].as_u64().unwrap());
            assert_eq!(number - after[kind], usize::try_from(told).unwrap() + itself(kind), "{impact} tells of {kind}: {preview}");
        }
    }
    assert!(previewed >= 8);
}

#[tokio::test]
async fn what_forbids_a_delete_is_named_before_it_is_tried() {
    let world = World::new().await;
    let point = world.api("POST", "/v1/integration-points", Some(&json!({"name": "used", "connector": "ticketing", "environments": {"prod": ["*"]}}))).await.result();
    let point = text(&point["id"]);
    let body = json!({"name": "under", "integration_point_id": point, "provider_config": {"type": "ticketing_mock_ticketing"}});
    let under = world.api("POST", &format!("/v1/integrations/{}", world.account), Some(&body)).await.status(201).result();
    let preview = world.api("GET", &format!("/v1/x/integration-points/{point}/impact"), None).await.result();
    assert_eq!(preview["used_by"][0]["id"], under["integration"]["id"]);
    let refused = world.api("DELETE", &format!("/v1/integration-points/{point}"), None).await.problem(409, "in_use");
    assert_eq!(refused["context"]["resources"][0]["id"], under["integration"]["id"]);
}

//! Rehearsals as a browser asks for them: a provider is played, and everything that happens is told.

use serde_json::{Value, json};

use crate::world::{World, text};

async fn run(world: &World, bearer: &str, command: &str, params: Value) -> crate::world::Seen {
    world.ask("POST", "/rpc").bearer(bearer).json(&json!({ "command": command, "params": params })).send().await
}

async fn step(world: &World, id: &str, action: &str, fault: Option<&str>) -> Value {
    let mut params = json!({ "id": id, "action": action });
    if let Some(fault) = fault {
        params["fault"] = fault.into();
    }
    run(world, &world.access, "rehearse.step", params).await.status(200).json()
}

fn said(state: &Value) -> String {
    state["steps"].as_array().unwrap().iter().map(|step| format!("{} {}: {}\n", step["by"].as_str().unwrap(), step["good"], step["words"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_rehearsed_with_what_may_go_wrong() {
    let world = World::new().await;
    let started = run(&world, &world.access, "rehearse.start", json!({ "provider": "ticketing_jira", "credential": "o_auth_user" })).await.status(200).json();
    let id = text(&started["id"]);
    assert_eq!((started["status"].as_str(), started["consent"].as_bool(), started["renews"].as_bool()), (Some("awaiting_consent"), Some(true), Some(true)), "{started}");

    let refused = step(&world, &id, "refuse", None).await;
    assert_eq!(refused["status"], "awaiting_consent", "{}", said(&refused));
    assert!(said(&refused).contains("person false: The person signs in and refuses."), "{}", said(&refused));
    step(&world, &id, "fault", Some("refuse_window")).await;
    let agreed = step(&world, &id, "agree", None).await;
    assert_eq!(agreed["status"], "active", "{}", said(&agreed));
    assert!(said(&agreed).contains("goes on on another way"), "{}", said(&agreed));

    // The token ends, and is renewed by the next call: each step of it is told.
    step(&world, &id, "fault", Some("expiry")).await;
    let called = step(&world, &id, "call", None).await;
    assert!(said(&called).contains("Renewal: the new tokens are in force") && said(&called).contains("The call was answered."), "{}", said(&called));
    let slowed = step(&world, &id, "fault", Some("rate_limit")).await;
    assert!(said(&slowed).contains("429"), "{}", said(&slowed));
    step(&world, &id, "call", None).await;
    // Somebody else was first with the refresh token: the grant is over, and that is seen.
    step(&world, &id, "fault", Some("reuse")).await;
    let over = step(&world, &id, "call", None).await;
    assert_eq!(over["status"], "needs_attention", "{}", said(&over));
    assert!(over["cause"].is_string());
    let again = step(&world, &id, "agree", None).await;
    assert_eq!(again["status"], "active", "{}", said(&again));
    run(&world, &world.access, "rehearse.step", json!({ "id": id, "action": "key" })).await.problem(400, "invalid_field");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_is_its_owners_alone_and_ends() {
    let world = World::new().await;
    let start = |provider: &str| json!({ "provider": provider });
    let first = run(&world, &world.access, "rehearse.start", start("ticketing_zendesk")).await.status(200).json();
    let rival = world.second_organization("Rival").await;
    for command in ["rehearse.state", "rehearse.end"] {
        run(&world, &rival, command, json!({ "id": first["id"] })).await.problem(404, "not_found");
    }
    // Who may not look at manifests may not rehearse.
    let page = world.api("POST", "/v1/tokens", Some(&json!({ "permission_set": "connect-ui", "resources": {} }))).await.result();
    run(&world, &text(&page["primary"]["access"]["secret"]), "rehearse.start", start("ticketing_zendesk")).await.problem(403, "permission_denied");
    run(&world, &world.access, "rehearse.start", start("ticketing_mock_ticketing")).await.problem(400, "invalid_field");
    run(&world, &world.access, "rehearse.start", start("crm_nothing")).await.problem(404, "not_found");
    for _ in 0..3 {
        run(&world, &world.access, "rehearse.start", start("ticketing_zendesk")).await.status(200);
    }
    run(&world, &world.access, "rehearse.start", start("ticketing_zendesk")).await.problem(429, "rate_limited");
    run(&world, &world.access, "rehearse.end", json!({ "id": first["id"] })).await.status(200);
    run(&world, &world.access, "rehearse.state", json!({ "id": first["id"] })).await.problem(404, "not_found");
    // A key is entered where nobody consents.
    let keyed = run(&world, &world.access, "rehearse.start", json!({ "provider": "ticketing_redmine", "credential": "token" })).await.status(200).json();
    assert_eq!((keyed["status"].as_str(), keyed["consent"].as_bool()), (Some("active"), Some(false)), "{}", said(&keyed));
    let params = json!({ "id": keyed["id"], "action": "agree" });
    run(&world, &world.access, "rehearse.step", params).await.problem(400, "invalid_field");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organizations_own_provider_is_added_consented_to_and_called() {
    let world = World::new().await;
    let manifest = include_str!("../../src-tauri/crates/providers/tests/fixtures/manifest/custom_acme.toml");
    world.api("POST", "/v1/x/catalog/manifests", Some(&json!({ "manifest": manifest }))).await.status(201);
    let known = world.api("GET", "/v1/capabilities/providers/custom_acme?expand=facts", None).await.result();
    assert_eq!((known["x_patchbay"]["own"].as_bool(), known["fullname"].as_str()), (Some(true), Some("Acme Desk")), "{known}");
    let claims = known["x_patchbay"]["claims"].as_array().unwrap();
    let of = |fact: &str| claims.iter().find(|claim| claim["fact"] == fact).unwrap();
    assert_eq!((of("server.main.pkce")["verified"].as_bool(), of("probe.call.url")["verified"].as_bool()), (Some(true), Some(false)));

    let started = run(&world, &world.access, "rehearse.start", json!({ "provider": "custom_acme" })).await.status(200).json();
    let id = text(&started["id"]);
    let agreed = step(&world, &id, "agree", None).await;
    assert_eq!(agreed["status"], "active", "{}", said(&agreed));
    step(&world, &id, "fault", Some("expiry")).await;
    let called = step(&world, &id, "call", None).await;
    assert!(said(&called).contains("api.acme.example/v1/me") && said(&called).contains("The call was answered."), "{}", said(&called));
}

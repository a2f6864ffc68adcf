//! Bad input: each gets a Problem that points at the place, and nothing is half-written.

use serde_json::{Value, json};

use crate::world::{World, text};

#[tokio::test]
async fn bodies_that_are_not_the_json_that_is_taken() {
    let world = World::new().await;
    let post = |body: &'static str, kind: &'static str| world.ask("POST", "/v1/accounts").bearer(&world.access).raw(body, kind).send();
    for body in ["{", "{\"name\":}", "nul", "{\"name\": \"a\"} x", "\u{0}"] {
        post(body, "application/json").await.problem(400, "invalid_body");
    }
    for body in ["[]", "7", "\"name\"", "true", "null"] {
        post(body, "application/json").await.problem(400, "invalid_body");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx", "json"] {
        post("{}", kind).await.problem(415, "unsupported_media_type");
    }
    for kind in ["application/json; charset=utf-8", "Application/JSON", "application/json-patch+json"] {
        assert_eq!(post("{}", kind).await.status, 201, "{kind} is JSON");
    }
    world.ask("POST", "/v1/accounts").bearer(&world.access).send().await.problem(400, "invalid_body");
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let problem = world.ask("POST", "/v1/accounts").bearer(&world.access).raw(format!("{{\"labels\":{deep}}}"), "application/json").send().await.problem(400, "invalid_body");
    assert!(text(&problem["message"]).contains("deep"), "{problem}");
    let large = format!("{{\"fullname\":\"{}\"}}", "x".repeat(2 << 20));
    world.ask("POST", "/v1/accounts").bearer(&world.access).raw(large, "application/json").send().await.problem(413, "payload_too_large");
    world.ask("POST", "/v1/accounts").bearer(&world.access).raw(vec![b'"', 0xff, b'"'], "application/json").send().await.problem(400, "invalid_body");
}

#[tokio::test]
async fn a_stranger_is_refused_before_the_body_is_read() {
    let world = World::new().await;
    world.ask("POST", "/v1/accounts").raw("{", "text/plain").send().await.problem(401, "token_missing");
}

#[tokio::test]
async fn fields_that_do_not_fit_are_pointed_at() {
    let world = World::new().await;
    let integrations = format!("/v1/integrations/{}", world.account);
    let credentials = format!("/v1/credentials/{}", world.account);
    let cases: Vec<(&str, &str, Value, &str, &str)> = vec![
        ("POST", "/v1/accounts", json!({"name": 7}), "invalid_field", "/name"),
        ("POST", "/v1/accounts", json!({"name": "has space"}), "invalid_field", "/name"),
        ("POST", "/v1/accounts", json!({"name": "a".repeat(101)}), "invalid_field", "/name"),
        ("POST", "/v1/accounts", json!({"name": "lookup"}), "invalid_field", "/name"),
        ("POST", "/v1/accounts", json!({"fullname": "x".repeat(300)}), "invalid_field", "/fullname"),
        ("POST", "/v1/accounts", json!({"fullname": "line\nbreak"}), "invalid_field", "/fullname"),
        ("POST", "/v1/accounts", json!({"environment": "stage"}), "invalid_field", "/environment"),
        ("POST", "/v1/accounts", json!({"labels": "gold"}), "invalid_field", "/labels"),
        ("POST", "/v1/accounts", json!({"token": {"permission_set": "administrator", "token_ttl": []}}), "invalid_field", "/token/token_ttl"),
        ("POST", "/v1/integration-points", json!({"environments": {}}), "invalid_field", "/connector"),
        ("POST", "/v1/integration-points", json!({"connector": "telepathy", "environments": {}}), "invalid_field", "/connector"),
        ("POST", "/v1/integration-points", json!({"connector": "ticketing", "environments": {"prod": ["Bad Id"]}}), "invalid_field", "/environments/prod/0"),
        ("POST", "/v1/integration-points", json!({"connector": "ticketing", "environments": []}), "invalid_field", "/environments"),
        ("POST", "/v1/tokens", json!({"permission_set": "viewer"}), "invalid_field", "/resources"),
        ("POST", "/v1/tokens", json!({"permission_set": "god", "resources": {}}), "invalid_field", "/permission_set"),
        ("POST", "/v1/tokens", json!({"permission_set": "viewer", "resources": {"accounts": {"ids": ["x"]}}}), "invalid_field", "/resources/accounts/ids/0"),
        ("POST", "/v1/tokens", json!({"permission_set": "viewer", "resources": []}), "invalid_field", "/resources"),
        ("POST", integrations.as_str(), json!({}), "invalid_field", "/provider_config"),
        ("POST", credentials.as_str(), json!({"config": {"type": "basic"}, "expires": "tomorrow"}), "invalid_field", "/expires"),
        ("POST", "/v1/members", json!({"fullname": "No Name"}), "invalid_field", "/name"),
        ("POST", "/v1/x/connect-sessions", json!({"integration_id": "x", "route": "pigeon"}), "invalid_field", "/route"),
        ("POST", "/v1/x/export", json!({"secrets": "shouted"}), "invalid_field", "/secrets"),
        ("POST", "/v1/x/export", json!({"secrets": "sealed"}), "invalid_field", "/recipient"),
    ];
    for (method, path, body, code, pointer) in cases {
        let problem = world.api(method, path, Some(&body)).await.problem(400, code);
        assert_eq!(problem["context"]["parameter"], json!({"id": pointer, "location": "body"}), "{method} {path} {body}");
    }
    for (path, body, field) in [
        ("/v1/integration-points", json!({"connector": "ticketing", "environments": {}, "scheduled_operations": [{}]}), "/scheduled_operations"),
        (integrations.as_str(), json!({"provider_config": {"type": "ticketing_mock_ticketing"}, "webhook_config": {"items": [{}]}}), "/webhook_config"),
        (integrations.as_str(), json!({"provider_config": {"type": "ticketing_mock_ticketing"}, "mappings": ["m"]}), "/mappings"),
    ] {
        let problem = world.api("POST", path, Some(&body)).await.problem(501, "operation_unsupported");
        assert_eq!(problem["context"]["parameter"]["id"], field);
    }
}

#[tokio::test]
async fn queries_that_cannot_be_read() {
    let world = World::new().await;
    for (query, code) in [
        ("limit=0", "invalid_field"),
        ("limit=1001", "invalid_field"),
        ("limit=ten", "invalid_field"),
        ("total=maybe", "invalid_field"),
        ("filter=name", "invalid_filter"),
        ("filter=name%5Bis%5Dx", "invalid_filter"),
        ("filter=secret%5Beq%5Dx", "invalid_filter"),
        ("filter=name%5Beq%5Dx%27%3BDROP", ""),
        ("order=name%5Bup%5D", "invalid_order"),
        ("order=secret", "invalid_order"),
        ("expand=everything", "invalid_field"),
        ("expand=", "invalid_field"),
    ] {
        let seen = world.api("GET", &format!("/v1/accounts?{query}"), None).await;
        if code.is_empty() {
            seen.status(200);
        } else {
            let problem = seen.problem(400, code);
            assert_eq!(problem["context"]["parameter"]["location"], "query", "{query}");
        }
    }
    let many = vec!["filter=name%5Beq%5Dx"; 21].join("&");
    world.api("GET", &format!("/v1/accounts?{many}"), None).await.problem(400, "invalid_field");
    let long = format!("/v1/accounts?start_after={}", "x".repeat(3000));
    world.api("GET", &long, None).await.problem(400, "invalid_cursor");
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there() {
    let world = World::new().await;
    for path in ["/v1", "/v1/", "/v1/nothing", "/v1/accounts/a/b/c", "/v1//accounts", "/v2/accounts", "/nothing", "/oauth"] {
        world.api("GET", path, None).await.problem(404, "not_found");
    }
    let seen = world.api("POST", "/v1/organization", Some(&json!({}))).await;
    assert_eq!(seen.header("allow"), "GET, PUT, PATCH, HEAD, OPTIONS");
    seen.problem(405, "method_not_allowed");
    world.api("TRACE", "/v1/accounts", None).await.problem(405, "method_not_allowed");
    world.api("DELETE", "/", None).await.problem(405, "method_not_allowed");
    let seen = world.ask("OPTIONS", "/v1/accounts").send().await.status(204);
    assert_eq!(seen.header("allow"), "GET, POST, HEAD, OPTIONS");
    assert_eq!(world.api("HEAD", "/v1/accounts", None).await.status, 200);
    world.api("GET", "/v1/accounts/%ff", None).await.problem(400, "invalid_request");
    world.api("GET", "/v1/accounts/nobody", None).await.problem(404, "not_found");
    world.api("GET", &format!("/v1/accounts/{}", "x".repeat(400)), None).await.problem(404, "not_found");
    world.api("GET", "/v1/capabilities/providers/ticketing_none", None).await.problem(404, "not_found");
    world.api("GET", "/v1/x/connect-sessions/x", None).await.problem(404, "not_found");
    world.api("POST", "/v1/x/deletions/x/undo", None).await.problem(404, "not_found");
}

#[tokio::test]
async fn patches_that_cannot_be_applied() {
    let world = World::new().await;
    let path = format!("/v1/accounts/{}", world.account);
    for patch in [
        json!({}),
        json!([{"op": "replace", "path": "/id", "value": "x"}]),
        json!([{"op": "replace", "path": "/created_at", "value": "2020-01-01T00:00:00Z"}]),
        json!([{"op": "add", "path": "/colour", "value": "red"}]),
        json!([{"op": "remove", "path": "/nothing"}]),
        json!([{"op": "test", "path": "/name", "value": "other"}]),
        json!([{"path": "/name"}]),
        json!(vec![json!({"op": "test", "path": "/name", "value": "alpha"}); 101]),
    ] {
        world.api("PATCH", &path, Some(&patch)).await.problem(400, "invalid_patch");
    }
    world.api("PATCH", &path, Some(&json!([{"op": "replace", "path": "/environment", "value": "stage"}]))).await.problem(400, "invalid_field");
    world.api("PATCH", &path, Some(&json!([{"op": "remove", "path": "/fullname"}]))).await.problem(400, "invalid_field");
    let account = world.api("GET", &path, None).await.result();
    assert_eq!(account["name"], "alpha", "nothing of the refused patches is left");
}

#[tokio::test]
async fn names_and_stale_changes_conflict() {
    let world = World::new().await;
    world.api("POST", "/v1/accounts", Some(&json!({"name": "ALPHA"}))).await.problem(409, "name_taken");
    let path = format!("/v1/accounts/{}", world.account);
    let mut account = world.api("GET", &path, None).await.result();
    let read_at = account["updated_at"].clone();
    account["fullname"] = json!("First");
    world.api("PUT", &path, Some(&account)).await.status(200);
    account["fullname"] = json!("Second");
    account["x_patchbay"] = json!({"expected_updated_at": read_at});
    world.api("PUT", &path, Some(&account)).await.problem(409, "update_conflict");
    account.as_object_mut().unwrap().remove("x_patchbay");
    world.api("PUT", &path, Some(&account)).await.status(200);
}

#[tokio::test]
async fn connector_requests_that_cannot_be_read() {
    let world = World::new().await;
    let ask = |method: &str, path: &str| world.ask(method, path).bearer(&world.integration_access);
    for (query, code) in [
        ("limit=0", "invalid_field"),
        ("filter=x", "invalid_filter"),
        ("order=a%5Bup%5D", "invalid_order"),
        ("meta=stats/sum()", "invalid_field"),
        ("filter=secret%5Beq%5Dx", "invalid_filter"),
    ] {
        ask("GET", &format!("/v1/ticketing/tickets?{query}")).send().await.problem(400, code);
    }
    ask("POST", "/v1/ticketing/tickets").json(&json!([])).send().await.problem(400, "invalid_body");
    ask("POST", "/v1/ticketing/tickets").json(&json!({"name": "x", "priority": "SOON"})).send().await.problem(400, "invalid_field");
    ask("GET", "/v1/ticketing/tickets/nothing").send().await.problem(404, "not_found");
    ask("PATCH", "/v1/ticketing/tickets/1").json(&json!({})).send().await.problem(400, "invalid_patch");
    ask("GET", "/v1/ticketing/escalation-policies").send().await.problem(501, "operation_unsupported");
    ask("GET", "/v1/ticketing/nothing").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn what_was_sent_as_a_secret_is_in_no_refusal() {
    let world = World::new().await;
    let integrations = format!("/v1/integrations/{}", world.account);
    let bad = "hunter2-hunter2";
    for (path, body) in [
        (integrations.as_str(), json!({"provider_config": {"type": "ticketing_redmine", "url": "http://x", "credential": bad}})),
        (integrations.as_str(), json!({"provider_config": {"type": "ticketing_redmine", "url": "http://x", "credential": {"type": bad}}})),
        (integrations.as_str(), json!({"provider_config": {"type": "ticketing_redmine", "url": "http://x", "credential": {"type": "token", "secret": [bad]}}})),
        (integrations.as_str(), json!({"provider_config": {"type": "ticketing_redmine", "url": "http://x", "api_key": bad, "credential": {"type": "token", "secret": bad}}})),
        ("/v1/members", json!({"name": "a@example.com", "secret": {"x": bad}})),
        ("/v1/members", json!({"name": "a@example.com", "secret": bad, "type": bad})),
        ("/v1/x/provider-apps", json!({"provider": "identity_openid", "client_id": [bad], "client_secret": bad})),
    ] {
        let seen = world.api("POST", path, Some(&body)).await;
        assert!((400..500).contains(&seen.status), "{path} {body}: {} {}", seen.status, seen.text);
        assert!(!seen.text.contains(bad), "{path}: {}", seen.text);
    }
}

//! Signed-in browsers: cookies, origins, commands and events.

use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt;
use serde_json::json;

use crate::world::{ORIGIN, PASSWORD, World, text};

#[tokio::test]
async fn a_token_becomes_a_cookie_that_scripts_cannot_read() {
    let world = World::new().await;
    let seen = world.ask("POST", "/session").header("origin", ORIGIN).json(&json!({"token": world.access})).send().await.status(200);
    let cookie = seen.header("set-cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "over plain HTTP on loopback the browser would drop it");
    assert!(!seen.text.contains("pbw_") && !seen.text.contains(&world.access), "the answer holds no secret");
    let info = seen.json();
    assert_eq!((&info["host"], &info["organization"]["id"]), (&json!("web"), &json!(world.organization)));
    assert_eq!(info["link_redirect_uri"], format!("{ORIGIN}/oauth/callback"));

    let cookie = cookie.split(';').next().unwrap();
    let who = world.ask("GET", "/session").header("cookie", cookie).send().await.status(200).json();
    assert_eq!(who["member"], info["member"]);
    assert_eq!(world.rpc(cookie, "session.info", json!({})).await.status(200).json()["member"], info["member"]);
    let listed = world.rpc(cookie, "accounts.list", json!({"query": {"limit": 1, "total": true, "filter": ["name[eq]alpha"]}})).await.status(200).json();
    assert_eq!((&listed["result"][0]["name"], &listed["total"]), (&json!("alpha"), &json!(1)));

    let gone = world.ask("DELETE", "/session").header("cookie", cookie).header("origin", ORIGIN).send().await.status(200);
    assert!(gone.header("set-cookie").contains("Max-Age=0"));
    world.ask("GET", "/session").header("cookie", cookie).send().await.problem(401, "token_invalid");
}

#[tokio::test]
async fn other_sites_cannot_write() {
    let world = World::new().await;
    let cookie = world.sign_in(&json!({"token": world.access})).await;
    let body = json!({"command": "accounts.create", "params": {"body": {"name": "evil"}}});
    for origin in ["https://evil.example", "http://localhost:9999", "https://localhost:8080", "null", "http://localhost.evil.example:8080"] {
        world.ask("POST", "/rpc").header("cookie", &cookie).header("origin", origin).json(&body).send().await.problem(403, "permission_denied");
        world.ask("POST", "/session").header("origin", origin).json(&json!({"token": world.access})).send().await.problem(403, "permission_denied");
        world.ask("DELETE", "/session").header("cookie", &cookie).header("origin", origin).send().await.problem(403, "permission_denied");
    }
    world.ask("POST", "/rpc").header("cookie", &cookie).json(&body).send().await.problem(403, "permission_denied");
    // A form of another site can send text, not JSON.
    world.ask("POST", "/rpc").header("cookie", &cookie).header("origin", ORIGIN).raw(body.to_string(), "text/plain").send().await.problem(415, "unsupported_media_type");
    world.api("GET", "/v1/accounts/evil", None).await.problem(404, "not_found");
    // The address that the browser used is fine, too.
    world
        .ask("POST", "/rpc")
        .header("cookie", &cookie)
        .header("host", "box.local:8080")
        .header("origin", "http://box.local:8080")
        .json(&json!({"command": "session.info"}))
        .send()
        .await
        .status(200);
}

#[tokio::test]
async fn members_sign_in_by_name_and_password() {
    let world = World::new().await;
    world.api("POST", "/v1/members", Some(&json!({"name": "ada@example.com", "secret": PASSWORD, "role_binding": ["viewer"]}))).await.status(201);
    for organization in [Some("acme"), None] {
        let mut how = json!({"name": "ada@example.com", "secret": PASSWORD});
        if let Some(organization) = organization {
            how["organization"] = json!(organization);
        }
        let cookie = world.sign_in(&how).await;
        let info = world.rpc(&cookie, "session.info", json!({})).await.status(200).json();
        assert_eq!((&info["member"]["name"], &info["permission_set"]), (&json!("ada@example.com"), &json!("viewer")));
        world.rpc(&cookie, "accounts.create", json!({"body": {"name": "no"}})).await.problem(403, "permission_denied");
    }
    let path = format!("/v1/auth/logon/{}", world.organization);
    let logon = world.ask("POST", &path).json(&json!({"name": "ada@example.com", "secret": PASSWORD})).send().await.status(200).result();
    assert_eq!(logon["auth_code"], "success");
    let access = text(&logon["token"]["access"]["secret"]);
    world.ask("GET", "/v1/organization").bearer(&access).send().await.status(200);
    world.ask("POST", "/v1/auth/logoff").bearer(&access).send().await.status(204);
    world.ask("GET", "/v1/organization").bearer(&access).send().await.problem(401, "token_invalid");
}

#[tokio::test]
async fn guessing_is_refused_alike_and_then_slowed() {
    let world = World::new().await;
    let mut told = std::collections::HashSet::new();
    for name in ["ada@example.com", "nobody@example.com", "root"] {
        let problem = world
            .ask("POST", "/session")
            .header("origin", ORIGIN)
            .json(&json!({"organization": "acme", "name": name, "secret": "wrong wrong wrong"}))
            .send()
            .await
            .problem(401, "logon_failed");
        told.insert(text(&problem["message"]));
    }
    assert_eq!(told.len(), 1, "a refusal does not tell whether the member exists: {told:?}");
    let mut slowed = false;
    for _ in 0..30 {
        let seen = world.ask("POST", "/session").header("origin", ORIGIN).json(&json!({"token": "pbo_wrong"})).send().await;
        if seen.status == 429 {
            assert!(!seen.header("retry-after").is_empty());
            seen.problem(429, "rate_limited");
            slowed = true;
            break;
        }
        seen.problem(401, "token_invalid");
    }
    assert!(slowed, "many failures from one address are slowed down");
    world.api("GET", "/v1/organization", None).await.status(200);
}

#[tokio::test]
async fn sign_ins_of_an_odd_shape_are_refused() {
    let world = World::new().await;
    for how in [json!({}), json!({"token": world.access, "setup": "x"}), json!({"name": "a"}), json!({"secret": "s"}), json!({"setup": "x", "secret": "new", "name": "a"})] {
        world.ask("POST", "/session").header("origin", ORIGIN).json(&how).send().await.problem(400, "invalid_body");
    }
    for link in [json!({"setup": "pbk_rubbish"}), json!({"setup": "pbk_rubbish", "secret": "four words that fit"}), json!({"setup": world.access, "secret": "four words that fit"})]
    {
        world.ask("POST", "/session").header("origin", ORIGIN).json(&link).send().await.problem(401, "token_invalid");
    }
}

#[tokio::test]
async fn a_link_is_looked_at_and_redeemed_by_its_holder_alone() {
    let world = World::new().await;
    let invited = world.api("POST", "/v1/members", Some(&json!({"name": "ada@example.com", "role_binding": ["viewer"]}))).await.result()["member"]["id"].clone();
    let made = world.api("POST", &format!("/v1/x/members/{}/links", text(&invited)), Some(&json!({"purpose": "invitation"}))).await.status(201).result();
    let link = text(&made["url"]).split_once("/#welcome=").unwrap().1.to_owned();
    assert!(text(&made["url"]).starts_with(ORIGIN), "{made}");

    let look = |link: &str, origin: &'static str| world.ask("POST", "/session/link").header("origin", origin).json(&json!({ "link": link })).send();
    let offer = look(&link, ORIGIN).await.status(200).json();
    assert_eq!((&offer["name"], &offer["purpose"], &offer["minimum_password_length"]), (&json!("ada@example.com"), &json!("invitation"), &json!(8)));
    assert!(offer.get("id").is_none() && offer.get("member").is_none(), "it tells no more than the page shows: {offer}");
    look(&link, "https://elsewhere.example").await.problem(403, "permission_denied");
    look(&world.access, ORIGIN).await.problem(401, "token_invalid");

    let redeem = |secret: &str| world.ask("POST", "/session").header("origin", ORIGIN).json(&json!({"setup": link, "secret": secret})).send();
    redeem("12345678").await.problem(400, "weak_password");
    let seen = redeem("four words that fit").await.status(200);
    assert_eq!(seen.json()["member"]["id"], invited);
    let cookie = seen.header("set-cookie").split(';').next().unwrap().to_owned();
    world.rpc(&cookie, "accounts.list", json!({})).await.status(200);
    world.rpc(&cookie, "accounts.create", json!({"body": {"name": "no"}})).await.problem(403, "permission_denied");
    redeem("four other words fit").await.problem(401, "token_invalid");
    // The log tells who chose a password, and neither link nor password.
    let log = world.api("GET", "/v1/audit/organizations?limit=1000", None).await.status(200).text;
    assert!(log.contains(&text(&invited)) && !log.contains(&link) && !log.contains("four words that fit"));

    let mut slowed = false;
    for _ in 0..30 {
        slowed |= look("pbk_rubbish", ORIGIN).await.status == 429;
    }
    assert!(slowed, "guessing at links is slowed down");
    world.ask("POST", "/session").header("origin", ORIGIN).json(&json!({"setup": "x", "secret": "four words that fit"})).send().await.problem(429, "rate_limited");
}

/// Reads the stream until `wanted` is in it.
async fn until(body: Body, wanted: &str) -> String {
    let mut stream = body.into_data_stream();
    let mut text = String::new();
    while !text.contains(wanted) {
        let piece = tokio::time::timeout(Duration::from_secs(10), stream.next()).await.unwrap_or_else(|_| panic!("{wanted} never came: {text}"));
        text.push_str(std::str::from_utf8(&piece.unwrap().unwrap()).unwrap());
    }
    text
}

#[tokio::test]
async fn changes_arrive_as_events_and_resume() {
    let world = World::new().await;
    let cookie = world.sign_in(&json!({"token": world.access})).await;
    let listen = |last: Option<i64>| {
        let ask = world.ask("GET", "/events").header("cookie", &cookie);
        match last {
            Some(last) => ask.header("last-event-id", &last.to_string()),
            None => ask,
        }
        .response()
    };
    let response = listen(None).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    world.api("POST", "/v1/accounts", Some(&json!({"name": "gamma"}))).await.status(201);
    let told = until(response.into_body(), "\"kind\":\"account\"").await;
    let sequence: i64 = told.lines().filter_map(|line| line.strip_prefix("id: ")).next().unwrap().parse().unwrap();
    world.api("POST", "/v1/accounts", Some(&json!({"name": "delta"}))).await.status(201);
    let resumed = until(listen(Some(sequence)).await.into_body(), "\"kind\":\"account\"").await;
    assert!(!resumed.contains(&format!("id: {sequence}\n")), "what was told is not told again: {resumed}");
}

#[tokio::test]
async fn a_listener_hears_of_its_own_accounts_alone() {
    let world = World::new().await;
    let beta = text(&world.api("POST", "/v1/accounts", Some(&json!({"name": "beta"}))).await.result()["account"]["id"]);
    let narrow = json!({"permission_set": "viewer", "resources": {"accounts": {"ids": [beta]}}, "token_ttl": "1h"});
    let token = text(&world.api("POST", "/v1/tokens", Some(&narrow)).await.result()["primary"]["access"]["secret"]);
    let cookie = world.sign_in(&json!({"token": token})).await;
    let response = world.ask("GET", "/events").header("cookie", &cookie).header("last-event-id", "0").response().await;
    world.api("PATCH", &format!("/v1/accounts/{}", world.account), Some(&json!([{"op": "replace", "path": "/fullname", "value": "A"}]))).await.status(200);
    world.api("PATCH", &format!("/v1/accounts/{beta}"), Some(&json!([{"op": "replace", "path": "/fullname", "value": "B"}]))).await.status(200);
    let told = until(response.into_body(), &beta).await;
    assert!(!told.contains(&world.account), "{told}");
}

#[tokio::test]
async fn another_patchbay_works_with_a_token_and_without_a_cookie() {
    let world = World::new().await;
    let rpc = |token: &str, command: &str, params: serde_json::Value| world.ask("POST", "/rpc").bearer(token).json(&json!({"command": command, "params": params})).send();
    // No browser sends this, so it says nothing of a page.
    let info = rpc(&world.access, "session.info", json!({})).await.status(200).json();
    assert_eq!((&info["organization"]["id"], &info["token_id"]), (&json!(world.organization), &json!(world.container)));
    rpc(&world.access, "accounts.create", json!({"body": {"name": "gamma"}})).await.status(200);
    let audit = world.api("GET", "/v1/audit/organizations?order=created_at[desc]&limit=1", None).await.result();
    let row = &audit[0]["x_patchbay"];
    assert_eq!((&row["operation"], &row["origin"]), (&json!("accounts.create"), &json!("api")), "{audit}");

    let viewer = world.token("viewer").await;
    let refused = rpc(&viewer, "accounts.create", json!({"body": {"name": "delta"}})).await.problem(403, "permission_denied");
    assert!(text(&refused["message"]).contains("accounts.create"), "{refused}");
    let audit = world.api("GET", "/v1/audit/organizations?order=created_at[desc]&limit=1&filter=audit_type[eq]ERROR", None).await.result();
    assert_eq!(audit[0]["x_patchbay"]["operation"], "accounts.create", "the refusal is in the log: {audit}");

    // The same token listens, knows where it stands before anything happened, and hears what happens.
    let response = world.ask("GET", "/events").bearer(&viewer).response().await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    world.api("POST", "/v1/accounts", Some(&json!({"name": "epsilon"}))).await.status(201);
    let told = until(response.into_body(), "\"kind\":\"account\"").await;
    let ids: Vec<i64> = told.lines().filter_map(|line| line.strip_prefix("id: ")).map(|id| id.parse().unwrap()).collect();
    assert!(ids.len() > 1 && ids.is_sorted(), "{told}");
    let resumed = world.ask("GET", "/events").bearer(&viewer).header("last-event-id", &ids[0].to_string()).response().await;
    until(resumed.into_body(), "\"kind\":\"account\"").await;
}

#[tokio::test]
async fn the_version_tells_the_contract() {
    let world = World::new().await;
    let version = world.ask("GET", "/v1/version").send().await.status(200).json();
    assert_eq!((&version["name"], &version["contract"]), (&json!("patchbay"), &json!(patchbay_api::contract::CONTRACT)));
}

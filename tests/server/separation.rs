//! Which secret opens which route: every route of the table against every kind of secret, on HTTP and on commands.

use patchbay_engine::permission;
use patchbay_model::Operation;
use patchbay_model::permission::PermissionSet;
use patchbay_model::token::SecretKind;
use patchbay_server::routes::{Entry, Rule, entries};
use serde_json::{Value, json};

use crate::world::{ORIGIN, Seen, World, text};

/// One request to a route. A JSON body goes along where the method has one, so that a refusal is never for want of it.
async fn call(world: &World, entry: &Entry, bearer: Option<&str>) -> Seen {
    let mut ask = world.ask(entry.method, &world.fill(entry.path)).header("origin", ORIGIN);
    if let Some(bearer) = bearer {
        ask = ask.bearer(bearer);
    }
    match entry.method {
        "POST" | "PUT" => ask.json(&json!({})),
        "PATCH" => ask.json(&json!([])),
        _ => ask,
    }
    .send()
    .await
}

#[tokio::test]
async fn without_a_live_token_every_guarded_route_answers_401() {
    let world = World::new().await;
    let dead = patchbay_vault::mint_token(SecretKind::OrganizationAccess, &patchbay_vault::OsEntropy);
    for entry in entries() {
        if entry.rule == Rule::Public {
            continue;
        }
        let problem = call(&world, &entry, None).await;
        let challenge = problem.header("www-authenticate").to_owned();
        problem.problem(401, "token_missing");
        assert!(challenge.starts_with("Bearer"), "{} {} names the scheme", entry.method, entry.path);
        if entry.rule == Rule::Session {
            let seen = world.ask(entry.method, entry.path).header("origin", ORIGIN).header("cookie", "patchbay_session_8080=pbw_rubbish").send().await;
            seen.problem(401, "token_invalid");
            continue;
        }
        if entry.rule == Rule::SessionOrManagement {
            let seen = world.ask(entry.method, entry.path).header("origin", ORIGIN).header("cookie", "patchbay_session_8080=pbw_rubbish").send().await;
            seen.problem(401, "token_invalid");
        }
        for garbage in ["rubbish", "pbo_rubbish", dead.expose()] {
            call(&world, &entry, Some(garbage)).await.problem(401, "token_invalid");
        }
        world.ask(entry.method, &world.fill(entry.path)).header("authorization", "Basic dTpw").send().await.problem(401, "token_invalid");
    }
}

#[tokio::test]
async fn each_kind_of_secret_opens_its_own_routes_and_no_other() {
    let world = World::new().await;
    let handle = world.sign_in(&json!({"token": world.access})).await;
    let handle = handle.split_once('=').unwrap().1.to_owned();
    for entry in entries() {
        let what = format!("{} {}", entry.method, entry.path);
        let wrong = async |secret: &str, needed: &str| {
            let problem = call(&world, &entry, Some(secret)).await.problem(403, "wrong_token_kind");
            assert!(text(&problem["message"]).contains(needed), "{what} names the kind needed: {problem}");
        };
        match entry.rule {
            Rule::Management(_) | Rule::Missing | Rule::SessionOrManagement => {
                wrong(&world.integration_access, "organization access token").await;
                wrong(&world.integration_refresh, "organization access token").await;
                wrong(&world.refresh, "organization access token").await;
            }
            Rule::RefreshOrManagement(_) => {
                wrong(&world.integration_access, "organization access token").await;
                for refresh in [&world.refresh, &world.integration_refresh] {
                    call(&world, &entry, Some(refresh)).await.problem(404, "not_found");
                }
            }
            Rule::Connector => {
                wrong(&world.access, "integration access token").await;
                wrong(&world.refresh, "integration access token").await;
                wrong(&world.integration_refresh, "integration access token").await;
            }
            Rule::Session => {
                for secret in [&world.access, &world.refresh, &world.integration_access, &world.integration_refresh, &handle] {
                    wrong(secret, "does not take tokens").await;
                }
                continue;
            }
            Rule::Public => continue,
        }
        let seen = call(&world, &entry, Some(&handle)).await;
        assert!(matches!(seen.status, 401 | 403), "{what}: a session's handle is no token, yet it got {} {}", seen.status, seen.text);
    }
}

#[tokio::test]
async fn the_right_kind_is_never_refused_for_its_kind() {
    let world = World::new().await;
    // Deletes last: what they take would be missing for the others.
    let (deletes, others): (Vec<_>, Vec<_>) = entries().into_iter().partition(|entry| entry.method == "DELETE");
    for entry in others.into_iter().chain(deletes) {
        let secret = match entry.rule {
            // Events have no end; that they open has a test of its own.
            Rule::SessionOrManagement if entry.method == "GET" => continue,
            Rule::Management(Operation::AuthLogoff) | Rule::Session | Rule::Public => continue,
            Rule::SessionOrManagement | Rule::Management(_) | Rule::RefreshOrManagement(_) | Rule::Missing => &world.access,
            Rule::Connector => &world.integration_access,
        };
        let seen = call(&world, &entry, Some(secret)).await;
        // With its integration deleted, an integration's token is dead.
        if entry.method == "DELETE" && seen.status == 401 && entry.rule == Rule::Connector {
            continue;
        }
        // The master key is its holder's alone, at the machine: that refusal is of the caller, not of the kind.
        if entry.rule == Rule::Management(Operation::KeysForget) {
            seen.problem(403, "permission_denied");
            continue;
        }
        assert!(!matches!(seen.status, 401 | 403 | 405 | 500), "{} {}: {} {}", entry.method, entry.path, seen.status, seen.text);
        if entry.rule == Rule::Missing || entry.rule == Rule::Connector && !entry.path.starts_with("/v1/ticketing") {
            seen.problem(501, "operation_unsupported");
        }
    }
}

#[tokio::test]
async fn permissions_hold_on_every_operation_over_http_and_commands() {
    let world = World::new().await;
    for set in [PermissionSet::Viewer, PermissionSet::TokenIssuer, PermissionSet::ConnectUi] {
        let token = world.token(set.as_str()).await;
        // A token that only mints tokens cannot read the organization, so there is nothing to sign in to.
        let cookie = if set == PermissionSet::TokenIssuer { None } else { Some(world.sign_in(&json!({"token": token})).await) };
        for entry in entries() {
            let Rule::Management(operation) = entry.rule else { continue };
            // Giving up one's own token is everybody's right.
            if operation == Operation::AuthLogoff {
                continue;
            }
            if permission::allows(set, operation) {
                continue;
            }
            let seen = call(&world, &entry, Some(&token)).await;
            assert!(refused(&seen), "{}: {} may not, yet: {} {}", operation.id(), set.as_str(), seen.status, seen.text);
            let Some(cookie) = &cookie else { continue };
            let seen = world.rpc(cookie, operation.id(), params(&world, entry.path, entry.method)).await;
            assert!(refused(&seen), "{} as a command: {} may not, yet: {} {}", operation.id(), set.as_str(), seen.status, seen.text);
        }
    }
}

/// A refusal by permission, or by something that is checked before and tells nothing: a body or an id that cannot be.
fn refused(seen: &Seen) -> bool {
    matches!(seen.status, 403 | 404 | 400)
}

fn params(world: &World, path: &str, method: &str) -> Value {
    let filled = world.fill(path);
    let names = path.split('/').zip(filled.split('/')).filter_map(|(name, value)| Some((name.strip_prefix('{')?.strip_suffix('}')?.to_owned(), Value::from(value))));
    let body = match method {
        "POST" | "PUT" => json!({}),
        "PATCH" => json!([]),
        _ => Value::Null,
    };
    json!({"path": Value::Object(names.collect()), "body": body})
}

#[tokio::test]
async fn commands_take_a_session_or_an_organization_token_and_nothing_else() {
    let world = World::new().await;
    for secret in [&world.integration_access, &world.refresh, &world.integration_refresh] {
        let seen = world.ask("POST", "/session").header("origin", ORIGIN).json(&json!({"token": secret})).send().await;
        seen.problem(403, "wrong_token_kind");
    }
    let cookie = world.sign_in(&json!({"token": world.access})).await;
    for operation in Operation::ALL {
        let body = json!({"command": operation.id(), "params": {}});
        for secret in [&world.refresh, &world.integration_access, &world.integration_refresh] {
            // A token that is sent is what counts, whatever cookie comes along.
            let seen = world.ask("POST", "/rpc").header("origin", ORIGIN).header("cookie", &cookie).bearer(secret).json(&body).send().await;
            seen.problem(403, "wrong_token_kind");
        }
        world.ask("POST", "/rpc").header("origin", ORIGIN).json(&body).send().await.problem(401, "token_missing");
    }
    // No connector operation is a command, so a session reaches a provider through Try it alone.
    for name in ["ticketing.query_tickets", "query_tickets", "connector.call"] {
        world.rpc(&cookie, name, json!({})).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_refresh_secret_refreshes_its_own_container_alone() {
    let world = World::new().await;
    let own = format!("/v1/tokens/{}/refresh", world.integration_container);
    let other = format!("/v1/tokens/{}/refresh", world.container);
    let fresh = world.ask("PUT", &own).bearer(&world.integration_refresh).send().await.status(200).result();
    assert!(text(&fresh["primary"]["access"]["secret"]).starts_with("pbi_"));
    assert!(fresh["secondary"]["access"]["secret"].as_str().is_some_and(str::is_empty), "the old pair is not shown again");
    world.ask("PUT", &other).bearer(&world.integration_refresh).send().await.problem(404, "not_found");
    world.ask("PUT", &own).bearer(&world.refresh).send().await.problem(404, "not_found");
    for (method, path) in
        [("GET", format!("/v1/tokens/{}/info", world.integration_container)), ("PUT", format!("/v1/tokens/{}/{}/reset", world.integration, world.integration_container))]
    {
        world.ask(method, &path).bearer(&world.integration_refresh).send().await.problem(403, "wrong_token_kind");
    }
}

#[tokio::test]
async fn a_foreign_account_is_not_there() {
    let world = World::new().await;
    let beta = text(&world.api("POST", "/v1/accounts", Some(&json!({"name": "beta"}))).await.result()["account"]["id"]);
    let narrow = json!({"permission_set": "administrator", "resources": {"accounts": {"ids": [beta]}}, "token_ttl": "1h"});
    let token = text(&world.api("POST", "/v1/tokens", Some(&narrow)).await.status(201).result()["primary"]["access"]["secret"]);
    let (account, integration) = (&world.account, &world.integration);
    for path in [
        format!("/v1/accounts/{account}"),
        "/v1/accounts/alpha".to_owned(),
        format!("/v1/integrations/{account}"),
        format!("/v1/integrations/{account}/{integration}"),
        format!("/v1/credentials/{account}"),
        format!("/v1/tokens/{}/info", world.integration_container),
    ] {
        world.ask("GET", &path).bearer(&token).send().await.problem(404, "not_found");
    }
    // Wrong parent: the object exists, and not there.
    world.api("GET", &format!("/v1/integrations/{beta}/{integration}"), None).await.problem(404, "not_found");
    let seen = world.ask("GET", "/v1/accounts?total=true").bearer(&token).send().await.status(200).json();
    assert_eq!((seen["result"].as_array().unwrap().len(), &seen["total"]), (1, &json!(1)));
}

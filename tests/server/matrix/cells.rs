//! Telling cells of the matrix, by hand: who, what, what comes of it, and why. They were written from product.md and the
//! wire's documents without a look at the table, so that a slip in the table is not taken for a rule.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::world::{PASSWORD, World, text};

/// One cell: caller, request, body, status with code, and the reason.
type Cell = (&'static str, &'static str, Value, &'static str, &'static str);

/// In all of them: the accounts `alpha` (prod, gold) and `beta` (test, silver), each with the integration `tickets`; `alpha`
/// has `people` of another category too, and the shared credential `key`.
fn cells() -> Vec<Cell> {
    let none = || Value::Null;
    let mock = || json!({"provider_config": {"type": "ticketing_mock_ticketing"}});
    let token = |set: &str, resources: Value| json!({"permission_set": set, "resources": resources});
    let alpha = || json!({"accounts": {"labels": ["gold"]}});
    vec![
        // The sets, over everything.
        ("viewer", "GET /v1/accounts/alpha", none(), "200", "a viewer reads"),
        ("viewer", "GET /v1/audit/organizations", none(), "200", "the log too"),
        ("viewer", "POST /v1/accounts", json!({}), "403 permission_denied", "and makes nothing"),
        ("viewer", "PATCH /v1/accounts/alpha", json!([]), "403 permission_denied", "and changes nothing, not even nothing at all"),
        ("viewer", "POST /v1/integrations/alpha/tickets/verify", none(), "403 permission_denied", "a test of a connection is a call to the customer's system"),
        ("viewer", "POST /v1/tokens/alpha/tickets", json!({}), "403 permission_denied", "a token would let it write at the provider"),
        ("member", "POST /v1/integrations/alpha", mock(), "201", "a member connects customers"),
        ("member", "POST /v1/integrations/alpha/verify", json!({"integration": mock()}), "200", "and tests"),
        ("member", "PATCH /v1/accounts/alpha", json!([{"op": "replace", "path": "/fullname", "value": "Alpha"}]), "200", "and changes accounts"),
        ("member", "DELETE /v1/integrations/alpha/tickets", none(), "403 permission_denied", "and deletes nothing"),
        ("member", "POST /v1/tokens/alpha/tickets", json!({}), "403 permission_denied", "and mints no tokens"),
        ("member", "POST /v1/x/integrations/alpha/tickets/call", json!({"operation": "query_tickets"}), "403 permission_denied", "so neither may it call without one"),
        ("member", "POST /v1/integration-points", json!({"connector": "ticketing", "environments": {}}), "403 permission_denied", "governance is for administrators"),
        ("member", "POST /v1/roles", json!({"permission_set": "administrator"}), "403 permission_denied", "nobody gives himself authority"),
        ("issuer", "POST /v1/tokens/alpha/tickets", json!({}), "201", "an issuer mints tokens of integrations"),
        ("issuer", "POST /v1/tokens", token("token-issuer", json!({})), "403 permission_denied", "and no other ones"),
        ("issuer", "GET /v1/accounts/alpha", none(), "403 permission_denied", "and reads nothing"),
        ("issuer", "GET /v1/organization", none(), "403 permission_denied", "not even where it is"),
        ("provisioner", "POST /v1/accounts", json!({"token": {"permission_set": "account-manager"}}), "201", "a provisioner makes an account with its first token"),
        ("provisioner", "POST /v1/accounts", json!({"token": {"permission_set": "administrator"}}), "400 invalid_field", "which is one of three kinds"),
        ("provisioner", "POST /v1/tokens", token("account-manager", json!({})), "403 permission_denied", "and mints no token for an account that was there"),
        ("provisioner", "GET /v1/integrations/alpha/tickets", none(), "403 permission_denied", "and sees nothing that is connected"),
        // Narrowed to the account alpha.
        ("manager of alpha", "DELETE /v1/integrations/alpha/tickets", none(), "204", "a manager disconnects in its account"),
        ("manager of alpha", "GET /v1/integrations/beta/tickets", none(), "404 not_found", "what is elsewhere is not there"),
        ("manager of alpha", "DELETE /v1/accounts/alpha", none(), "403 permission_denied", "it does not end its customer"),
        ("manager of alpha", "POST /v1/accounts", json!({"labels": ["gold"]}), "403 permission_denied", "and makes no account beside the one that it was given"),
        ("manager of alpha", "POST /v1/tokens", token("connect-ui", json!({})), "201", "its tokens are narrowed to its account by themselves"),
        ("manager of alpha", "POST /v1/tokens", token("connect-ui", json!({"accounts": {"ids": ["*"]}})), "403 permission_denied", "to wish for all is not to be narrowed"),
        ("manager of alpha", "POST /v1/tokens", token("viewer", json!({})), "403 permission_denied", "a viewer reads the log, which a manager may not"),
        ("manager of alpha", "GET /v1/members", none(), "403 permission_denied", "who works for the organization is not its business"),
        ("page of alpha", "POST /v1/integrations/alpha", mock(), "201", "a connect page connects"),
        ("page of alpha", "GET /v1/integration-points", none(), "200", "and shows what can be chosen"),
        ("page of alpha", "GET /v1/accounts/alpha", none(), "403 permission_denied", "and has no business with accounts"),
        (
            "page of alpha",
            "POST /v1/auth/change_password",
            json!({"old_secret": PASSWORD, "new_secret": "another good phrase 8"}),
            "403 permission_denied",
            "and tries no passwords",
        ),
        // Narrowed by marks and categories.
        ("administrator of gold", "GET /v1/accounts/beta", none(), "404 not_found", "another label"),
        (
            "administrator of gold",
            "PUT /v1/accounts/alpha",
            json!({"fullname": "Alpha", "environment": "prod", "labels": ["silver"]}),
            "403 permission_denied",
            "nothing is moved out of one's own reach",
        ),
        ("administrator of gold", "POST /v1/members", json!({"name": "x@example.com"}), "403 permission_denied", "an administrator of some accounts is none of the organization"),
        ("administrator of gold", "POST /v1/tokens", token("administrator", alpha()), "201", "and hands on what it has"),
        ("administrator of test", "GET /v1/accounts/alpha", none(), "404 not_found", "production"),
        ("administrator of test", "GET /v1/integrations/beta/tickets", none(), "200", "a test account"),
        ("administrator of ticketing", "GET /v1/integrations/alpha/people", none(), "404 not_found", "another category"),
        ("administrator of ticketing", "GET /v1/integrations/alpha/tickets", none(), "200", "its own"),
        ("administrator of ticketing", "DELETE /v1/accounts/alpha", none(), "403 permission_denied", "the account holds other categories too"),
        ("administrator of ticketing", "PATCH /v1/credentials/alpha/key", json!([]), "403 permission_denied", "other categories may use the shared credential"),
        (
            "administrator of ticketing",
            "POST /v1/tokens",
            token("viewer", json!({"integrations": {"categories": ["identity"]}})),
            "403 permission_denied",
            "another category than its own",
        ),
        // A member with two roles: viewer of gold, manager of silver.
        ("two roles", "GET /v1/integrations/alpha/tickets", none(), "200", "the one role reads here"),
        ("two roles", "DELETE /v1/integrations/alpha/tickets", none(), "403 permission_denied", "what the other may do elsewhere is nothing here"),
        ("two roles", "POST /v1/x/integrations/beta/tickets/pause", none(), "200", "there it may"),
        ("two roles", "GET /v1/audit/organizations", none(), "403 permission_denied", "neither role is over the whole"),
        ("two roles", "POST /v1/tokens", token("connect-ui", alpha()), "403 permission_denied", "the role over gold does not mint"),
    ]
}

async fn scene(world: &World) -> HashMap<&'static str, String> {
    let post = async |path: &str, body: Value| world.api("POST", path, Some(&body)).await.result();
    let mock = || json!({"name": "tickets", "provider_config": {"type": "ticketing_mock_ticketing"}});
    world.api("PATCH", "/v1/accounts/alpha", Some(&json!([{"op": "add", "path": "/labels", "value": ["gold"]}]))).await.status(200);
    post("/v1/accounts", json!({"name": "beta", "environment": "test", "labels": ["silver"]})).await;
    post("/v1/integrations/beta", mock()).await;
    let people = json!({"type": "identity_openid", "issuer": "https://id.example.com", "credential": {"type": "o_auth_user"}});
    post("/v1/integrations/alpha", json!({"name": "people", "provider_config": people})).await;
    post("/v1/credentials/alpha", json!({"name": "key", "config": {"type": "token", "secret": "s"}})).await;
    let all = json!({"accounts": {"ids": ["*"]}});
    let alpha = json!({"accounts": {"ids": [world.account]}});
    let mut callers = HashMap::new();
    for (caller, set, resources) in [
        ("viewer", "viewer", &all),
        ("member", "member", &all),
        ("issuer", "token-issuer", &all),
        ("provisioner", "account-provisioner", &all),
        ("manager of alpha", "account-manager", &alpha),
        ("page of alpha", "connect-ui", &alpha),
        ("administrator of gold", "administrator", &json!({"accounts": {"ids": ["*"], "labels": ["gold", "bronze"]}})),
        ("administrator of test", "administrator", &json!({"accounts": {"environments": ["test"]}})),
        ("administrator of ticketing", "administrator", &json!({"integrations": {"categories": ["ticketing"]}})),
    ] {
        let made = post("/v1/tokens", json!({"permission_set": set, "resources": resources})).await;
        callers.insert(caller, text(&made["primary"]["access"]["secret"]));
    }
    post("/v1/roles", json!({"name": "reads-gold", "permission_set": "viewer", "resources": {"accounts": {"labels": ["gold"]}}})).await;
    post("/v1/roles", json!({"name": "manages-silver", "permission_set": "account-manager", "resources": {"accounts": {"labels": ["silver"]}}})).await;
    post("/v1/members", json!({"name": "two@example.com", "secret": PASSWORD, "role_binding": ["reads-gold", "manages-silver"]})).await;
    let logon = format!("/v1/auth/logon/{}", world.organization);
    let signed_in = post(&logon, json!({"name": "two@example.com", "secret": PASSWORD})).await;
    callers.insert("two roles", text(&signed_in["token"]["access"]["secret"]));
    callers
}

#[tokio::test]
async fn telling_cells() {
    let cells = cells();
    assert!(cells.len() >= 40);
    let mut world = World::new().await;
    let mut callers = scene(&world).await;
    for (caller, request, body, expected, why) in &cells {
        let (method, path) = request.split_once(' ').unwrap();
        let ask = world.ask(method, path).bearer(&callers[caller]);
        let seen = if body.is_null() { ask } else { ask.json(body) }.send().await;
        let code = if seen.status >= 400 { format!(" {}", seen.json()["code"].as_str().unwrap_or_default()) } else { String::new() };
        assert_eq!(format!("{}{code}", seen.status), *expected, "{caller}: {request}: {why}: {}", seen.text);
        // What a cell did must not decide another one.
        if method != "GET" && seen.status < 400 {
            world = World::new().await;
            callers = scene(&world).await;
        }
    }
}

#[tokio::test]
async fn lists_hold_what_each_caller_reaches_and_nothing_else() {
    let world = World::new().await;
    let callers = scene(&world).await;
    let listed = async |caller: &str, path: &str| {
        let seen = world.ask("GET", path).bearer(&callers[caller]).send().await.status(200).json();
        let mut names: Vec<String> = seen["result"].as_array().unwrap().iter().map(|row| text(&row["name"])).collect();
        names.sort();
        assert_eq!(seen["total"], json!(names.len()), "{caller}: {path}: the total is of the same rows");
        names.join(" ")
    };
    let both = "/v1/integrations?total=true";
    let accounts = "/v1/accounts?total=true";
    for (caller, path, names) in [
        ("viewer", accounts, "alpha beta"),
        ("viewer", both, "people tickets tickets"),
        ("administrator of gold", accounts, "alpha"),
        ("administrator of gold", both, "people tickets"),
        ("administrator of test", accounts, "beta"),
        ("administrator of test", both, "tickets"),
        ("administrator of ticketing", accounts, "alpha beta"),
        ("administrator of ticketing", both, "tickets tickets"),
        ("administrator of ticketing", "/v1/integrations/alpha?total=true", "tickets"),
        ("manager of alpha", both, "people tickets"),
        // One role over gold and another over silver: the union of both, and each row once.
        ("two roles", accounts, "alpha beta"),
        ("two roles", both, "people tickets tickets"),
        ("two roles", "/v1/integrations?total=true&filter=name%5Beq%5Dpeople", "people"),
    ] {
        assert_eq!(listed(caller, path).await, names, "{caller}: {path}");
    }
}

#[tokio::test]
async fn a_narrowed_caller_lists_the_tokens_that_it_may_read() {
    let world = World::new().await;
    let callers = scene(&world).await;
    let mint = async |caller: &str, name: &str, resources: Value| {
        let body = json!({"name": name, "permission_set": "connect-ui", "resources": resources});
        world.ask("POST", "/v1/tokens").bearer(&callers[caller]).json(&body).send().await.status(201);
    };
    mint("manager of alpha", "own", json!({})).await;
    world.api("POST", "/v1/tokens", Some(&json!({"name": "wide", "permission_set": "viewer", "resources": {}}))).await.status(201);
    world.api("POST", "/v1/tokens", Some(&json!({"name": "labels", "permission_set": "viewer", "resources": {"accounts": {"labels": ["gold"]}}}))).await.status(201);
    for (caller, sees, does_not) in [("manager of alpha", &["own"][..], &["wide", "labels"][..]), ("administrator of gold", &["labels"], &["wide", "own"])] {
        let bearer = &callers[caller];
        let rows = world.ask("GET", "/v1/tokens?limit=1000").bearer(bearer).send().await.result();
        let names: Vec<String> = rows.as_array().unwrap().iter().map(|row| text(&row["name"])).collect();
        for name in sees {
            assert!(names.iter().any(|listed| listed == name), "{caller} lists {name}: {names:?}");
        }
        for name in does_not {
            assert!(!names.iter().any(|listed| listed == name), "{caller} does not list {name}: {names:?}");
        }
        // The list and single reads agree on every container that there is.
        let all = world.api("GET", "/v1/tokens?limit=1000", None).await.result();
        for row in all.as_array().unwrap() {
            let (id, name) = (text(&row["id"]), text(&row["name"]));
            let single = world.ask("GET", &format!("/v1/tokens/{id}/info")).bearer(bearer).send().await.status;
            let listed = rows.as_array().unwrap().iter().any(|row| row["id"] == json!(id));
            assert_eq!(single == 200, listed, "{caller}: {name} is listed: {listed}, read alone: {single}");
        }
    }
}

#[tokio::test]
async fn a_change_of_a_role_acts_at_once_on_tokens_and_sessions() {
    let world = World::new().await;
    let callers = scene(&world).await;
    let two = &callers["two roles"];
    let cookie = world.sign_in(&json!({"organization": "acme", "name": "two@example.com", "secret": PASSWORD})).await;
    let pause = "/v1/x/integrations/beta/tickets/pause";
    world.ask("POST", pause).bearer(two).send().await.status(200);
    let minted = json!({"permission_set": "account-manager", "resources": {"accounts": {"labels": ["silver"]}}});
    let minted = text(&world.ask("POST", "/v1/tokens").bearer(two).json(&minted).send().await.result()["primary"]["access"]["secret"]);
    world.ask("GET", "/v1/integrations/beta/tickets").bearer(&minted).send().await.status(200);
    let minted_cookie = world.sign_in(&json!({"token": minted})).await;

    world.api("PATCH", "/v1/roles/manages-silver", Some(&json!([{"op": "replace", "path": "/permission_set", "value": "viewer"}]))).await.status(200);
    world.ask("POST", pause).bearer(two).send().await.problem(403, "permission_denied");
    let params = json!({"path": {"account_id": "beta", "integration_id": "tickets"}});
    world.rpc(&cookie, "integrations.pause", params.clone()).await.problem(403, "permission_denied");
    world.rpc(&cookie, "integrations.get", params.clone()).await.status(200);
    // What the role no longer covers is dead, in whichever form it is held.
    world.ask("GET", "/v1/integrations/beta/tickets").bearer(&minted).send().await.problem(401, "token_invalid");
    world.rpc(&minted_cookie, "integrations.get", params.clone()).await.problem(401, "token_invalid");

    world.api("PATCH", "/v1/roles/manages-silver", Some(&json!([{"op": "replace", "path": "/resources", "value": {"accounts": {"labels": ["bronze"]}}}]))).await.status(200);
    world.ask("GET", "/v1/integrations/beta/tickets").bearer(two).send().await.problem(404, "not_found");
    world.rpc(&cookie, "integrations.get", params).await.problem(404, "not_found");
    // A new name is the same role.
    world.api("PATCH", "/v1/roles/manages-silver", Some(&json!([{"op": "replace", "path": "/name", "value": "reads-bronze"}]))).await.status(200);
    assert_eq!(world.api("GET", "/v1/members/two@example.com", None).await.result()["role_binding"], json!(["reads-gold", "reads-bronze"]));
}

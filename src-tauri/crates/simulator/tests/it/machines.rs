//! Ways in which no person takes part: client credentials, assertions, logins, keys at unusual places, secret addresses.

use patchbay_model::Secret;
use patchbay_providers::Catalog;
use patchbay_simulator::{SampleKey, SimAnswer, SimRequest};
use patchbay_vault::{JwtAlgorithm, JwtKey};
use serde_json::{Map, Value, json};
use url::Url;

use crate::client::{World, id, text};

const MANIFEST: &str = r#"
format = 2
id = "custom_machines"
version = "1"
fullname = "Machines"
vendor = "Machines"
connector = "custom"
description = "A provider for tests."
docs_url = "https://docs.machines.example/"
base = { fixed = { url = "https://api.machines.example" } }
probe = { call = { url = "/me" }, id = "/id" }
[release]
availability = "pre-release"
environments = ["test"]
[server.main]
endpoints = { fixed = { token = "https://machines.example/token" } }
client_auth = ["post"]
pkce = "allowed"
scopes = { default = ["read"] }
lifetime = { access = { seconds = 600 } }
rotation = "none"
redirect = { loopback = "no" }
window = "untested"
[server.main.revocation]
how = "none"
manual = { steps = ["Open the page of the provider."] }
[[credential]]
type = "client"
kind = "o_auth_client"
title = "Client"
description = "A client of its own."
auth = { client_credentials = { server = "main", scopes = ["read"], grant_type = "account_credentials", params = { account = "acme" } } }
place = "bearer"
[[credential]]
type = "signed"
kind = "o_auth_client"
title = "Signed"
description = "A key that signs."
auth = { jwt_bearer = { server = "main", assertion = { issuer = "{client_id}", subject = "{client_id}", audience = "https://machines.example/token", algorithm = "RS256", lifetime_seconds = 300, claims = { scope = "read" } } } }
place = "bearer"
[[credential]]
type = "login"
kind = "basic"
title = "Login"
description = "A name and a password."
auth = { mint = { request = { method = "post", url = "/login", body = { json = { user = "{username}", password = "{secret}" } }, authenticated = false }, token = "/session/id", expires = { seconds = 60, idle = true }, end = { method = "delete", url = "/login" } } }
place = { header = "X-Session" }
[[credential]]
type = "two_headers"
kind = "o_auth_client"
title = "Two keys"
description = "Two keys in two headers."
extra = [{ name = "second", title = "Second", description = "The second key.", required = true }]
place = { headers = { X-One = "{client_secret}", X-Two = "{extra.second}" } }
[[credential]]
type = "address"
kind = "secret"
title = "Address"
description = "An address that is the secret."
base = { secret = { hosts = ["hooks.machines.example"] } }
probe = { call = { url = "" }, id = "/id" }
place = "nowhere"
[sources]
"server" = "observed: in a test"
"credential" = "observed: in a test"
"base" = "observed: in a test"
"probe" = "observed: in a test"
"#;

fn world() -> World {
    World::new(&Catalog::of_manifests(&[("custom_machines", MANIFEST)]).unwrap_or_else(|error| panic!("{error}")))
}

fn key(world: &World, way: &str) -> SampleKey {
    world.simulator.issue(&id("custom_machines"), way).unwrap()
}

fn field(key: &SampleKey, name: &str) -> String {
    key.fields.get(name).and_then(Value::as_str).unwrap().to_owned()
}

fn form(world: &World, fields: &[(&str, &str)]) -> SimAnswer {
    world.ask(&SimRequest::to("POST", &Url::parse("https://machines.example/token").unwrap()).form(fields))
}

fn status(world: &World, token: &str) -> u16 {
    world.bearer("https://api.machines.example/me", token).status
}

#[test]
fn a_client_gets_tokens_for_what_the_manifest_says() {
    let world = world();
    let key = key(&world, "client");
    let (client, secret) = (field(&key, "client_id"), field(&key, "client_secret"));
    let ask = |grant: &str, account: &str, scope: &str| {
        form(&world, &[("grant_type", grant), ("account", account), ("scope", scope), ("client_id", &client), ("client_secret", &secret)])
    };
    for (grant, account, scope, error) in [
        ("client_credentials", "acme", "read", "unsupported_grant_type"),
        ("account_credentials", "other", "read", "invalid_request"),
        ("account_credentials", "acme", "write", "invalid_scope"),
    ] {
        assert_eq!(text(&ask(grant, account, scope).value().unwrap(), "/error"), error);
    }
    let body = ask("account_credentials", "acme", "read").value().unwrap();
    let token = text(&body, "/access_token");
    assert!(body.get("refresh_token").is_none(), "nothing renews it");
    assert_eq!(status(&world, &token), 200);
    world.advance(600);
    assert_eq!(status(&world, &token), 401);
    let fresh = text(&ask("account_credentials", "acme", "read").value().unwrap(), "/access_token");
    world.simulator.withdraw(&key);
    assert_eq!(status(&world, &fresh), 401, "what was minted ends with its key");
    assert_eq!(ask("account_credentials", "acme", "read").status, 401);
}

#[test]
fn an_assertion_must_be_signed_by_the_key_and_be_for_the_server() {
    let world = world();
    let key = key(&world, "signed");
    let (client, pem) = (field(&key, "client_id"), field(&key, "client_secret"));
    let now = world.simulator.now().unix_millis() / 1000;
    let good = json!({ "iss": client, "sub": client, "aud": "https://machines.example/token", "iat": now, "exp": now + 300, "scope": "read" });
    let ask = |claims: &Value, key: &str, algorithm| {
        let claims: Map<String, Value> = claims.as_object().unwrap().clone();
        let signed = JwtKey::read(&Secret::new(key), algorithm).unwrap().sign(&claims, None).unwrap();
        form(&world, &[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", signed.expose())]).value().unwrap()
    };
    let changed = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    assert_eq!(status(&world, &text(&ask(&good, &pem, JwtAlgorithm::RS256), "/access_token")), 200);
    for claims in [changed("aud", json!("https://elsewhere.example")), changed("iss", json!("another")), changed("exp", json!(now - 100)), changed("scope", json!("write"))] {
        assert_eq!(ask(&claims, &pem, JwtAlgorithm::RS256)["error"], "invalid_grant", "{claims}");
    }
    assert_eq!(ask(&good, "guessed", JwtAlgorithm::HS256)["error"], "invalid_grant", "of another algorithm");
    assert_eq!(ask(&good, &pem, JwtAlgorithm::PS256)["error"], "invalid_grant");
}

#[test]
fn a_login_gives_a_session_that_lives_by_its_use() {
    let world = world();
    let key = key(&world, "login");
    let login = |password: &str| {
        let mut request = SimRequest::to("POST", &Url::parse("https://api.machines.example/login").unwrap()).with("content-type", "application/json");
        request.body = json!({ "user": field(&key, "username"), "password": password }).to_string().into_bytes();
        world.ask(&request)
    };
    assert_eq!(login("guessed").status, 401);
    let session = text(&login(&field(&key, "secret")).value().unwrap(), "/session/id");
    let with =
        |method: &str, path: &str| world.ask(&SimRequest::to(method, &Url::parse(&format!("https://api.machines.example{path}")).unwrap()).with("x-session", &session)).status;
    for _ in 0..3 {
        world.advance(59);
        assert_eq!(with("GET", "/me"), 200, "each use begins its time anew");
    }
    assert_eq!(with("DELETE", "/login"), 200);
    assert_eq!(with("GET", "/me"), 401);
    let session = text(&login(&field(&key, "secret")).value().unwrap(), "/session/id");
    world.advance(60);
    assert_eq!(world.ask(&SimRequest::to("GET", &Url::parse("https://api.machines.example/me").unwrap()).with("x-session", &session)).status, 401);
}

#[test]
fn keys_stand_where_the_manifest_says() {
    let world = world();
    let me = Url::parse("https://api.machines.example/me").unwrap();
    let pair = key(&world, "two_headers");
    let (one, two) = (field(&pair, "client_secret"), pair.fields["extra"]["second"].as_str().unwrap().to_owned());
    assert_eq!(world.ask(&SimRequest::to("GET", &me).with("x-one", &one).with("x-two", &two)).status, 200);
    assert_eq!(world.ask(&SimRequest::to("GET", &me).with("x-one", &one)).status, 401, "both are needed");
    assert_eq!(world.ask(&SimRequest::to("GET", &me).with("authorization", &format!("Bearer {one}"))).status, 401);

    let address = key(&world, "address");
    let url: Url = field(&address, "secret").parse().unwrap();
    assert_eq!(url.host_str(), Some("hooks.machines.example"));
    assert_eq!(world.ask(&SimRequest::to("GET", &url)).status, 200);
    let guessed: Url = format!("{url}x").parse().unwrap();
    assert_eq!(world.ask(&SimRequest::to("GET", &guessed)).status, 404);
    world.simulator.withdraw(&address);
    assert_ne!(world.ask(&SimRequest::to("GET", &url)).status, 200);
}

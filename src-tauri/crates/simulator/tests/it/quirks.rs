//! Each way in which a manifest can differ shows on the wire.

use patchbay_providers::Catalog;
use serde_json::Value;
use url::Url;

use crate::client::{REDIRECT, VERIFIER, World, authorize, challenge, id, param};

const MANIFEST: &str = r#"
format = 2
id = "custom_quirk"
version = "1"
fullname = "Quirk"
vendor = "Quirk"
connector = "custom"
description = "A provider for tests."
docs_url = "https://docs.quirk.example/"
base = { fixed = { url = "https://api.quirk.example" } }
probe = { call = { url = "/me" }, id = "/id" }
[release]
availability = "pre-release"
environments = ["test"]
[server.main]
ENDPOINTS
AUTH
BODY
PKCE
SCOPES
CALLBACK
LIFETIME
ROTATION
REDIRECT
window = "untested"
MORE
[server.main.revocation]
REVOCATION
manual = { steps = ["Open the page of the provider."] }
[[credential]]
type = "o_auth_user"
kind = "o_auth_user"
title = "Sign in"
description = "A person signs in."
auth = { consent = { server = "main", flows = ["code", "device"] } }
place = "bearer"
[sources]
"server" = "observed: in a test"
"credential" = "observed: in a test"
"base" = "observed: in a test"
"probe" = "observed: in a test"
"error" = "observed: in a test"
"#;

const USUAL: &[(&str, &str)] = &[
    (
        "ENDPOINTS",
        r#"endpoints = { fixed = { authorize = "https://quirk.example/authorize", token = "https://quirk.example/token", par = "https://quirk.example/par", device = "https://quirk.example/device", revocation = "https://quirk.example/revoke", introspection = "https://quirk.example/introspect", issuer = "https://quirk.example" } }"#,
    ),
    ("AUTH", r#"client_auth = ["post"]"#),
    ("BODY", ""),
    ("PKCE", r#"pkce = "allowed""#),
    ("SCOPES", r#"scopes = { default = ["read"] }"#),
    ("CALLBACK", ""),
    ("LIFETIME", "lifetime = { access = { seconds = 3600 } }"),
    ("ROTATION", r#"rotation = "none""#),
    ("REDIRECT", r#"redirect = { loopback = "either", plain_http_loopback = true }"#),
    ("MORE", ""),
    ("REVOCATION", r#"how = { rfc7009 = { order = ["refresh"], ends = "grant" } }"#),
];

/// A provider that differs from the usual in these lines.
fn world(changes: &[(&str, &str)]) -> World {
    let mut text = MANIFEST.to_owned();
    for (place, usual) in USUAL {
        let line = changes.iter().find(|(known, _)| known == place).map_or(*usual, |(_, line)| *line);
        text = text.replacen(&format!("\n{place}\n"), &format!("\n{line}\n"), 1);
    }
    World::new(&Catalog::of_manifests(&[("custom_quirk", &text)]).unwrap_or_else(|error| panic!("{error}")))
}

fn asked(world: &World, params: &[(&str, &str)]) -> Url {
    authorize(world, "custom_quirk", "https://quirk.example/authorize", params)
}

fn back(world: &World, params: &[(&str, &str)]) -> Url {
    world.simulator.consent(&asked(world, params), true).unwrap()
}

fn code(world: &World) -> String {
    param(&back(world, &[("scope", "read")]), "code").unwrap()
}

fn exchanged(world: &World) -> Value {
    let code = code(world);
    token(world, &[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)])
}

fn token(world: &World, fields: &[(&str, &str)]) -> Value {
    world.post("custom_quirk", "https://quirk.example/token", fields).value().unwrap()
}

fn refreshed(world: &World, refresh_token: &Value) -> Value {
    token(world, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str().unwrap_or_default())])
}

#[test]
fn the_usual_provider_is_as_the_standards_say() {
    let world = world(&[]);
    let first = exchanged(&world);
    assert_eq!((first["expires_in"].as_u64(), first["token_type"].as_str(), first["scope"].as_str()), (Some(3600), Some("Bearer"), Some("read")));
    let next = refreshed(&world, &first["refresh_token"]);
    assert!(next["access_token"].is_string() && next.get("refresh_token").is_none(), "without rotation the old one stays: {next}");
    assert!(refreshed(&world, &first["refresh_token"])["access_token"].is_string());
}

#[test]
fn pkce_has_three_states() {
    let (challenge, with) = (challenge(), |challenge| [("scope", "read"), ("code_challenge", challenge), ("code_challenge_method", "S256")]);
    let required = world(&[("PKCE", r#"pkce = "required""#)]);
    assert_eq!(param(&back(&required, &[("scope", "read")]), "error").as_deref(), Some("invalid_request"));
    let code = param(&back(&required, &with(&challenge)), "code").unwrap();
    let without = token(&required, &[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)]);
    assert_eq!(without["error"], "invalid_grant", "no verifier, no tokens");
    let good = token(&required, &[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)]);
    assert!(good["access_token"].is_string(), "{good}");

    let forbidden = world(&[("PKCE", r#"pkce = "forbidden""#)]);
    assert_eq!(param(&back(&forbidden, &with(&challenge)), "error").as_deref(), Some("invalid_request"));
    assert!(exchanged(&forbidden)["access_token"].is_string());
}

#[test]
fn clients_authenticate_only_as_the_manifest_says() {
    let exchange = |world: &World, json: bool| {
        let code = code(world);
        let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", REDIRECT)];
        let url = "https://quirk.example/token";
        let answer = if json { world.post_json("custom_quirk", url, &fields) } else { world.post("custom_quirk", url, &fields) };
        answer.value().unwrap()
    };
    assert_eq!(exchange(&world(&[("AUTH", r#"client_auth = ["basic"]"#)]), false)["error"], "invalid_client");
    assert!(exchange(&world(&[("AUTH", r#"client_auth = ["basic", "post"]"#)]), false)["access_token"].is_string());
    let json = world(&[("BODY", r#"token_body = "json""#)]);
    assert_eq!(exchange(&json, false)["error"], "invalid_request");
    assert!(exchange(&json, true)["access_token"].is_string());
    let headers = world(&[("BODY", r#"token_headers = { X-Version = "7" }"#)]);
    assert_eq!(exchange(&headers, false)["error"], "invalid_request");
    let params = world(&[("BODY", r#"token_params = { expires_in = "60" }"#)]);
    assert_eq!(exchange(&params, false)["error"], "invalid_request");
}

#[test]
fn answers_are_written_where_the_manifest_reads_them() {
    let nested = world(&[(
        "MORE",
        "[server.main.answer]\nok = { pointer = \"/ok\", equals = true }\nerror = [\"/problem\"]\nkeep = { team = { at = \"/team/id\" } }\n\
         tokens = [{ name = \"main\", access = \"/data/0/token\", refresh = \"/data/0/next\", expires = { at = \"/data/0/until\", unit = \"iso8601\" } }]",
    )]);
    let answer = exchanged(&nested);
    assert_eq!((answer["ok"].as_bool(), answer["team"]["id"].as_str()), (Some(true), Some("sim-team")));
    assert!(answer["data"][0]["token"].is_string() && answer["data"][0]["next"].is_string() && answer.get("token_type").is_none());
    assert!(answer["data"][0]["until"].as_str().unwrap().starts_with("2026-"), "{answer}");
    let refused = token(&nested, &[("grant_type", "refresh_token"), ("refresh_token", "x")]);
    assert_eq!((refused["ok"].as_bool(), refused["problem"].as_str()), (Some(false), Some("invalid_grant")));

    for (unit, seconds) in [("seconds", 3600), ("milliseconds", 3_600_000), ("unix_time", 1_790_003_600), ("unix_milliseconds", 1_790_003_600_000_i64)] {
        let more = format!("[server.main.answer]\ntokens = [{{ name = \"main\", expires = {{ at = \"/end\", unit = \"{unit}\" }} }}]");
        assert_eq!(exchanged(&world(&[("MORE", &more)]))["end"].as_i64(), Some(seconds), "{unit}");
    }
    let comma = world(&[("SCOPES", r#"scopes = { default = ["a", "b"], separator = "," }"#)]);
    assert_eq!(param(&back(&comma, &[("scope", "a b")]), "error").as_deref(), Some("invalid_scope"));
    assert!(param(&back(&comma, &[("scope", "a,b")]), "code").is_some());
    let offline = world(&[("SCOPES", r#"scopes = { default = ["read", "forever"], offline = "forever" }"#)]);
    assert!(exchanged(&offline).get("refresh_token").is_none(), "nobody asked for one");
}

#[test]
fn ends_are_told_or_not_as_the_manifest_says() {
    for silent in ["as_documented", "jwt_exp"] {
        let answer = exchanged(&world(&[("LIFETIME", &format!("lifetime = {{ access = {{ seconds = 60, silent = \"{silent}\" }} }}"))]));
        assert!(answer.get("expires_in").is_none(), "{silent}");
        assert_eq!(answer["access_token"].as_str().unwrap().matches('.').count(), if silent == "jwt_exp" { 2 } else { 0 });
    }
    let endless = world(&[("LIFETIME", "lifetime = { access = { silent = { non_expiring = { probe_days = 1 } } } }")]);
    let answer = exchanged(&endless);
    assert!(answer.get("expires_in").is_none() && answer.get("refresh_token").is_none());
    endless.advance(400 * 86_400);
    assert_eq!(endless.bearer("https://api.quirk.example/me", answer["access_token"].as_str().unwrap()).status, 200);

    let short = world(&[("LIFETIME", "lifetime = { access = { seconds = 60 }, code_seconds = 30, idle_seconds = 100, absolute_seconds = 250 }")]);
    let code = code(&short);
    short.advance(31);
    assert_eq!(token(&short, &[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)])["error"], "invalid_grant");
    let grant = exchanged(&short);
    for _ in 0..2 {
        short.advance(99);
        assert!(refreshed(&short, &grant["refresh_token"])["access_token"].is_string(), "each use begins the time anew");
    }
    short.advance(52);
    assert_eq!(refreshed(&short, &grant["refresh_token"])["error"], "invalid_grant", "but the whole has an end");
    let idle = exchanged(&short);
    short.advance(100);
    assert_eq!(refreshed(&short, &idle["refresh_token"])["error"], "invalid_grant");
}

#[test]
fn rotation_is_as_hard_as_the_manifest_says() {
    let again = |rotation: &str, wait: i64| {
        let world = world(&[("ROTATION", rotation)]);
        let first = exchanged(&world);
        let second = refreshed(&world, &first["refresh_token"]);
        assert!(second["refresh_token"].is_string());
        world.advance(wait);
        let reused = refreshed(&world, &first["refresh_token"])["access_token"].is_string();
        (reused, refreshed(&world, &second["refresh_token"])["access_token"].is_string())
    };
    assert_eq!(again(r#"rotation = { rotates = { grace_seconds = 30, reuse = "ends_family" } }"#, 29), (true, true));
    assert_eq!(again(r#"rotation = { rotates = { grace_seconds = 30, reuse = "ends_family" } }"#, 30), (false, false));
    assert_eq!(again(r#"rotation = { rotates = { grace_seconds = 0, reuse = "refused" } }"#, 0), (false, true));
    assert_eq!(again(r#"rotation = { rotates = { grace_seconds = 0, until_used = true, reuse = "refused" } }"#, 99), (true, true));
    assert_eq!(again(r#"rotation = "unknown""#, 0), (false, false), "of what is not known the hardest is played");
}

#[test]
fn redirects_are_compared_as_the_manifest_says() {
    let to = |world: &World, uri: &str| {
        let mut url = asked(world, &[("scope", "read")]);
        let pairs: Vec<_> = url.query_pairs().into_owned().filter(|(name, _)| name != "redirect_uri").collect();
        url.query_pairs_mut().clear().extend_pairs(pairs).append_pair("redirect_uri", uri);
        world.simulator.consent(&url, true).map(|back| back.to_string())
    };
    let usual = world(&[]);
    assert!(to(&usual, "http://127.0.0.1:8085/oauth/callback").is_ok());
    assert!(to(&usual, "http://127.0.0.1:9999/oauth/callback").is_err(), "another port is another address");
    assert!(to(&usual, "https://patchbay.sim.invalid/oauth/callback/x").is_err());
    let any = world(&[("REDIRECT", r#"redirect = { loopback = "ip", port = "any", plain_http_loopback = true }"#)]);
    assert!(to(&any, "http://127.0.0.1:9999/oauth/callback").is_ok());
    assert!(to(&any, "http://localhost:8085/oauth/callback").is_err(), "a name is not taken here");
    let none = world(&[("REDIRECT", r#"redirect = { loopback = "no" }"#)]);
    assert!(to(&none, "http://127.0.0.1:8085/oauth/callback").is_err());
    let prefix = world(&[("REDIRECT", r#"redirect = { loopback = "no", matching = "prefix" }"#)]);
    assert!(to(&prefix, "https://patchbay.sim.invalid/oauth/callback/x").is_ok());
    let first = world(&[("REDIRECT", r#"redirect = { loopback = "either", plain_http_loopback = true, mismatch = "goes_to_first" }"#)]);
    assert!(to(&first, "https://elsewhere.example/").unwrap().starts_with("http://127.0.0.1:8085/"));
}

#[test]
fn callbacks_carry_what_the_manifest_says() {
    let own = world(&[("CALLBACK", r#"callback = { code = "ticket", keep = ["realm"], iss = "always" }"#)]);
    let url = back(&own, &[("scope", "read")]);
    assert!(param(&url, "ticket").is_some() && param(&url, "code").is_none());
    assert_eq!((param(&url, "realm").as_deref(), param(&url, "iss").as_deref()), (Some("sim-realm"), Some("https://quirk.example")));
    let signed = world(&[("CALLBACK", r#"callback = { signed = { param = "hmac", algorithm = "HS256", key = "{client_secret}" } }"#)]);
    assert_eq!(param(&back(&signed, &[("scope", "read")]), "hmac").unwrap().len(), 64);
}

#[test]
fn requests_can_be_pushed_and_must_be_where_the_manifest_says_so() {
    let required = world(&[("MORE", r#"par = "required""#)]);
    assert!(required.simulator.consent(&asked(&required, &[("scope", "read")]), true).unwrap_err().contains("not pushed"));
    let fields = [("response_type", "code"), ("redirect_uri", REDIRECT), ("scope", "read"), ("state", "s2")];
    let pushed = required.post("custom_quirk", "https://quirk.example/par", &fields);
    assert_eq!(pushed.status, 201);
    let uri = pushed.value().unwrap()["request_uri"].as_str().unwrap().to_owned();
    let mut url = Url::parse("https://quirk.example/authorize").unwrap();
    url.query_pairs_mut().append_pair("client_id", "sim_client_custom_quirk").append_pair("request_uri", &uri);
    let back = required.simulator.consent(&url, true).unwrap();
    assert_eq!(param(&back, "state").as_deref(), Some("s2"));
    let code = param(&back, "code").unwrap();
    assert!(token(&required, &[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)])["access_token"].is_string());
    required.advance(61);
    assert!(required.simulator.consent(&url, true).is_err(), "it is good for a minute");
}

#[test]
fn devices_wait_for_a_person() {
    let world = world(&[]);
    let begun = world.post("custom_quirk", "https://quirk.example/device", &[("scope", "read")]).value().unwrap();
    let (code, user_code) = (begun["device_code"].as_str().unwrap().to_owned(), begun["user_code"].as_str().unwrap().to_owned());
    let poll = || token(&world, &[("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", &code)]);
    assert_eq!(poll()["error"], "authorization_pending");
    assert_eq!(poll()["error"], "slow_down");
    let page: Url = begun["verification_uri"].as_str().unwrap().parse().unwrap();
    assert!(world.simulator.enter(&page, "SIM-9999", true).is_err());
    world.simulator.enter(&page, &user_code, true).unwrap();
    world.advance(5);
    assert!(poll()["refresh_token"].is_string());
    assert_eq!(poll()["error"], "invalid_grant", "once");
}

#[test]
fn revocation_ends_what_the_manifest_says() {
    let usual = world(&[]);
    let (first, second) = (exchanged(&usual), exchanged(&usual));
    let active = |world: &World, token: &Value| {
        world.post("custom_quirk", "https://quirk.example/introspect", &[("token", token.as_str().unwrap())]).value().unwrap()["active"].as_bool().unwrap()
    };
    assert!(active(&usual, &second["access_token"]));
    usual.post("custom_quirk", "https://quirk.example/revoke", &[("token", first["refresh_token"].as_str().unwrap())]);
    assert!(!active(&usual, &second["access_token"]), "the whole grant to the app ended");
    let single = world(&[("REVOCATION", r#"how = { rfc7009 = { order = ["refresh", "access"], ends = "token" } }"#)]);
    let (first, second) = (exchanged(&single), exchanged(&single));
    single.post("custom_quirk", "https://quirk.example/revoke", &[("token", first["refresh_token"].as_str().unwrap())]);
    assert!(!active(&single, &first["access_token"]) && !active(&single, &first["refresh_token"]));
    assert!(active(&single, &second["access_token"]));
    let limited = world(&[("LIFETIME", "lifetime = { access = { seconds = 3600 }, per_user_limit = 2 }")]);
    let oldest = exchanged(&limited);
    exchanged(&limited);
    exchanged(&limited);
    assert!(!active(&limited, &oldest["access_token"]), "the oldest falls out");
}

#[test]
fn metadata_says_what_the_manifest_says() {
    let discovered = world(&[
        ("ENDPOINTS", r#"endpoints = { discovery = { issuer = "https://quirk.example/tenant/" } }"#),
        ("CALLBACK", r#"callback = { iss = "discovered" }"#),
        ("MORE", r#"par = "allowed""#),
    ]);
    let document = discovered.bearer("https://quirk.example/tenant/.well-known/openid-configuration", "none").value().unwrap();
    assert_eq!(document["issuer"], "https://quirk.example/tenant/", "to the letter");
    for name in ["authorization_endpoint", "token_endpoint", "revocation_endpoint", "pushed_authorization_request_endpoint", "device_authorization_endpoint"] {
        assert!(document[name].as_str().unwrap().starts_with("https://quirk.example/tenant/"), "{name}");
    }
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    let setup = discovered.simulator.setup(&id("custom_quirk")).unwrap();
    let url = authorize(&discovered, "custom_quirk", document["authorization_endpoint"].as_str().unwrap(), &[("scope", "read")]);
    let back = discovered.simulator.consent(&url, true).unwrap();
    assert_eq!(param(&back, "iss").as_deref(), Some("https://quirk.example/tenant/"));
    assert_eq!(setup.client_id, "sim_client_custom_quirk");
}

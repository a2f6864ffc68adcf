use std::collections::BTreeMap;
use std::sync::Arc;

use patchbay_providers::Catalog;
use patchbay_vault::{JwtAlgorithm, JwtVerifier, system_context};
use serde_json::json;

use super::super::authority::authority;
use super::super::metadata::MetadataCache;
use super::*;
use crate::NetworkPolicy;
use crate::http::HttpClient;

/// A provider whose server has these facts beside the least that one has.
async fn at(facts: &str) -> Authority {
    at_with(facts, "[server.main.endpoints.fixed]\nauthorize = \"https://a.test/authorize?tenant=1\"\ntoken = \"https://a.test/token\"\nissuer = \"https://a.test\"\n").await
}

async fn at_with(facts: &str, endpoints: &str) -> Authority {
    let text = format!(
        r#"
format = 2
id = "identity_sample"
version = "1"
fullname = "Sample"
vendor = "Sample"
connector = "identity"
description = "A sample."
docs_url = "https://sample.example"
base = {{ fixed = {{ url = "https://api.sample.example" }} }}
probe = {{ call = {{ url = "/me" }} }}
release = {{ availability = "internal", environments = ["test"] }}
sources = {{ "server" = "unverified", "credential" = "unverified", "probe" = "unverified", "base" = "unverified" }}
[server.main]
lifetime = {{ access = {{ seconds = 600 }} }}
rotation = "unknown"
redirect = {{ loopback = "no" }}
window = "works"
revocation = {{ how = "none", manual = {{ steps = ["Ask."] }} }}
pkce = "allowed"
{facts}
{endpoints}
[[credential]]
type = "o_auth_user"
kind = "o_auth_user"
title = "Sign in"
description = "A person signs in."
auth = {{ consent = {{ server = "main", flows = ["code"] }} }}
place = "bearer"
"#
    );
    let catalog = Catalog::of_manifests(&[("identity_sample", &text)]).unwrap();
    let provider = Arc::clone(catalog.find("identity_sample").unwrap());
    let http = HttpClient::new(NetworkPolicy::default(), system_context()).unwrap();
    authority(&http, &MetadataCache::default(), &provider, provider.server("main").unwrap(), &Map::new()).await.unwrap()
}

fn client(secret: Option<&str>) -> OAuthClient {
    OAuthClient { id: "m e".to_owned(), secret: secret.map(Secret::new) }
}

/// Headers and form of a refresh, as they are sent.
fn refreshed(authority: &Authority, client: &OAuthClient) -> (BTreeMap<String, String>, String) {
    let prepared = Prepared::refresh(&system_context(), authority, client, &Secret::new("r&t"), None).unwrap();
    let request = prepared.into_request(Uuid::from_u128(7));
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "https://a.test/token"));
    let headers: BTreeMap<String, String> = request.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    assert_eq!(headers["x-request-id"], "00000000-0000-0000-0000-000000000007");
    (headers, String::from_utf8(request.body.to_vec()).unwrap())
}

fn pairs(form: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

#[tokio::test]
async fn the_authorization_request_holds_what_it_must() {
    // Verifier and challenge of RFC 7636 appendix B.
    let (state, verifier) = (Secret::new("st"), Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    let scopes = ["a:b".to_owned(), "c".to_owned()];
    let asking = Asking { redirect_uri: "http://127.0.0.1:1/oauth/callback", scopes: &scopes, state: &state, verifier: Some(&verifier) };
    let authority = at("client_auth = [\"basic\"]\nauthorize_params = { audience = \"api\", who = \"{client_id}\" }").await;
    let url = authorize(&authority, &client(Some("hidden")), &asking).unwrap();
    let pairs: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "m e"),
        ("who", "m e"),
        ("state", "st"),
        ("scope", "a:b c"),
        ("redirect_uri", "http://127.0.0.1:1/oauth/callback"),
        ("audience", "api"),
        ("tenant", "1"),
        ("code_challenge_method", "S256"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ] {
        assert_eq!(pairs.get(name).map(String::as_str), Some(value), "{name} in {url}");
    }
    assert!(!url.as_str().contains("hidden") && !url.as_str().contains(verifier.expose()), "{url}");
    let slack = at("client_auth = [\"post\"]\nscopes = { separator = \",\", param = \"scopes\", also = { user_scope = { default = [\"x\", \"y\"], separator = \"|\" } } }").await;
    let url = authorize(&slack, &client(None), &Asking { verifier: None, ..asking }).unwrap();
    let pairs: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!((pairs.get("scopes").map(String::as_str), pairs.get("user_scope").map(String::as_str)), (Some("a:b,c"), Some("x|y")));
    assert!(!pairs.contains_key("code_challenge") && !pairs.contains_key("scope"));
    let by_param = |scopes: &[&str]| {
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let (own, more) = super::by_param(&slack.server.scopes, &scopes);
        (own.join(","), more.get("user_scope").map(|asked| asked.join("|")))
    };
    assert_eq!(by_param(&["a:b", "user_scope=search:read", "user_scope=z"]), ("a:b".to_owned(), Some("search:read|z".to_owned())));
    assert_eq!(by_param(&["other=x"]), ("other=x".to_owned(), None), "no parameter of that name is in the manifest");
}

#[tokio::test]
async fn a_client_proves_itself_as_the_manifest_says() {
    let (headers, form) = refreshed(&at("client_auth = [\"basic\"]").await, &client(Some("s&s")));
    // RFC 6749 section 2.3.1: both are escaped before they are joined.
    assert_eq!(headers["authorization"], format!("Basic {}", STANDARD.encode("m+e:s%26s")));
    assert_eq!(pairs(&form), pairs("grant_type=refresh_token&refresh_token=r%26t"));
    let (headers, form) = refreshed(&at("client_auth = [\"post\", \"basic\"]").await, &client(Some("s&s")));
    assert!(!headers.contains_key("authorization"));
    assert_eq!(pairs(&form), pairs("grant_type=refresh_token&refresh_token=r%26t&client_id=m+e&client_secret=s%26s"));
    let (headers, form) = refreshed(&at("client_auth = [\"basic\", \"none\"]").await, &client(None));
    assert!(!headers.contains_key("authorization"));
    assert_eq!(pairs(&form), pairs("grant_type=refresh_token&refresh_token=r%26t&client_id=m+e"));
    let (headers, form) = refreshed(&at("client_auth = [\"secret_as_user\"]").await, &client(Some("sk")));
    assert_eq!((headers["authorization"].as_str(), form.as_str()), ("Basic c2s6", "grant_type=refresh_token&refresh_token=r%26t"));
}

#[tokio::test]
async fn a_private_key_signs_and_is_never_sent() {
    // RFC 7515 appendix A.3.
    let key = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
    let facts = r#"client_auth = [{ private_key_jwt = { algorithms = ["RS256", "ES256"], audience = "token" } }, "basic"]"#;
    let authority = at(facts).await;
    let (headers, form) = refreshed(&authority, &client(Some(key)));
    let form = pairs(&form);
    assert!(!headers.contains_key("authorization") && !form.contains_key("client_secret"), "{form:?}");
    assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let claims = JwtVerifier::of_jwk(&serde_json::from_str(key).unwrap(), JwtAlgorithm::ES256).unwrap().verify(&form["client_assertion"]).unwrap();
    assert_eq!((&claims["iss"], &claims["sub"], &claims["aud"]), (&json!("m e"), &json!("m e"), &json!("https://a.test/token")));
    assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() == 120 && claims["jti"].is_string(), "{claims:?}");
    let (headers, _) = refreshed(&authority, &client(Some("a secret")));
    assert!(headers["authorization"].starts_with("Basic "), "what is no key is a secret");
    let refused = Prepared::refresh(&system_context(), &at("client_auth = [\"basic\", \"post\"]").await, &client(Some(key)), &Secret::new("r"), None).err().unwrap();
    assert!(refused.message.contains("private key") && !refused.message.contains("jpsQ"), "{}", refused.message);
}

#[tokio::test]
async fn requests_are_dressed_as_the_manifest_says() {
    let facts = "client_auth = [\"basic\"]\ntoken_body = \"json\"\ntoken_headers = { Notion-Version = \"2022-06-28\" }\ntoken_params = { expires_in = \"60\" }\nrefresh_params = { who = \"{client_id}\" }";
    let authority = at(facts).await;
    let (headers, body) = refreshed(&authority, &client(Some("s")));
    assert_eq!((headers["content-type"].as_str(), headers["notion-version"].as_str()), ("application/json", "2022-06-28"));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body, json!({ "grant_type": "refresh_token", "refresh_token": "r&t", "expires_in": "60", "who": "m e" }));
    let code = Prepared::code(&system_context(), &authority, &client(Some("s")), &Secret::new("c"), "https://x.test/cb", Some(&Secret::new("v"))).unwrap();
    let body: Value = serde_json::from_slice(&code.into_request(Uuid::nil()).body).unwrap();
    assert_eq!(body, json!({ "grant_type": "authorization_code", "code": "c", "redirect_uri": "https://x.test/cb", "code_verifier": "v", "expires_in": "60" }));
}

/// The form of a request that goes to this path, and who proves itself in its header.
fn form(prepared: Prepared, path: &str) -> (BTreeMap<String, String>, Option<String>) {
    let request = prepared.into_request(Uuid::nil());
    assert_eq!((request.method.as_str(), request.url.path()), ("POST", path));
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    let authorization = request.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    (pairs(std::str::from_utf8(&request.body).unwrap()), authorization)
}

const ENDPOINTS: &str = r#"
[server.main.endpoints.fixed]
authorize = "https://a.test/authorize?tenant=1"
token = "https://a.test/token"
device = "https://a.test/device"
revocation = "https://a.test/revoke"
introspection = "https://a.test/introspect"
"#;

/// A server with every endpoint.
async fn whole(facts: &str) -> Authority {
    at_with(facts, ENDPOINTS).await
}

#[tokio::test]
async fn a_client_asks_for_itself() {
    let authority = at("client_auth = [\"basic\"]\nscopes = { separator = \",\", param = \"scopes\" }\ntoken_params = { expires_in = \"60\" }").await;
    let given = [("audience".to_owned(), "api".to_owned())];
    let scopes = ["a".to_owned(), "b".to_owned()];
    let (sent, authorization) = form(Prepared::client_credentials(&system_context(), &authority, &client(Some("s")), &scopes, &given).unwrap(), "/token");
    assert_eq!(sent, pairs("grant_type=client_credentials&scopes=a,b&expires_in=60&audience=api"));
    assert!(authorization.unwrap().starts_with("Basic "));
    // Another word for the grant (Zoom), and no scope at all.
    let given = [("grant_type".to_owned(), "account_credentials".to_owned())];
    let (sent, _) = form(Prepared::client_credentials(&system_context(), &authority, &client(Some("s")), &[], &given).unwrap(), "/token");
    assert_eq!(sent, pairs("grant_type=account_credentials&expires_in=60"));
}

#[tokio::test]
async fn an_assertion_says_itself_who_asks() {
    let authority = at("client_auth = [\"basic\"]").await;
    let prepared = Prepared::jwt_bearer(&authority, "m e", &Secret::new("a.b.c"), &["x".to_owned(), "y".to_owned()], &[]).unwrap();
    let (sent, authorization) = form(prepared, "/token");
    assert_eq!(sent, pairs("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.c&scope=x+y"));
    assert_eq!(authorization, None);
}

#[tokio::test]
async fn a_device_asks_for_a_code_and_then_for_the_answer() {
    let authority = whole("client_auth = [\"post\", \"none\"]").await;
    let (sent, _) = form(Prepared::device_begin(&system_context(), &authority, &client(None), &["x".to_owned()]).unwrap(), "/device");
    assert_eq!(sent, pairs("client_id=m+e&scope=x"));
    let (sent, _) = form(Prepared::device_poll(&system_context(), &authority, &client(Some("s")), &Secret::new("dc")).unwrap(), "/token");
    assert_eq!(sent, pairs("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=dc&client_id=m+e&client_secret=s"));
    let without = Prepared::device_begin(&system_context(), &at("client_auth = [\"none\"]").await, &client(None), &[]).err().unwrap();
    assert!(without.message.contains("endpoint for devices"), "{}", without.message);
}

#[tokio::test]
async fn a_token_is_ended_and_asked_after() {
    let authority = whole("client_auth = [\"basic\"]\ntoken_body = \"json\"").await;
    let token = Secret::new("token&of-somebody");
    let revoked = |kind, body| Prepared::revoke(&system_context(), &authority, &client(Some("s")), kind, &token, body).unwrap();
    let (sent, authorization) = form(revoked(TokenKind::Refresh, TokenBody::Form), "/revoke");
    assert_eq!(sent, pairs("token=token%26of-somebody&token_type_hint=refresh_token"));
    assert!(authorization.is_some(), "the client proves itself (RFC 7009 section 2.1)");
    assert!(
        revoked(TokenKind::Access, TokenBody::Form).mask().problem(Problem::internal("token&of-somebody")).message.split("of-somebody").count() == 1,
        "what was sent is not shown"
    );
    let body: Value = serde_json::from_slice(&revoked(TokenKind::Access, TokenBody::Json).into_request(Uuid::nil()).body).unwrap();
    assert_eq!(body, json!({ "token": "token&of-somebody", "token_type_hint": "access_token" }));
    let (sent, authorization) = form(Prepared::introspect(&system_context(), &authority, &client(Some("s")), TokenKind::Refresh, &token).unwrap(), "/introspect");
    assert_eq!(sent, pairs("token=token%26of-somebody&token_type_hint=refresh_token"), "a form, whatever the token endpoint takes");
    assert!(authorization.is_some());
}

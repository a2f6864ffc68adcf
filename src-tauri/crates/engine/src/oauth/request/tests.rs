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
endpoints = {{ fixed = {{ authorize = "https://a.test/authorize?tenant=1", token = "https://a.test/token", issuer = "https://a.test" }} }}
lifetime = {{ access = {{ seconds = 600 }} }}
rotation = "unknown"
redirect = {{ loopback = "no" }}
window = "works"
revocation = {{ how = "none", manual = {{ steps = ["Ask."] }} }}
pkce = "allowed"
{facts}
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

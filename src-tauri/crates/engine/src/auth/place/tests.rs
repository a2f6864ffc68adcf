use bytes::Bytes;
use patchbay_providers::Catalog;
use patchbay_vault::system_context;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::json;

use super::*;
use crate::auth::ClientFields;

/// A provider with one way whose place is this, and whose API is at `base`.
fn catalog(place: &str, kind: &str, more: &str, base: &str) -> Catalog {
    let text = format!(
        r#"
format = 2
id = "custom_test"
version = "1"
fullname = "Test"
vendor = "Test"
connector = "custom"
description = "A provider."
docs_url = "https://docs.test"
release = {{ availability = "pre-release", environments = ["test"] }}
base = {base}
[[config]]
name = "tenant"
title = "Tenant"
description = "Which."
default = "acme"
schema = {{ type = "string" }}
[[credential]]
type = "way"
kind = "{kind}"
title = "Way"
description = "A way."
place = {place}
{more}
[probe]
call = {{ url = "/me" }}
"#
    );
    Catalog::of_manifests(&[("custom_test", &text)]).unwrap()
}

const FIXED: &str = r#"{ fixed = { url = "https://api.test" } }"#;

struct Sent {
    request: HttpRequest,
    covers: Vec<String>,
}

impl Sent {
    fn header(&self, name: &str) -> &str {
        self.request.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

fn apply(catalog: &Catalog, opened: &Opened, url: &str) -> Result<Sent, Problem> {
    let provider = catalog.find("custom_test").unwrap();
    let (settings, none) = (Map::new(), BTreeMap::new());
    let located = BTreeMap::from([("tenant".to_owned(), "t-1".to_owned())]);
    let carried = Carried { provider, way: provider.way("way").unwrap(), settings: &settings, kept: &none, located: &located, opened, minted: None };
    let mut request = HttpRequest { method: Method::GET, url: url.parse().unwrap(), headers: HeaderMap::new(), body: Bytes::new(), template: "test".into() };
    let mut covers = carried.address(&mut request)?;
    covers.extend(carried.apply(&system_context(), &mut request, None)?);
    Ok(Sent { request, covers: covers.iter().map(|secret| secret.expose().to_owned()).collect() })
}

fn single(secret: &str) -> Opened {
    Opened::Single(Secret::new(secret))
}

const URL: &str = "https://api.test/me";

#[test]
fn words_say_what_is_common() {
    let pair = Opened::Pair { username: "Aladdin".to_owned(), secret: Secret::new("open sesame") };
    // The example of RFC 7617 section 2.
    let sent = apply(&catalog(r#""basic""#, "basic", "", FIXED), &pair, URL).unwrap();
    assert_eq!(sent.header("authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert!(sent.request.headers.get("authorization").unwrap().is_sensitive());
    let sent = apply(&catalog(r#""bearer""#, "token", "", FIXED), &single("k-123"), URL).unwrap();
    assert_eq!(sent.header("authorization"), "Bearer k-123");
    assert!(sent.covers.contains(&"k-123".to_owned()));
    let sent = apply(&catalog(r#"{ header = "X-Key" }"#, "token", "", FIXED), &single("k-123"), URL).unwrap();
    assert_eq!(sent.header("x-key"), "k-123");
}

#[test]
fn keys_stand_as_user_or_as_password() {
    let sent = apply(&catalog(r#"{ user_is_key = "X" }"#, "token", "", FIXED), &single("k"), URL).unwrap();
    assert_eq!(sent.header("authorization"), format!("Basic {}", STANDARD.encode("k:X")));
    let sent = apply(&catalog(r#"{ password_is_key = "" }"#, "token", "", FIXED), &single("k"), URL).unwrap();
    assert_eq!(sent.header("authorization"), format!("Basic {}", STANDARD.encode(":k")));
    let pair = Opened::Pair { username: "ada@test".to_owned(), secret: Secret::new("s") };
    let sent = apply(&catalog(r#"{ pair = { user = "{username}/token", password = "{secret}" } }"#, "basic", "", FIXED), &pair, URL).unwrap();
    assert_eq!(sent.header("authorization"), format!("Basic {}", STANDARD.encode("ada@test/token:s")));
}

#[test]
fn several_headers_and_a_parameter_are_filled() {
    let extra = "extra = [{ name = \"app\", title = \"App\", description = \"App.\", required = true }]";
    let place = r#"{ headers = { X-One = "{client_secret}", X-Two = "{extra.app}", X-Tenant = "{config.tenant}" }, query = { key = "{client_secret}" } }"#;
    let client = Opened::Client(Box::new(ClientFields { id: "c".to_owned(), secret: Secret::new("one+1 "), extra: BTreeMap::from([("app".to_owned(), Secret::new("two"))]) }));
    let sent = apply(&catalog(place, "o_auth_client", extra, FIXED), &client, "https://api.test/me?a=b").unwrap();
    assert_eq!((sent.header("x-one"), sent.header("x-two"), sent.header("x-tenant")), ("one+1 ", "two", "acme"));
    assert_eq!(sent.request.url.query(), Some("a=b&key=one%2B1+"));
    assert!(["one+1 ", "two"].iter().all(|secret| sent.covers.iter().any(|cover| cover == secret)), "{:?}", sent.covers);

    let lacking = Opened::Client(Box::new(ClientFields { id: "c".to_owned(), secret: Secret::new("one"), extra: BTreeMap::new() }));
    assert_eq!(apply(&catalog(place, "o_auth_client", extra, FIXED), &lacking, URL).err().unwrap().code, Code::InvalidConfig, "nothing leaves without its secret");
}

#[test]
fn no_secret_makes_a_header_of_its_own() {
    for place in [r#""bearer""#, r#"{ header = "X-Key" }"#, r#"{ headers = { X-Key = "Key {secret}" } }"#] {
        let problem = apply(&catalog(place, "token", "", FIXED), &single("PLANTED\r\nx-admin: 1"), URL).err().unwrap();
        assert!(problem.code == Code::InvalidConfig && !problem.message.contains("PLANTED"), "{place}: {}", problem.message);
    }
}

#[test]
fn a_secret_address_takes_the_place_of_the_one_that_stands_for_it() {
    let base = r#"{ secret = { hosts = [".hooks.test"] } }"#;
    let catalog = catalog(r#""nowhere""#, "secret", "", base);
    let stands = "https://secret-address.invalid/list?comp=list";
    let sent = apply(&catalog, &single("https://eu.hooks.test/a/b-secret-part?sig=0123456789"), stands).unwrap();
    assert_eq!(sent.request.url.as_str(), "https://eu.hooks.test/a/b-secret-part/list?sig=0123456789&comp=list");
    assert!(["b-secret-part", "0123456789"].iter().all(|secret| sent.covers.iter().any(|cover| cover == secret)), "{:?}", sent.covers);
    let whole = apply(&catalog, &single("https://eu.hooks.test/a/b"), "https://secret-address.invalid/").unwrap();
    assert_eq!(whole.request.url.as_str(), "https://eu.hooks.test/a/b");
    for bad in ["https://hooks.test.evil.test/PLANTED", "http://eu.hooks.test/PLANTED", "PLANTED", "https://u:p@eu.hooks.test/PLANTED"] {
        let problem = apply(&catalog, &single(bad), stands).err().unwrap();
        assert!(problem.code == Code::InvalidConfig && !problem.message.contains("PLANTED"), "{bad}");
    }
}

#[test]
fn what_is_to_be_exchanged_is_never_sent() {
    let login = r#"auth = { mint = { request = { method = "post", url = "https://api.test/login", body = { form = { key = "{secret}" } }, authenticated = false }, token = "/token", expires = { seconds = 60 } } }"#;
    for place in [r#""bearer""#, r#"{ header = "X-Key" }"#, r#"{ headers = { X-Key = "{secret}" } }"#] {
        assert!(apply(&catalog(place, "token", login, FIXED), &single("key"), URL).is_err(), "{place}");
    }
}

#[test]
fn a_request_is_signed_for_the_service_of_the_place() {
    let auth = r#"auth = { aws_key = { service = "sqs", region = "{config.tenant}" } }"#;
    let public = json!({ "access_key_id": "AKIATEST" }).as_object().unwrap().clone();
    let keys = Opened::Aws(Box::new(AwsKeys::read(&public, &Secret::new(r#"{"secret_access_key":"s"}"#)).unwrap()));
    let sent = apply(&catalog(r#""sigv4""#, "aws", auth, FIXED), &keys, URL).unwrap();
    assert!(sent.header("authorization").contains("/acme/sqs/aws4_request"), "{}", sent.header("authorization"));
}

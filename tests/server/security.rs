//! The list of what may go wrong with consents: every item has a test or a reason, and every test that is named is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use patchbay_providers::Catalog;
use patchbay_providers::manifest::{Auth, Endpoints, Manifest};
use serde::Deserialize;
use serde_json::json;

use crate::world::World;

const LIST: &str = include_str!("../security/list.toml");
/// Where tests stand.
const PLACES: [&str; 2] = ["src-tauri", "tests"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    item: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    of: String,
    what: String,
    #[serde(default)]
    tests: Vec<String>,
    why_not: Option<String>,
}

fn list() -> Vec<Item> {
    toml::from_str::<List>(LIST).unwrap().item
}

fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "node_modules" | "target" | ".cache") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "mjs" || extension == "py") {
            found.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_item_of_the_security_list_has_a_test_that_exists_or_a_reason() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let mut text = String::new();
    for place in PLACES {
        sources(&root.join(place), &mut text);
    }
    let mut seen = BTreeSet::new();
    for item in list() {
        assert!(seen.insert(item.of.clone()), "{} stands twice", item.of);
        assert!(!item.what.is_empty(), "{} says nothing", item.of);
        assert_ne!(item.tests.is_empty(), item.why_not.is_none(), "{}: either tests or a reason", item.of);
        assert!(item.why_not.is_none_or(|why| why.len() > 10), "{}: the reason is none", item.of);
        for test in item.tests {
            let rust = format!("fn {test}(");
            let python = format!("def {test}(");
            let named = [format!("test(\"{test}\""), format!("test('{test}'")];
            let there = text.contains(&rust) || text.contains(&python) || named.iter().any(|named| text.contains(named.as_str()));
            assert!(there, "{} names the test `{test}`, which is nowhere", item.of);
        }
    }
    for section in ["RFC 9700 4.5", "RFC 8252 7.3", "RFC 9207 2.4", "RFC 6819 4.4.1.3"] {
        assert!(seen.contains(section), "{section} is missing");
    }
}

/// Every text of a manifest that is an address of a server or of its API.
fn addresses(manifest: &Manifest) -> Vec<String> {
    let mut all = Vec::new();
    for server in manifest.server.values() {
        match &server.endpoints {
            Endpoints::Discovery { issuer, .. } => all.push(issuer.to_string()),
            Endpoints::Fixed(fixed) => all.extend(fixed.each().map(|(_, template)| template.to_string())),
        }
    }
    all
}

#[test]
fn no_endpoint_of_the_catalog_lacks_tls() {
    let catalog = Catalog::builtin().unwrap();
    let mut looked = 0;
    for provider in catalog.every_version() {
        for address in addresses(provider.manifest()) {
            // What begins with a place is an address that somebody configures; the client refuses it without TLS.
            assert!(address.starts_with("https://") || address.starts_with('{'), "{}: {address}", provider.id());
            looked += 1;
        }
    }
    assert!(looked > 50, "{looked}");
}

#[test]
fn no_manifest_names_a_grant_that_is_given_up() {
    let catalog = Catalog::builtin().unwrap();
    let mut grants = 0;
    for provider in catalog.every_version() {
        let manifest = provider.manifest();
        for way in &manifest.credential {
            if let Auth::ClientCredentials { grant_type, params, .. } = &way.auth {
                assert!(grant_type.as_deref() != Some("password") && !params.contains_key("password"), "{}: {}", provider.id(), way.word);
                grants += 1;
            }
        }
        for (name, server) in &manifest.server {
            // RFC 9700 section 2.1.2: nothing that comes with the address of an answer is a token.
            let response_type = server.authorize_params.get("response_type").map(ToString::to_string);
            assert!(response_type.is_none_or(|kind| kind == "code"), "{}: {name}", provider.id());
            assert!(server.authorize_params.get("response_mode").is_none_or(|mode| mode.to_string() != "fragment"), "{}: {name}", provider.id());
        }
    }
    assert!(grants > 0, "no manifest has client credentials");
}

#[test]
fn redirects_of_the_server_are_303() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut text = String::new();
    sources(&root, &mut text);
    assert!(text.contains("SEE_OTHER"));
    for other in ["TEMPORARY_REDIRECT", "PERMANENT_REDIRECT", "Redirect::temporary", "Redirect::permanent", "StatusCode::FOUND"] {
        assert!(!text.contains(other), "`{other}` would send a form on (RFC 9700 section 4.12)");
    }
}

#[tokio::test]
async fn a_state_holds_256_bits() {
    let world = World::new().await;
    let app = json!({"provider": "ticketing_jira", "client_id": "c", "redirect_uris": ["http://127.0.0.1/oauth/callback"]});
    world.api("POST", "/v1/x/provider-apps", Some(&app)).await.status(201);
    let config = json!({"type": "ticketing_jira", "url": "https://acme.atlassian.net", "credential": {"type": "o_auth_user"}});
    let made = world.api("POST", &format!("/v1/integrations/{}", world.account), Some(&json!({"name": "jira", "provider_config": config}))).await.result();
    let body = json!({"integration_id": made["integration"]["id"], "route": "window"});
    let session = world.api("POST", "/v1/x/connect-sessions", Some(&body)).await.status(201).result();
    let page: url::Url = session["authorize_url"].as_str().unwrap().parse().unwrap();
    let state = page.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    // 256 bits are 43 letters of base64, or more of anything narrower.
    assert!(state.len() >= 43 && state.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')), "{state}");
    let letters: BTreeSet<u8> = state.bytes().collect();
    assert!(letters.len() > 10, "{state}");
}

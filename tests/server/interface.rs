//! The interface, the probes, the callback's page, and headers that hold for every answer.

use patchbay_engine::installation::{self, StoreUrl};
use patchbay_server::{Peer, ServeOptions};
use patchbay_vault::{KeyAccess, KeySource, system_context};
use serde_json::json;
use tower::ServiceExt;

use crate::world::World;

#[tokio::test]
async fn every_answer_has_the_headers_of_the_house() {
    let world = World::new().await;
    for (method, path) in [("GET", "/"), ("GET", "/v1/accounts"), ("GET", "/nothing"), ("GET", "/healthz"), ("POST", "/v1/accounts"), ("GET", "/oauth/callback")] {
        let seen = world.ask(method, path).send().await;
        let policy = seen.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self'") || policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(seen.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(seen.header("referrer-policy"), "no-referrer", "{path}");
        assert!(seen.header("x-request-id").parse::<uuid::Uuid>().is_ok(), "{path}");
        assert_eq!(seen.header("strict-transport-security"), "", "{path}: plain HTTP must not demand TLS");
        assert_eq!(seen.header("access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test]
async fn the_interface_is_cached_by_its_tag() {
    let world = World::new().await;
    let page = world.ask("GET", "/").send().await.status(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "no-cache");
    let again = world.ask("GET", "/").header("if-none-match", page.header("etag")).send().await.status(304);
    assert!(again.text.is_empty());
    world.ask("GET", "/../Cargo.toml").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn probes_and_version_need_no_token() {
    let world = World::new().await;
    assert_eq!(world.ask("GET", "/healthz").send().await.status(200).json(), json!({"status": "ok"}));
    assert_eq!(world.ask("GET", "/readyz").send().await.status(200).json(), json!({"status": "ready"}));
    assert_eq!(world.ask("GET", "/v1/version").send().await.status(200).json()["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn a_callback_that_belongs_to_no_consent_gets_a_page() {
    let world = World::new().await;
    for (query, status) in [("", 400), ("?code=c&state=forged", 400), ("?error=access_denied&state=%3Cscript%3E", 400)] {
        let seen = world.ask("GET", &format!("/oauth/callback{query}")).send().await.status(status);
        assert_eq!(seen.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(seen.header("cache-control"), "no-store");
        assert!(!seen.text.contains("<script") && !seen.text.contains("forged"), "{}", seen.text);
    }
    world.ask("GET", "/connect/page.css").send().await.status(200);
}

#[tokio::test]
async fn plain_http_from_another_machine_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let keys = KeyAccess::from(KeySource::File(folder.path().join("key")));
    let (engine, _) = installation::create(&StoreUrl::Sqlite(folder.path().join("store.db")), &keys, "Acme", system_context()).await.unwrap();
    let options = ServeOptions { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..ServeOptions::local("0.0.0.0:80".parse().unwrap()) };
    let router = patchbay_server::router(engine, &options);
    for (address, proto, status) in [("9.9.9.9:1", None, 403), ("9.9.9.9:1", Some("https"), 403), ("10.0.0.1:1", Some("https"), 200), ("127.0.0.1:1", None, 200)] {
        let mut request = axum::http::Request::builder().uri("/healthz");
        if let Some(proto) = proto {
            request = request.header("x-forwarded-proto", proto).header("x-forwarded-for", "8.8.8.8");
        }
        let mut request = request.body(axum::body::Body::empty()).unwrap();
        request.extensions_mut().insert(Peer { address: address.parse().unwrap(), tls: false });
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{address} {proto:?}");
        assert_eq!(response.headers().contains_key("strict-transport-security"), proto.is_some() && status == 200, "{address} {proto:?}");
    }
}

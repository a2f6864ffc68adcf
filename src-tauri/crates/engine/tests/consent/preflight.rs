//! Testing a provider app without a person, judged by an authorization server that is not ours.

use std::collections::BTreeMap;

use patchbay_engine::preflight::{self, Checks};
use patchbay_model::preflight::{CheckKind, CheckOutcome};
use patchbay_model::{Code, Secret};

use crate::world::{Client, World};

async fn test(world: &World) -> Checks {
    preflight::preflight(&world.engine, &world.grant, "our-client").await.unwrap()
}

/// `good`, `cannot_tell`, or the cause of what is bad.
fn found(checks: &Checks) -> BTreeMap<(CheckKind, &str), String> {
    let word = |outcome: &CheckOutcome| match outcome {
        CheckOutcome::Bad(explanation) => explanation.cause.clone(),
        other => other.word().as_str().to_owned(),
    };
    checks.checks.iter().map(|check| ((check.kind, check.subject.as_str()), word(&check.outcome))).collect()
}

const LOOPBACK: &str = "http://127.0.0.1/oauth/callback";

#[tokio::test(flavor = "multi_thread")]
async fn a_good_app_is_told_from_each_kind_of_bad_one() {
    let world = World::with(Client::Confidential).await;
    let good = test(&world).await;
    assert_eq!(good.checks.len(), 5, "{:?}", good.checks);
    assert!(found(&good).values().all(|word| word == "good"), "{:?}", good.checks);

    world.change_app(|app| app.client_secret = Some(Secret::new("not-the-client-secret"))).await;
    let before = preflight::checks(&world.engine, &world.grant, "our-client").await.unwrap();
    assert!(before.checks.is_empty(), "what was found is of the app as it was");
    let checks = test(&world).await;
    assert_eq!(found(&checks)[&(CheckKind::Client, "")], "wrong_secret");
    assert!(!format!("{checks:?}").contains("not-the-client-secret"));
    assert_eq!(found(&checks)[&(CheckKind::RedirectUri, LOOPBACK)], "good", "which nobody needs a secret for");
    world.change_app(|app| app.client_id = "nobody".to_owned()).await;
    let checks = test(&world).await;
    assert_ne!(found(&checks)[&(CheckKind::Client, "")], "good");
    assert_eq!(found(&checks)[&(CheckKind::RedirectUri, LOOPBACK)], "unknown_client", "{checks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_uri_that_is_not_registered_and_a_scope_that_is_not_given_are_found() {
    let world = World::new().await;
    const ELSEWHERE: &str = "http://127.0.0.1/elsewhere";
    world.change_app(|app| app.redirect_uris = vec![LOOPBACK.to_owned(), ELSEWHERE.to_owned()]).await;
    let checks = test(&world).await;
    let words = found(&checks);
    assert_eq!((words[&(CheckKind::RedirectUri, LOOPBACK)].as_str(), words[&(CheckKind::RedirectUri, ELSEWHERE)].as_str()), ("good", "redirect_mismatch"), "{checks:?}");
    assert_eq!(words[&(CheckKind::Scopes, "")], "good");
    let bad = checks.checks.iter().find(|check| check.subject == ELSEWHERE).unwrap();
    let CheckOutcome::Bad(explanation) = &bad.outcome else { panic!("{bad:?}") };
    assert_eq!(explanation.change.as_ref().unwrap().to.as_deref(), Some(ELSEWHERE));

    world
        .change_app(|app| {
            app.client_id = world.peer.narrow_client().to_owned();
            app.redirect_uris = vec![LOOPBACK.to_owned()];
            app.scopes = vec!["openid".to_owned()];
        })
        .await;
    assert_eq!(found(&test(&world).await)[&(CheckKind::Scopes, "")], "good");
    world.change_app(|app| app.scopes = vec!["openid".to_owned(), "email".to_owned()]).await;
    let checks = test(&world).await;
    let words = found(&checks);
    assert_eq!((words[&(CheckKind::Scopes, "")].as_str(), words[&(CheckKind::RedirectUri, LOOPBACK)].as_str()), ("scope_unknown", "good"), "{checks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pushed_requests_and_private_keys_are_tested_as_they_are_used() {
    for client in [Client::Pushing, Client::PushingSecretly, Client::Signing("ES256")] {
        let world = World::with(client).await;
        let checks = test(&world).await;
        assert!(found(&checks).values().all(|word| word == "good"), "{:?}", checks.checks);
    }
    let world = World::with(Client::PushingWithWrongSecret).await;
    let checks = test(&world).await;
    let words = found(&checks);
    assert_eq!(words[&(CheckKind::Client, "")], "wrong_secret");
    assert_eq!(words[&(CheckKind::RedirectUri, LOOPBACK)], "wrong_secret", "the request is not taken from this client: {checks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_is_told_as_that() {
    let mut world = World::new().await;
    world.peer.stop();
    let checks = test(&world).await;
    assert_eq!(checks.checks.len(), 1, "{checks:?}");
    assert_eq!(found(&checks)[&(CheckKind::Reached, "")], "outage");
    assert_eq!(preflight::preflight(&world.engine, &world.grant, "nothing").await.err().unwrap().code, Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_night_each_app_is_tested_once_by_whoever_comes_first() {
    let world = World::new().await;
    let second = world.second_engine().await;
    assert_eq!(preflight::test_due(&world.engine).await.unwrap(), 0, "it waits for its first night");
    let checks = preflight::checks(&world.engine, &world.grant, "our-client").await.unwrap();
    assert!(checks.checks.is_empty() && checks.next.is_some_and(|next| next > world.now()), "{checks:?}");
    for _ in 0..3 {
        world.advance(86_400);
        let (one, other) = tokio::join!(preflight::test_due(&world.engine), preflight::test_due(&second));
        assert_eq!(one.unwrap() + other.unwrap(), 1);
        assert_eq!(preflight::test_due(&world.engine).await.unwrap(), 0);
    }
    let checks = preflight::checks(&world.engine, &world.grant, "our-client").await.unwrap();
    assert!(found(&checks).values().all(|word| word == "good"), "{checks:?}");
    second.shutdown().await;
}

/// OpenID providers as the catalog has them, of which nothing could be told by a code that is none, and where a client can speak for itself.
fn telling_nothing() -> String {
    let manifest = include_str!("../../../providers/catalog/identity_openid.toml");
    let way = r#"[[credential]]
type = "o_auth_client"
kind = "o_auth_client"
title = "Client"
description = "A client of its own."
auth = { client_credentials = { server = "main" } }
place = "bearer"
revocation = { how = "none", manual = { steps = ["Delete the client."] } }

[server.main]
"#;
    let changed = manifest
        .replacen("[server.main]\n", way, 1)
        .replacen("[server.main.preflight]\n", "[server.main.preflight]\ntoken = { cannot_tell = { why = \"It answers all alike.\" } }\n", 1)
        .replacen("[sources]\n", "[sources]\n\"credential.o_auth_client\" = \"unverified\"\n", 1);
    assert!(changed.contains("o_auth_client") && changed.contains("all alike"));
    changed
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_code_tells_nothing_the_client_gets_a_token_of_its_own_which_is_thrown_away() {
    const CLIENT: &str = "client_credentials";
    let world = World::of_manifests(Client::Confidential, &[("identity_openid", &telling_nothing())]).await;
    // This one may not: that is no fault of the client, and nothing is told.
    let checks = test(&world).await;
    assert_eq!(found(&checks)[&(CheckKind::Client, "")], "cannot_tell");
    assert_eq!(world.peer.asked(CLIENT).await.last().unwrap()["error"], "invalid_request");

    let (id, secret) = world.peer.service_client();
    world.change_app(|app| (app.client_id, app.client_secret) = (id.to_owned(), Some(Secret::new(secret)))).await;
    let checks = test(&world).await;
    assert_eq!(found(&checks)[&(CheckKind::Client, "")], "good");
    assert_eq!(world.peer.asked(CLIENT).await.last().unwrap()["status"], 200);
    let ended = world.peer.asked_at("revocation").await;
    assert_eq!((ended.len(), ended[0]["kind"].as_str(), ended[0]["status"].as_u64()), (1, Some("ClientCredentials"), Some(200)), "{ended:?}");

    world.change_app(|app| app.client_secret = Some(Secret::new("not-the-client-secret"))).await;
    let checks = test(&world).await;
    assert_eq!(found(&checks)[&(CheckKind::Client, "")], "wrong_secret");
    assert!(!format!("{checks:?}").contains("not-the-client-secret"));
    assert!(world.peer.asked("authorization_code").await.is_empty(), "what tells nothing is not asked");
}

//! Testing a provider app without a person, judged by an authorization server that is not ours.

use std::collections::BTreeMap;

use patchbay_engine::preflight::{self, Checks};
use patchbay_engine::provider_app::{self, UpdateProviderApp};
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

/// The app as it is, with something else.
async fn change(world: &World, with: impl FnOnce(&mut UpdateProviderApp)) {
    let app = provider_app::get(&world.engine, &world.grant, "our-client").await.unwrap();
    let mut change = UpdateProviderApp {
        name: None,
        fullname: None,
        issuer: app.issuer,
        client_id: app.client_id,
        client_secret: None,
        redirect_uris: app.redirect_uris,
        scopes: app.scopes,
        secret_expires: None,
        expected: None,
    };
    with(&mut change);
    provider_app::update(&world.engine, &world.grant, "our-client", change).await.unwrap();
}

const LOOPBACK: &str = "http://127.0.0.1/oauth/callback";

#[tokio::test(flavor = "multi_thread")]
async fn a_good_app_is_told_from_each_kind_of_bad_one() {
    let world = World::with(Client::Confidential).await;
    let good = test(&world).await;
    assert_eq!(good.checks.len(), 5, "{:?}", good.checks);
    assert!(found(&good).values().all(|word| word == "good"), "{:?}", good.checks);

    change(&world, |app| app.client_secret = Some(Secret::new("not-the-client-secret"))).await;
    let before = preflight::checks(&world.engine, &world.grant, "our-client").await.unwrap();
    assert!(before.checks.is_empty(), "what was found is of the app as it was");
    let checks = test(&world).await;
    assert_eq!(found(&checks)[&(CheckKind::Client, "")], "wrong_secret");
    assert!(!format!("{checks:?}").contains("not-the-client-secret"));
    assert_eq!(found(&checks)[&(CheckKind::RedirectUri, LOOPBACK)], "good", "which nobody needs a secret for");
    change(&world, |app| app.client_id = "nobody".to_owned()).await;
    let checks = test(&world).await;
    assert_ne!(found(&checks)[&(CheckKind::Client, "")], "good");
    assert_eq!(found(&checks)[&(CheckKind::RedirectUri, LOOPBACK)], "unknown_client", "{checks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_uri_that_is_not_registered_and_a_scope_that_is_not_given_are_found() {
    let world = World::new().await;
    const ELSEWHERE: &str = "http://127.0.0.1/elsewhere";
    change(&world, |app| app.redirect_uris = vec![LOOPBACK.to_owned(), ELSEWHERE.to_owned()]).await;
    let checks = test(&world).await;
    let words = found(&checks);
    assert_eq!((words[&(CheckKind::RedirectUri, LOOPBACK)].as_str(), words[&(CheckKind::RedirectUri, ELSEWHERE)].as_str()), ("good", "redirect_mismatch"), "{checks:?}");
    assert_eq!(words[&(CheckKind::Scopes, "")], "good");
    let bad = checks.checks.iter().find(|check| check.subject == ELSEWHERE).unwrap();
    let CheckOutcome::Bad(explanation) = &bad.outcome else { panic!("{bad:?}") };
    assert_eq!(explanation.change.as_ref().unwrap().to.as_deref(), Some(ELSEWHERE));

    change(&world, |app| {
        app.client_id = world.peer.narrow_client().to_owned();
        app.redirect_uris = vec![LOOPBACK.to_owned()];
        app.scopes = vec!["openid".to_owned()];
    })
    .await;
    assert_eq!(found(&test(&world).await)[&(CheckKind::Scopes, "")], "good");
    change(&world, |app| app.scopes = vec!["openid".to_owned(), "email".to_owned()]).await;
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

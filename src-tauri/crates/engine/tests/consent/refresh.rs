//! Renewal: rotation, races, lost answers, crashes, withdrawal.

use std::time::Duration;

use patchbay_engine::consent;
use patchbay_model::consent::ConsentRoute;
use patchbay_model::deadline::MAIN_TOKEN;
use patchbay_model::integration::{AttentionCause, IntegrationStatus};
use patchbay_model::refresh::{Attempt, Flight, NewStep, RefreshReason, RefreshStep};
use patchbay_model::{Code, Origin};
use serde_json::json;
use uuid::Uuid;

use crate::world::World;

const HOUR: i64 = 3600;

async fn credential(world: &World) -> patchbay_model::CredentialId {
    world.now_integration().await.config["credential"]["value"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_renewed_in_time_and_again_with_the_rotated_token() {
    let world = World::new().await;
    world.connect().await;
    world.userinfo().await.unwrap();
    assert_eq!(world.peer.refreshes().await.len(), 0, "a fresh token needs no renewal");
    for round in 1..=3 {
        world.advance(HOUR * 2 / 3 + 5);
        assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
        let refreshes = world.peer.refreshes().await;
        assert_eq!(refreshes.len(), round, "renewed after two thirds of the life");
        assert!(refreshes.iter().all(|request| request["status"] == 200), "{refreshes:?}");
    }
    let store = world.bare_store().await;
    let mut tx = store.read_secrets(world.scope()).await.unwrap();
    let credential = credential(&world).await;
    assert_eq!(tx.flight(credential, MAIN_TOKEN).await.unwrap(), Flight::Idle);
    assert_eq!(tx.secrets().sealed_previous(credential, MAIN_TOKEN).await.unwrap(), None, "the new set has worked, so the old one is forgotten");
    let steps: Vec<_> = tx.refresh_steps(credential, 100).await.unwrap().into_iter().rev().map(|taken| taken.step).collect();
    let one = [RefreshStep::Intent, RefreshStep::Sent, RefreshStep::Granted, RefreshStep::Activated, RefreshStep::Proven];
    assert_eq!(steps.iter().map(|step| step.step).collect::<Vec<_>>(), [one, one, one].concat());
    for (old, new) in steps.iter().filter(|step| step.step == RefreshStep::Granted).zip(steps.iter().filter(|step| step.step == RefreshStep::Granted).skip(1)) {
        assert!(old.spent && old.next_fp == new.fp && old.fp != new.fp, "each token is sent once, and then the next one");
    }
    let (account, integration) = (world.integration.account_id.to_string(), world.integration.id.to_string());
    let journal = patchbay_engine::integration::journal(&world.engine, &world.grant, &account, &integration).await.unwrap();
    assert_eq!(journal.len(), 3);
    assert!(journal.iter().all(|attempt| (attempt.outcome, attempt.sends, attempt.reason) == (RefreshStep::Proven, 1, Some(RefreshReason::Due)) && attempt.steps.len() == 5));
    assert!(journal.windows(2).all(|pair| pair[0].before == pair[1].after && pair[0].before.is_some()), "the newest first, each with the token that the one before brought");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_provider_ends_early_is_renewed_once() {
    let world = World::new().await;
    world.connect().await;
    // A token that lives three seconds, taken by a clock that then goes back: we believe in it longer than the provider does.
    world.peer.set(json!({ "access_ttl": 3 })).await;
    world.advance(HOUR);
    world.userinfo().await.unwrap();
    let before = world.peer.refreshes().await.len();
    world.advance(-HOUR);
    tokio::time::sleep(Duration::from_millis(3200)).await;
    world.peer.set(json!({ "access_ttl": 3600 })).await;
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
    assert_eq!(world.peer.refreshes().await.len(), before + 1);
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tasks_of_two_processes_renew_exactly_once() {
    let world = World::new().await;
    world.connect().await;
    let other = world.second_engine().await;
    world.advance(HOUR + 60);
    let calls: Vec<_> = (0..16)
        .flat_map(|_| [world.engine.clone(), other.clone()])
        .map(|engine| {
            let integration = world.integration.clone();
            tokio::spawn(async move { engine.probe(&integration).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().name.as_deref(), Some("Ada Lovelace"));
    }
    let refreshes = world.peer.refreshes().await;
    assert_eq!(refreshes.len(), 1, "reuse detection would have revoked the whole grant: {refreshes:?}");
    world.advance(HOUR + 60);
    assert_eq!(other.probe(&world.integration).await.unwrap().name.as_deref(), Some("Ada Lovelace"), "the grant lives on");
    other.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_out_of_order_costs_nothing_while_the_old_token_works() {
    let world = World::new().await;
    world.connect().await;
    world.peer.set(json!({ "refuse_tokens": 2 })).await;
    world.advance(HOUR * 2 / 3 + 5);
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"), "the old token is still good");
    world.advance(HOUR);
    let problem = world.userinfo().await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderUnreachable, "{}", problem.message);
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"), "as soon as the provider is back, all is well");
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_not_hidden() {
    let world = World::new().await;
    world.connect().await;
    world.peer.set(json!({ "lose_answers": 1 })).await;
    world.advance(HOUR * 2 / 3 + 5);
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"), "the old access token is used up first");
    for _ in 0..3 {
        world.userinfo().await.unwrap();
    }
    assert_eq!(world.peer.refreshes().await.len(), 1, "a rotated token is not sent again while there is another way");
    world.advance(HOUR);
    let problem = world.userinfo().await.unwrap_err();
    assert_eq!(problem.code, Code::NeedsReconnect, "{}", problem.message);
    assert_eq!(world.now_integration().await.status, IntegrationStatus::NeedsAttention { cause: AttentionCause::RefreshUncertain });
    world.connect().await;
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Active, "a new consent mends it");
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_grant_needs_a_person() {
    let world = World::new().await;
    world.connect().await;
    world.peer.revoke().await;
    let problem = world.userinfo().await.unwrap_err();
    assert_eq!(problem.code, Code::NeedsReconnect, "{}", problem.message);
    assert_eq!(world.now_integration().await.status, IntegrationStatus::NeedsAttention { cause: AttentionCause::RefreshRefused });
    world.connect().await;
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_died_before_sending_is_taken_over() {
    let world = World::new().await;
    world.connect().await;
    let (credential, store) = (credential(&world).await, world.bare_store().await);
    // Of one whose death nobody can see the lease is waited out, and another is waited for no longer than its last request
    // may be on its way. Then the same refresh token is tried, which the provider never saw.
    for (number, witnessed, lease, waits) in [(1, false, 700, 600), (2, true, 100_000, 900)] {
        world.advance(HOUR + 60);
        let now = world.now();
        let attempt = Attempt {
            id: Uuid::from_u128(number),
            owner: "dead-process".to_owned(),
            until: now.plus(Duration::from_millis(lease)),
            witnessed,
            gone: None,
            fp: [7; 32],
            sends: 1,
            first_sent_at: now,
            since: now,
            reason: RefreshReason::Due,
        };
        let mut tx = store.write_secrets(world.scope(), Origin::Background).await.unwrap();
        let found = tx.credential(credential).await.unwrap().unwrap();
        let step = NewStep::of(attempt.id, &attempt.owner, RefreshStep::Intent, now).about(attempt.fp);
        tx.put_flight(&found, MAIN_TOKEN, &Flight::Sending(attempt), &[step], now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
        let waited = world.now().since(now);
        assert!(waited >= Duration::from_millis(waits) && waited < Duration::from_secs(60), "{waited:?}");
        assert_eq!(world.peer.refreshes().await.len(), usize::try_from(number).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_given_up_half_way_loses_nothing() {
    let world = World::new().await;
    world.connect().await;
    for _ in 0..10 {
        world.advance(HOUR + 60);
        // Given up at some moment of the renewal.
        let _ = tokio::time::timeout(Duration::from_millis(4), world.userinfo()).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
    let refreshes = world.peer.refreshes().await;
    assert!(refreshes.iter().all(|request| request["status"] == 200), "no token was used twice: {refreshes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_during_a_renewal_wins() {
    let world = World::new().await;
    world.connect().await;
    world.advance(HOUR + 60);
    let (call, ()) = tokio::join!(world.userinfo(), world.connect());
    // Whichever was first, the integration works afterwards and the newest grant is the one in force.
    let _ = call;
    world.advance(HOUR + 60);
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_lives_as_long_as_the_databases_clock_says() {
    let world = World::on_server().await;
    world.connect().await;
    world.advance(HOUR * 2 / 3 + 5);
    world.userinfo().await.unwrap();
    assert_eq!(world.peer.refreshes().await.len(), 1);
    // Due again, and still good, for both; by either clock of ours the time of the database is long over.
    world.advance(HOUR * 2 / 3 + 5);
    let other = world.second_engine_ahead(600).await;
    let lease = |ends: &str| {
        let done =
            world.psql(&format!("UPDATE patchbay.refresh_journal SET state = 'intent', owner = 'another', witnessed = false, sent_fp = NULL, lease_until = clock_timestamp() + interval '{ends}' RETURNING owner"));
        assert_eq!(done, "another", "there is one entry");
    };
    lease("5 minutes");
    for engine in [&world.engine, &other] {
        assert_eq!(engine.probe(&world.integration).await.unwrap().name.as_deref(), Some("Ada Lovelace"), "the old token is still good");
    }
    assert_eq!(world.peer.refreshes().await.len(), 1, "a lease that lives is another's, however late we think it is");
    lease("-1 seconds");
    assert_eq!(other.probe(&world.integration).await.unwrap().name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(world.peer.refreshes().await.len(), 1, "what it sent may have rotated the token, so the old one is used up first");
    world.advance(HOUR);
    assert_eq!(world.engine.probe(&world.integration).await.unwrap().name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(world.peer.refreshes().await.len(), 2, "and one that has ended is nobody's");
    other.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_does_not_mind_that_the_server_of_its_answer_is_ahead() {
    let world = World::on_server().await;
    let other = world.second_engine_ahead(900).await;
    let begun = world.begin(ConsentRoute::Browser).await;
    let callback = world.person(&begun, true).await;
    consent::finish_callback(&other, callback.as_str(), None).await.unwrap();
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Active);
    other.shutdown().await;
}

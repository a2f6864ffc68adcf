//! Taking access back at a real provider: RFC 7009 at `oidc-provider`, and the proof that it has ended.

use std::time::Duration;

use patchbay_engine::deletion;
use patchbay_engine::integration::{self, UpdateIntegration};
use patchbay_engine::revocation::{self, revoke_due};
use patchbay_engine::{CallerInfo, receipt};
use patchbay_model::end_user::Withdrawal;
use patchbay_model::integration::IntegrationStatus;
use patchbay_model::list::ListQuery;
use patchbay_model::refresh::RefreshStep;
use patchbay_model::revocation::{Revocation, RevocationHow, RevocationReason, RevocationState, RevocationStep};
use patchbay_model::{Code, Origin};
use serde_json::json;

use crate::world::{Client, World};

/// The only revocation that there is, when nothing more is done about it.
async fn at_its_end(world: &World) -> Revocation {
    let mut news = world.engine.subscribe();
    loop {
        revoke_due(&world.engine).await.unwrap();
        let rows = revocation::list(&world.engine, &world.grant, ListQuery::default()).await.unwrap().items;
        let [row] = rows.as_slice() else { panic!("there is not one revocation: {rows:?}") };
        if row.next_attempt_at.is_none() {
            return row.clone();
        }
        assert!(row.attempts < 2, "the provider does not take it: {:#?}", row.proof.events);
        tokio::time::timeout(Duration::from_secs(60), news.recv()).await.expect("somebody is at it").ok();
    }
}

async fn disconnect(world: &World) -> integration::Disconnected {
    integration::disconnect(&world.engine, &world.grant, &world.integration.account_id.to_string(), &world.integration.id.to_string()).await.unwrap()
}

/// Whether anything is kept of what was taken back.
async fn keeps_tokens(world: &World, row: &Revocation) -> bool {
    let store = world.bare_store().await;
    let mut tx = store.read_secrets(world.scope()).await.unwrap();
    tx.secrets().sealed_revocation(row.id).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_disconnected_ends_at_the_provider_and_that_is_proven() {
    for client in [Client::Public, Client::Confidential] {
        let world = World::with(client).await;
        world.connect().await;
        world.userinfo().await.unwrap();
        let done = disconnect(&world).await;
        assert_eq!(done.integration.status, IntegrationStatus::Revoked);
        let begun = done.revocation.expect("there was something to take back");
        assert_eq!((begun.state, begun.proof.how, begun.reason), (RevocationState::Pending, RevocationHow::Endpoint, RevocationReason::Disconnected));
        assert_eq!(world.userinfo().await.unwrap_err().code, Code::IntegrationNotActive);
        let end = at_its_end(&world).await;
        assert_eq!(end.state, RevocationState::Proven, "{:#?}", end.proof.events);
        let steps: Vec<_> = end.proof.events.iter().map(|event| event.step).collect();
        assert_eq!(steps, [RevocationStep::Sealed, RevocationStep::Taken, RevocationStep::Dead]);
        assert!(!keeps_tokens(&world, &end).await, "nothing is kept at the end");
        let store = world.bare_store().await;
        assert_eq!(store.verify_structure().await.unwrap(), []);
        // The same integration is connected again.
        world.connect().await;
        assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
        let now = world.now_integration().await;
        assert_eq!((now.id, now.status), (world.integration.id, IntegrationStatus::Active));
        let journal = integration::journal(&world.engine, &world.grant, &now.account_id.to_string(), &now.id.to_string()).await.unwrap();
        assert!(journal.iter().any(|attempt| attempt.outcome == RefreshStep::Revoked), "its tokens are known never to be sent again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_taken_back_when_nobody_can_undo_it_any_more() {
    let world = World::new().await;
    world.connect().await;
    let (account, id) = (world.integration.account_id.to_string(), world.integration.id.to_string());
    let listed = async || revocation::list(&world.engine, &world.grant, ListQuery::default()).await.unwrap().items;
    integration::delete(&world.engine, &world.grant, &account, &id).await.unwrap();
    deletion::purge_due(&world.engine).await.unwrap();
    assert_eq!(listed().await, [], "it can still be brought back");
    world.advance(601);
    deletion::purge_due(&world.engine).await.unwrap();
    let end = at_its_end(&world).await;
    assert_eq!((end.state, end.reason), (RevocationState::Proven, RevocationReason::Deleted), "{:#?}", end.proof.events);
    assert!(integration::get(&world.engine, &world.grant, &account, &id).await.is_err());
    assert_eq!(world.bare_store().await.verify_structure().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_can_take_it_back_at_once() {
    let world = World::new().await;
    world.connect().await;
    let (account, id) = (world.integration.account_id.to_string(), world.integration.id.to_string());
    let deletion = integration::delete_and_revoke(&world.engine, &world.grant, &account, &id).await.unwrap();
    assert_eq!(at_its_end(&world).await.state, RevocationState::Proven);
    deletion::undo(&world.engine, &world.grant, &deletion.id.to_string()).await.unwrap();
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Revoked, "what comes back has to be connected again");
    world.connect().await;
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_is_awaited_anew_is_not_taken_back() {
    let world = World::new().await;
    world.connect().await;
    let (account, id) = (world.integration.account_id.to_string(), world.integration.id.to_string());
    let change = UpdateIntegration {
        provider_config: json!({ "type": "identity_openid", "issuer": world.peer.issuer, "credential": { "type": "o_auth_user" } }),
        ..UpdateIntegration::default()
    };
    integration::update(&world.engine, &world.grant, &account, &id, change).await.unwrap();
    assert_eq!(world.userinfo().await.unwrap().as_deref(), Some("Ada Lovelace"), "one that is only awaited anew works on");
    assert_eq!(revocation::list(&world.engine, &world.grant, ListQuery::default()).await.unwrap().items, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_the_provider_does_not_take_is_tried_again_and_then_left_to_a_person() {
    let mut world = World::new().await;
    world.connect().await;
    world.peer.stop();
    let done = disconnect(&world).await;
    let id = done.revocation.unwrap().id.to_string();
    let mut rows = Vec::new();
    for turn in 0..6 {
        let mut news = world.engine.subscribe();
        let row = loop {
            revoke_due(&world.engine).await.unwrap();
            let row = revocation::get(&world.engine, &world.grant, &id).await.unwrap();
            if row.attempts > turn || row.state == RevocationState::Failed {
                break row;
            }
            tokio::time::timeout(Duration::from_secs(60), news.recv()).await.expect("somebody is at it").ok();
        };
        if let Some(next) = row.next_attempt_at {
            assert!(keeps_tokens(&world, &row).await);
            world.advance(i64::try_from(next.since(world.now()).as_secs()).unwrap() + 1);
        }
        rows.push(row);
    }
    let end = rows.pop().unwrap();
    assert_eq!(end.state, RevocationState::Failed, "{:#?}", end.proof.events);
    assert!(end.needs_person() && !end.proof.manual.is_empty() && !keeps_tokens(&world, &end).await);
    let refused = revocation::retry(&world.engine, &world.grant, &id).await.unwrap_err();
    assert_eq!(refused.code, Code::InvalidRequest, "nothing is kept to ask with");
    assert!(!revocation::confirm(&world.engine, &world.grant, &id).await.unwrap().needs_person());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_what_it_agreed_to_and_takes_it_back() {
    let world = World::new().await;
    world.connect().await;
    let (account, id) = (world.integration.account_id.to_string(), world.integration.id.to_string());
    let listed = async || receipt::list(&world.engine, &world.grant, &account, &id).await.unwrap();
    let before = listed().await;
    let [shown] = before.as_slice() else { panic!("one consent has one receipt: {before:?}") };
    assert!(shown.granted.iter().any(|granted| granted.scope == "email" && granted.words.as_deref() == Some("See your e-mail address")), "{:?}", shown.granted);
    assert_eq!(shown.person.as_ref().map(|person| person.fullname.to_string()).as_deref(), Some("Ada Lovelace"));

    let made = receipt::link(&world.engine, &world.grant, &account, &id).await.unwrap();
    let open = receipt::open(&world.engine, made.secret.expose()).await.unwrap();
    assert_eq!((open.receipt.id, open.organization.fullname.to_string().as_str(), open.manual.is_empty()), (shown.receipt.id, "Acme Tools", false));
    let wrong = format!("{}x", &made.secret.expose()[..made.secret.expose().len() - 1]);
    assert_eq!(receipt::open(&world.engine, &wrong).await.err().unwrap().code, Code::LinkInvalid);

    receipt::withdraw(&world.engine, &open, &CallerInfo::local(Origin::Web)).await.unwrap();
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Revoked);
    let end = at_its_end(&world).await;
    assert_eq!((end.state, end.reason, end.receipt_id), (RevocationState::Proven, RevocationReason::Withdrawn, Some(open.receipt.id)));
    let after = receipt::open(&world.engine, made.secret.expose()).await.unwrap();
    assert_eq!((after.receipt.withdrawn_by, after.revocation.map(|revocation| revocation.id)), (Some(Withdrawal::Person), Some(end.id)));
    // Once more changes nothing.
    receipt::withdraw(&world.engine, &open, &CallerInfo::local(Origin::Web)).await.unwrap();
    assert_eq!(revocation::list(&world.engine, &world.grant, ListQuery::default()).await.unwrap().items.len(), 1);
    // A later consent is another one, which the link of the first does not take back.
    world.connect().await;
    receipt::withdraw(&world.engine, &open, &CallerInfo::local(Origin::Web)).await.unwrap();
    assert_eq!(world.now_integration().await.status, IntegrationStatus::Active);
}

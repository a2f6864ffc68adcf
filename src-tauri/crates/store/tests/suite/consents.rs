//! A consent is used once, whoever asks and however many at once.

use patchbay_model::consent::{ConnectLeg, ConnectSession, ConnectState, ConsentRoute, LegState, Place as Offered};
use patchbay_model::*;
use patchbay_store::LegOpening;

use crate::place::*;

#[tokio::test]
async fn a_callback_is_taken_once() {
    on_every_backend(async |place| {
        let session = &place.ours.accounts[0].session;
        let other = place.second_handle().await;
        let mut tasks = Vec::new();
        for number in 0..8 {
            let store = if number % 2 == 0 { place.store.clone() } else { other.clone() };
            let (scope, id) = (place.ours.within(0), session.id);
            tasks.push(tokio::spawn(async move {
                uncontended!({
                    let mut tx = store.write_secrets(scope, Origin::Web).await?;
                    let taken = tx.begin_exchange(id, None, time(1)).await?;
                    tx.commit().await?;
                    Ok(taken.is_some())
                })
            }));
        }
        let mut taken = 0;
        for task in tasks {
            taken += u32::from(task.await.unwrap());
        }
        assert_eq!(taken, 1, "of eight callbacks one is taken");

        let mut tx = place.write().await;
        assert_eq!(tx.connect_session(session.id).await.unwrap().unwrap().state, ConnectState::Exchanging);
        assert!(tx.end_connect_session(session.id, ConnectState::Completed, None, time(2)).await.unwrap());
        assert!(!tx.end_connect_session(session.id, ConnectState::Cancelled, None, time(3)).await.unwrap(), "what is complete stays so");
        assert_eq!(tx.begin_exchange(session.id, None, time(3)).await.unwrap(), None, "a replay");
        assert_eq!(tx.secrets().sealed_connect_verifier(session.id).await.unwrap(), None, "the verifier is forgotten");
        assert_eq!(tx.connect_session_by_state(&hash(session.id, "state")).await.unwrap().unwrap().state, ConnectState::Completed, "a replay can be told from the unknown");
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_choice_keeps_what_it_brought_until_it_ends() {
    on_every_backend(async |place| {
        let session = &place.ours.accounts[0].session;
        let places = ["one", "two"].map(|id| Offered { id: id.to_owned(), name: format!("Place {id}") });
        let mut tx = place.write().await;
        assert!(!tx.await_choice(session, &places, &envelope("tokens"), time(1200), time(1)).await.unwrap(), "there was no exchange");
        tx.begin_exchange(session.id, None, time(1)).await.unwrap().unwrap();
        assert!(tx.await_choice(session, &places, &envelope("tokens"), time(1200), time(2)).await.unwrap());
        assert!(!tx.await_choice(session, &[], &envelope("others"), time(9000), time(3)).await.unwrap(), "once");
        tx.commit().await.unwrap();

        let mut tx = place.write().await;
        let waits = tx.connect_session(session.id).await.unwrap().unwrap();
        assert_eq!((waits.state, waits.places.as_slice(), waits.expires), (ConnectState::Choosing, places.as_slice(), time(1200)));
        assert_eq!(tx.secrets().sealed_connect_verifier(session.id).await.unwrap(), Some(envelope("tokens")));
        assert_eq!(tx.begin_exchange(session.id, None, time(4)).await.unwrap(), None, "an answer is taken once");
        tx.expire_connect_sessions(time(5000)).await.unwrap();
        assert_eq!(tx.connect_session(session.id).await.unwrap().unwrap().state, ConnectState::Choosing, "tokens are not dropped unseen");
        assert_eq!(tx.abandoned_choices(time(1199)).await.unwrap(), []);
        assert_eq!(tx.abandoned_choices(time(1200)).await.unwrap().iter().map(|session| session.id).collect::<Vec<_>>(), [session.id]);
        assert!(tx.end_connect_session(session.id, ConnectState::Completed, None, time(5)).await.unwrap());
        let over = tx.connect_session(session.id).await.unwrap().unwrap();
        assert_eq!((over.state, over.places.len()), (ConnectState::Completed, 0));
        assert_eq!(tx.secrets().sealed_connect_verifier(session.id).await.unwrap(), None);
        assert!(!tx.end_connect_session(session.id, ConnectState::Cancelled, None, time(6)).await.unwrap());
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_consent_ends_in_one_of_its_ways() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let (first, second) = (&ours.accounts[0], &ours.accounts[1]);
        let mut tx = place.write().await;
        assert!(!tx.end_connect_session(first.session.id, ConnectState::Completed, None, time(1)).await.unwrap(), "not without an exchange");
        assert!(tx.end_connect_session(first.session.id, ConnectState::Failed { code: Code::ConsentDenied }, Some("The person refused."), time(1)).await.unwrap());
        let failed = tx.connect_session(first.session.id).await.unwrap().unwrap();
        assert_eq!((failed.state, failed.message.as_deref()), (ConnectState::Failed { code: Code::ConsentDenied }, Some("The person refused.")));

        assert_eq!(tx.begin_exchange(second.session.id, None, time(600)).await.unwrap(), None, "its time is over");
        let newer = session(&second.integration, ours.app.id, ours.member.id);
        tx.insert_connect_session(&newer, &hash(newer.id, "state"), None).await.unwrap();
        assert_eq!(tx.connect_session(second.session.id).await.unwrap().unwrap().state, ConnectState::Cancelled, "only the newest link works");
        assert_eq!(tx.expire_connect_sessions(time(599)).await.unwrap(), 0);
        assert_eq!(tx.expire_connect_sessions(time(600)).await.unwrap(), 1);
        assert_eq!(tx.connect_session(newer.id).await.unwrap().unwrap().state, ConnectState::Failed { code: Code::ConsentExpired });
        assert_eq!(tx.connect_session_by_state(b"forged").await.unwrap(), None);
        tx.commit().await.unwrap();
        let mut tx = place.store.write_secrets(Scope::System, Origin::Background).await.unwrap();
        assert_eq!(tx.remove_ended_connect_sessions(time(1)).await.unwrap(), 1, "the one that was replaced at the very beginning");
        assert_eq!(tx.remove_ended_connect_sessions(time(1000)).await.unwrap(), 2);
        tx.commit().await.unwrap();
    })
    .await;
}

/// A leg of a session that nobody has opened yet.
fn leg(session: &ConnectSession) -> ConnectLeg {
    ConnectLeg {
        id: ConnectLegId::from_uuid(uuid()),
        organization_id: session.organization_id,
        account_id: session.account_id,
        session_id: session.id,
        number: 1,
        route: ConsentRoute::Link,
        redirect_uri: session.redirect_uri.clone(),
        state: LegState::Prepared,
        browser_hash: None,
        device: None,
        expires: session.expires,
        created_at: session.created_at,
        updated_at: session.updated_at,
    }
}

#[tokio::test]
async fn a_browser_finds_the_consent_that_it_is_bound_to_and_no_other() {
    on_every_backend(async |place| {
        let (first, second) = (&place.ours.accounts[0].session, &place.ours.accounts[1].session);
        let (hers, others) = (hash("her browser", "browser"), hash("another browser", "browser"));
        let (bound, free) = (leg(first), leg(second));
        let mut tx = place.write().await;
        for leg in [&bound, &free] {
            tx.insert_connect_leg(leg, Some(&hash(leg.id, "ticket"))).await.unwrap();
        }
        tx.bind_connect_legs(first.id, &hers).await.unwrap();
        tx.bind_connect_legs(first.id, &others).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = place.store.read(Scope::System).await.unwrap();
        assert_eq!(tx.connect_session_of_browser(first.id, &hers).await.unwrap().map(|session| session.id), Some(first.id));
        for (session, browser) in [(first.id, &others), (second.id, &hers), (second.id, &others), (ConnectSessionId::from_uuid(uuid()), &hers)] {
            assert_eq!(tx.connect_session_of_browser(session, browser).await.unwrap(), None, "whoever came first has it, and nobody else");
        }
        drop(tx);

        let sealed = envelope("secrets");
        let open = |browser| LegOpening { browser_hash: Some(browser), state_hash: b"state", secrets: &sealed };
        let mut tx = place.write().await;
        assert!(!tx.open_connect_leg(bound.id, &open(&others[..]), time(1)).await.unwrap(), "it is bound before anybody has opened it");
        assert!(tx.open_connect_leg(bound.id, &open(&hers[..]), time(1)).await.unwrap());
        // What is over is nobody's to take any more.
        assert!(tx.end_connect_session(second.id, ConnectState::Cancelled, None, time(2)).await.unwrap());
        tx.bind_connect_legs(second.id, &hers).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = place.store.read(Scope::System).await.unwrap();
        assert_eq!(tx.connect_session_of_browser(second.id, &hers).await.unwrap(), None);
    })
    .await;
}

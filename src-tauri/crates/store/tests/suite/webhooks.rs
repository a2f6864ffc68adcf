//! Webhooks with their outbox, and what calls leave behind.

use std::time::Duration;

use patchbay_model::credential::{CredentialOwner, SealedAt};
use patchbay_model::deletion::UNDO_WINDOW;
use patchbay_model::list::ListQuery;
use patchbay_model::status::{CallSums, MinuteUse};
use patchbay_model::webhook::{Attempt, Delivery, DeliveryState, OrganizationWebhook, WebhookFilter};
use patchbay_model::*;
use patchbay_store::{Outcome, StoreError, Turn, Usage};

use crate::place::*;

const LOST: &str = "lost";

async fn hook(place: &Place, tenant: &Tenant, text: &str) -> OrganizationWebhook {
    let shared = SharedCredentialId::from_uuid(uuid());
    let id = WebhookId::from_uuid(uuid());
    let signing = credential(tenant.organization.id, CredentialOwner::OrganizationWebhook(id), SealedAt::Shared(shared), "signing-secret");
    let hook = OrganizationWebhook {
        id,
        organization_id: tenant.organization.id,
        name: name(text),
        fullname: fullname(text),
        environment: tenant.accounts[0].account.environment,
        filters: vec![WebhookFilter::All],
        url: "https://hooks.example.com/".to_owned(),
        credential_id: signing.id,
        created_at: time(0),
        updated_at: time(0),
    };
    let mut tx = place.store.write_secrets(tenant.scope(), Origin::Api).await.unwrap();
    tx.insert_webhook(&hook).await.unwrap();
    tx.insert_sealed_shared(shared, None, &envelope("hook"), time(0)).await.unwrap();
    tx.insert_credential(&signing).await.unwrap();
    tx.commit().await.unwrap();
    hook
}

fn delivery(hook: &OrganizationWebhook, account: &AccountId, at: Timestamp) -> Delivery {
    Delivery {
        id: DeliveryId::from_uuid(uuid()),
        organization_id: hook.organization_id,
        webhook_id: hook.id,
        account_id: Some(*account),
        integration_id: None,
        event: WebhookFilter::AccountUpdate,
        state: DeliveryState::Pending,
        attempts: 0,
        next_attempt_at: at,
        last_status: None,
        last_error: None,
        redelivery_of: None,
        delivered_at: None,
        created_at: at,
        updated_at: at,
    }
}

fn attempt(number: u32, at: Timestamp, status: u16) -> Attempt {
    Attempt { number, created_at: at, status: Some(status), error: (status >= 300).then(|| "no".to_owned()), response: None, duration_ms: 3 }
}

#[tokio::test]
async fn a_delivery_is_one_processs_at_a_time_and_lost_by_none() {
    on_every_backend(async |place| {
        let customer = &place.ours.accounts[0];
        let hook = hook(place, &place.ours, "hook").await;
        let (first, second) = (delivery(&hook, &customer.account.id, time(1)), delivery(&hook, &customer.account.id, time(2)));
        // The outbox is written in the change's own scope.
        let mut tx = place.store.write_secrets(place.ours.within(0), Origin::Api).await.unwrap();
        tx.insert_delivery(&second, "{\"n\":2}", None).await.unwrap();
        tx.insert_delivery(&first, "{\"n\":1}", None).await.unwrap();
        tx.commit().await.unwrap();
        let due = place.store.read_secrets(Scope::System).await.unwrap().due_webhooks().await.unwrap();
        assert_eq!(due.iter().map(|due| (due.webhook_id, due.due)).collect::<Vec<_>>(), [(hook.id, time(1))]);

        let mut tx = place.write().await;
        let claimed = tx.claim_delivery(hook.id, "a", time(10), time(30), LOST).await.unwrap().unwrap();
        assert_eq!((claimed.id, claimed.attempts, claimed.state), (first.id, 1, DeliveryState::Sending));
        assert_eq!(tx.claim_delivery(hook.id, "b", time(11), time(31), LOST).await.unwrap(), None, "one at a time, so that they stay in order");
        tx.commit().await.unwrap();
        let due = place.store.read_secrets(Scope::System).await.unwrap().due_webhooks().await.unwrap();
        assert_eq!(due[0].due, time(30), "when the lease ends");

        let mut tx = place.write().await;
        let next = tx.claim_delivery(hook.id, "b", time(31), time(50), LOST).await.unwrap().unwrap();
        assert_eq!(next.id, second.id, "the lease has ended, and the other one was due before");
        assert!(tx.finish_delivery(second.id, "b", &attempt(1, time(32), 200), &Outcome::Delivered).await.unwrap());
        let again = tx.claim_delivery(hook.id, "b", time(33), time(53), LOST).await.unwrap().unwrap();
        assert_eq!((again.id, again.attempts), (first.id, 2));
        assert!(!tx.finish_delivery(first.id, "a", &attempt(1, time(34), 200), &Outcome::Delivered).await.unwrap(), "the first owner comes too late");
        assert!(tx.finish_delivery(first.id, "b", &attempt(2, time(35), 500), &Outcome::Again(time(90))).await.unwrap());
        tx.commit().await.unwrap();
        let mut tx = place.store.read_secrets(place.ours.scope()).await.unwrap();
        let waiting = tx.delivery(hook.id, first.id).await.unwrap().unwrap();
        assert_eq!((waiting.state, waiting.next_attempt_at, waiting.last_status), (DeliveryState::Pending, time(90), Some(500)));
        let log = tx.delivery_attempts(first.id).await.unwrap();
        assert_eq!(log.iter().map(|attempt| (attempt.number, attempt.status)).collect::<Vec<_>>(), [(1, Some(200)), (2, Some(500))], "what it came to is known after all");
        assert_eq!(tx.delivery_payload(first.id).await.unwrap(), "{\"n\":1}");
        assert_eq!(tx.count_pending_deliveries(hook.id).await.unwrap(), 1);
        drop(tx);

        let mut tx = place.write().await;
        tx.claim_delivery(hook.id, "b", time(91), time(120), LOST).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let mut tx = place.store.write_secrets(Scope::System, Origin::Background).await.unwrap();
        assert_eq!(tx.release_deliveries("b", time(92), "shut down").await.unwrap(), 1);
        assert_eq!(tx.remove_old_deliveries(time(32)).await.unwrap(), 0, "not yet");
        assert_eq!(tx.remove_old_deliveries(time(1000)).await.unwrap(), 1, "what waits stays");
        tx.commit().await.unwrap();
        let mut tx = place.write().await;
        let taken = tx.claim_delivery(hook.id, "c", time(93), time(120), LOST).await.unwrap().unwrap();
        assert_eq!((taken.attempts, tx.delivery_attempts(first.id).await.unwrap().len()), (4, 3), "given back at once, and written down");
        drop(tx);
        assert_eq!(place.store.verify_structure().await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn webhooks_are_their_organizations_alone_and_come_back_with_their_secret() {
    on_every_backend(async |place| {
        let (ours, theirs) = (hook(place, &place.ours, "hook").await, hook(place, &place.theirs, "hook").await);
        let sent = delivery(&ours, &place.ours.accounts[0].account.id, time(1));
        let mut tx = place.write().await;
        tx.insert_delivery(&sent, "{}", None).await.unwrap();
        tx.commit().await.unwrap();
        let twin = OrganizationWebhook { id: WebhookId::from_uuid(uuid()), ..ours.clone() };
        assert!(matches!(attempt!(place.store, place.ours.scope(), |tx| tx.insert_webhook(&twin)), Err(StoreError::NameTaken { .. })));
        let mut tx = place.store.read_secrets(place.theirs.scope()).await.unwrap();
        assert_eq!((tx.webhook(ours.id).await.unwrap(), tx.find_webhook("hook").await.unwrap().map(|hook| hook.id)), (None, Some(theirs.id)));
        assert_eq!(tx.credential(ours.credential_id).await.unwrap(), None);
        assert_eq!(tx.delivery(ours.id, sent.id).await.unwrap(), None);
        assert!(tx.deliveries(ours.id, &ListQuery::default()).await.unwrap().items.is_empty());
        assert!(tx.delivery_payload(sent.id).await.is_err());
        drop(tx);
        let mut tx = place.store.read_secrets(place.ours.within(0)).await.unwrap();
        assert!(matches!(tx.webhook(ours.id).await, Err(StoreError::WrongScope { .. })), "an account does not see who is told of it");
        assert_eq!(tx.credential(ours.credential_id).await.unwrap(), None);
        let told = tx.webhooks_of(place.ours.accounts[0].account.id, None).await.unwrap();
        assert_eq!(told.iter().map(|hook| hook.id).collect::<Vec<_>>(), [ours.id]);
        drop(tx);

        let id = DeletionId::from_uuid(uuid());
        let mut tx = place.write().await;
        tx.delete_webhook(ours.id, id, time(100)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(place.store.read_secrets(Scope::System).await.unwrap().due_webhooks().await.unwrap().is_empty(), "nothing more is sent");
        let mut tx = place.write().await;
        assert_eq!(tx.credential(ours.credential_id).await.unwrap(), None);
        assert_eq!(tx.claim_delivery(ours.id, "a", time(101), time(120), LOST).await.unwrap(), None);
        tx.undo_deletion(id, time(0)).await.unwrap();
        assert_eq!(tx.webhook(ours.id).await.unwrap(), Some(ours.clone()));
        let signing = tx.credential(ours.credential_id).await.unwrap().unwrap();
        assert_eq!(tx.secrets().sealed_credential(&signing).await.unwrap(), Some(envelope("hook")));
        assert!(tx.claim_delivery(ours.id, "a", time(101), time(120), LOST).await.unwrap().is_some(), "what waited goes on");
        tx.delete_webhook(ours.id, DeletionId::from_uuid(uuid()), time(200)).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = place.store.write_secrets(Scope::System, Origin::Background).await.unwrap();
        tx.purge_deleted(time(201).plus(UNDO_WINDOW)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(place.store.verify_structure().await.unwrap(), []);
        let mut tx = place.store.read_secrets(place.ours.scope()).await.unwrap();
        assert!(tx.delivery_payload(sent.id).await.is_err(), "its deliveries went along");
    })
    .await;
}

#[tokio::test]
async fn minutes_and_turns_add_up_over_batches_and_end() {
    on_every_backend(async |place| {
        let customer = &place.ours.accounts[0];
        let (account, integration) = (customer.account.id, customer.integration.id);
        let turn = |at: i64, code: Option<&str>, request: u64| Turn {
            id: StatusEventId::from_uuid(uuid()),
            at: time(at),
            status: "active".to_owned(),
            failure: code.map(|code| (code.to_owned(), "words".to_owned())),
            request,
        };
        let usage = |minute: i64, turns: Vec<Turn>| {
            let used = CallSums { requests: 3, failed: 1, in_bytes: 10, ..CallSums::default() };
            Usage {
                organization_id: place.ours.organization.id,
                account_id: account,
                integration_id: integration,
                last_used_at: time(minute),
                last_connected_at: None,
                used,
                minutes: vec![MinuteUse { minute: time(minute), used }],
                turns,
            }
        };
        place.store.flush_usage(&[usage(0, vec![turn(1, None, 1), turn(2, Some("x"), 2), turn(3, Some("x"), 3)])]).await.unwrap();
        // Another process knows no better and tells the same.
        place.store.flush_usage(&[usage(0, vec![turn(4, Some("x"), 1), turn(5, Some("y"), 2), turn(6, None, 3)])]).await.unwrap();
        place.store.flush_usage(&[usage(60, vec![turn(61, None, 1)])]).await.unwrap();
        let mut tx = place.store.read_secrets(place.ours.scope()).await.unwrap();
        let events = tx.status_events(account, integration, &ListQuery::default()).await.unwrap().items;
        let told: Vec<(u64, Option<&str>)> = events.iter().map(|event| (event.request, event.code.as_deref())).collect();
        assert_eq!(told, [(2, Some("x")), (5, Some("y")), (6, None)], "what is news, by the number of the call");
        let minutes = tx.status_minutes(None, time(0), time(120)).await.unwrap();
        assert_eq!(minutes.iter().map(|minute| (minute.minute, minute.used.requests, minute.used.failed)).collect::<Vec<_>>(), [(time(0), 6, 2), (time(60), 3, 1)]);
        assert_eq!(tx.status_minutes(None, time(1), time(60)).await.unwrap(), [], "from the first moment to before the last");
        assert_eq!(tx.integration_state(integration).await.unwrap().unwrap().used.requests, 9);
        drop(tx);
        let mut tx = place.store.read_secrets(place.theirs.scope()).await.unwrap();
        assert!(tx.status_minutes(Some(integration), time(0), time(120)).await.unwrap().is_empty() && tx.integration_state(integration).await.unwrap().is_none());
        assert!(tx.status_events(account, integration, &ListQuery::default()).await.unwrap().items.is_empty());
        drop(tx);
        let mut tx = place.store.write_secrets(Scope::System, Origin::Background).await.unwrap();
        assert_eq!(tx.remove_old_status(time(30), time(4)).await.unwrap(), 2, "a minute and an event");
        tx.commit().await.unwrap();
        let mut tx = place.write().await;
        tx.reset_status(integration, time(200)).await.unwrap();
        let state = tx.integration_state(integration).await.unwrap().unwrap();
        assert_eq!((state.used, state.counted_since), (CallSums::default(), time(200)));
        assert!(tx.status_minutes(None, time(0), time(0).plus(Duration::from_secs(600))).await.unwrap().is_empty());
        tx.commit().await.unwrap();
        assert_eq!(place.store.verify_structure().await.unwrap(), []);
    })
    .await;
}

//! Refreshes: one at a time over all processes, and nothing lost when one dies.

use patchbay_model::*;
use patchbay_store::{RefreshLease, RefreshState, StoreError};
use uuid::Uuid;

use crate::place::*;

#[tokio::test]
async fn of_many_that_ask_one_gets_the_lease() {
    on_every_backend(async |place| {
        let credential = place.ours.accounts[0].credential.id;
        let other = place.second_handle().await;
        let mut tasks = Vec::new();
        for number in 0..8_u32 {
            let store = if number % 2 == 0 { place.store.clone() } else { other.clone() };
            let scope = place.ours.within(0);
            tasks.push(tokio::spawn(async move {
                uncontended!({
                    let mut tx = store.write_secrets(scope, Origin::Background).await?;
                    let lease = tx.acquire_refresh(credential, &format!("process {number}"), Uuid::from_u128(number.into()), time(0), time(30)).await?;
                    tx.commit().await?;
                    Ok(matches!(lease, RefreshLease::Acquired { .. }))
                })
            }));
        }
        let mut acquired = 0;
        for task in tasks {
            acquired += u32::from(task.await.unwrap());
        }
        assert_eq!(acquired, 1);
    })
    .await;
}

#[tokio::test]
async fn an_answer_becomes_current_in_one_step_and_the_old_set_is_kept_until_proven() {
    on_every_backend(async |place| {
        let mut credential = place.ours.accounts[0].credential.clone();
        let intent = uuid();
        let mut tx = place.write().await;
        assert_eq!(tx.acquire_refresh(credential.id, "a", intent, time(0), time(30)).await.unwrap(), RefreshLease::Acquired { before: None });
        tx.commit().await.unwrap();
        let mut tx = place.write().await;
        tx.record_refresh_intent(credential.id, intent, time(1)).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = place.write().await;
        credential.expires = Some(time(3600));
        tx.activate_refresh(&credential, intent, &envelope("new set"), time(2)).await.unwrap();
        tx.rollback().await.unwrap();
        let mut tx = place.store.read_secrets(place.ours.scope()).await.unwrap();
        let entry = tx.secrets().sealed_refresh_entry(credential.id).await.unwrap().unwrap();
        assert_eq!((entry.state, entry.previous), (RefreshState::Intent, Some(envelope("own of one"))), "half an activation is none");
        assert_eq!(tx.secrets().sealed_credential(&credential).await.unwrap(), Some(envelope("own of one")));
        drop(tx);

        let mut tx = place.write().await;
        tx.activate_refresh(&credential, intent, &envelope("new set"), time(2)).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = place.write().await;
        assert_eq!(tx.secrets().sealed_credential(&credential).await.unwrap(), Some(envelope("new set")));
        assert_eq!(tx.credential(credential.id).await.unwrap().unwrap().expires, Some(time(3600)));
        let entry = tx.secrets().sealed_refresh_entry(credential.id).await.unwrap().unwrap();
        assert_eq!((entry.state, entry.previous), (RefreshState::Activated, Some(envelope("own of one"))));
        assert!(matches!(tx.activate_refresh(&credential, intent, &envelope("again"), time(3)).await, Err(StoreError::Busy)), "an answer is stored once");
        tx.settle_refresh(credential.id, time(4)).await.unwrap();
        assert_eq!(tx.secrets().sealed_refresh_entry(credential.id).await.unwrap().unwrap().previous, None);
        assert!(!tx.restore_refresh(credential.id, time(5)).await.unwrap(), "nothing is left to restore");
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_ended_is_taken_over_with_what_was_left() {
    on_every_backend(async |place| {
        let credential = place.ours.accounts[0].credential.clone();
        let (first, second) = (uuid(), uuid());
        let mut tx = place.write().await;
        tx.acquire_refresh(credential.id, "dies", first, time(0), time(30)).await.unwrap();
        tx.record_refresh_intent(credential.id, first, time(1)).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = place.write().await;
        match tx.acquire_refresh(credential.id, "next", second, time(29), time(59)).await.unwrap() {
            RefreshLease::Held { owner, until } => assert_eq!((owner.as_str(), until), ("dies", time(30))),
            other => panic!("the lease has not ended, but found {other:?}"),
        }
        match tx.acquire_refresh(credential.id, "next", second, time(31), time(61)).await.unwrap() {
            RefreshLease::Acquired { before: Some(entry) } => assert_eq!((entry.state, entry.intent_id, entry.owner.as_str()), (RefreshState::Intent, first, "dies")),
            other => panic!("the lease has ended, but found {other:?}"),
        }
        tx.commit().await.unwrap();

        let mut tx = place.write().await;
        assert!(matches!(tx.activate_refresh(&credential, first, &envelope("late"), time(32)).await, Err(StoreError::Busy)), "who lost the lease cannot activate");
        assert!(matches!(tx.record_refresh_intent(credential.id, first, time(32)).await, Err(StoreError::Busy)));
        tx.record_refresh_intent(credential.id, second, time(33)).await.unwrap();
        tx.activate_refresh(&credential, second, &envelope("does not work"), time(34)).await.unwrap();
        assert!(tx.restore_refresh(credential.id, time(35)).await.unwrap());
        assert_eq!(tx.secrets().sealed_credential(&credential).await.unwrap(), Some(envelope("own of one")), "the set before is current again");
        tx.commit().await.unwrap();

        let mut tx = place.write().await;
        let third = uuid();
        tx.acquire_refresh(credential.id, "next", third, time(40), time(70)).await.unwrap();
        tx.record_refresh_intent(credential.id, third, time(41)).await.unwrap();
        tx.abandon_refresh(credential.id, third, time(42)).await.unwrap();
        let entry = tx.secrets().sealed_refresh_entry(credential.id).await.unwrap().unwrap();
        assert_eq!((entry.state, entry.previous), (RefreshState::Settled, None));
        let lease = tx.acquire_refresh(credential.id, "another", uuid(), time(43), time(73)).await.unwrap();
        assert!(matches!(lease, RefreshLease::Acquired { .. }), "what was given back is free at once");
    })
    .await;
}

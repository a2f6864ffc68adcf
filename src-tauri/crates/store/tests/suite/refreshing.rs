//! Renewals: one at a time over all processes, nothing lost when one dies, and no token sent twice that has an outcome.

use patchbay_model::deadline::MAIN_TOKEN;
use patchbay_model::refresh::{Attempt, Flight, NewStep, RefreshReason, RefreshStep};
use patchbay_model::*;
use patchbay_store::StoreError;
use uuid::Uuid;

use crate::place::*;

fn attempt(id: u128, owner: &str, fp: u8, at: i64) -> Attempt {
    Attempt {
        id: Uuid::from_u128(id),
        owner: owner.to_owned(),
        until: time(at + 30),
        witnessed: true,
        gone: None,
        fp: [fp; 32],
        sends: 1,
        first_sent_at: time(at),
        since: time(at),
        reason: RefreshReason::Due,
    }
}

fn intent(attempt: &Attempt) -> NewStep {
    NewStep::of(attempt.id, &attempt.owner, RefreshStep::Intent, attempt.first_sent_at).about(attempt.fp)
}

#[tokio::test]
async fn of_many_that_begin_one_may_send() {
    on_every_backend(async |place| {
        let credential = place.ours.accounts[0].credential.clone();
        let other = place.second_handle().await;
        let mut tasks = Vec::new();
        for number in 0..8_u128 {
            let store = if number % 2 == 0 { place.store.clone() } else { other.clone() };
            let (scope, credential) = (place.ours.within(0), credential.clone());
            tasks.push(tokio::spawn(async move {
                uncontended!({
                    let mut tx = store.write_secrets(scope, Origin::Background).await?;
                    let flight = tx.flight(credential.id, MAIN_TOKEN).await?;
                    let Some(begun) = flight.begin(attempt(number + 1, &format!("process {number}"), 1, 0)) else { return Ok(false) };
                    let step = intent(&begun);
                    tx.put_flight(&credential, MAIN_TOKEN, &Flight::Sending(begun), &[step], time(0)).await?;
                    tx.commit().await?;
                    Ok::<_, StoreError>(true)
                })
            }));
        }
        let mut begun = 0;
        for task in tasks {
            begun += u32::from(task.await.unwrap());
        }
        assert_eq!(begun, 1);
        let mut tx = place.store.read(place.ours.scope()).await.unwrap();
        assert_eq!(tx.refresh_steps(credential.id, 100).await.unwrap().len(), 1, "and one intent is written down");
    })
    .await;
}

#[tokio::test]
async fn an_answer_becomes_current_in_one_step_and_the_old_set_is_kept_until_proven() {
    on_every_backend(async |place| {
        let mut credential = place.ours.accounts[0].credential.clone();
        let ours = attempt(1, "a", 1, 1);
        let mut tx = place.write().await;
        assert_eq!(tx.flight(credential.id, MAIN_TOKEN).await.unwrap(), Flight::Idle);
        tx.put_flight(&credential, MAIN_TOKEN, &Flight::Sending(ours.clone()), &[intent(&ours)], time(1)).await.unwrap();
        tx.commit().await.unwrap();

        credential.expires = Some(time(3600));
        let granted = NewStep { spent: true, next_fp: Some([2; 32]), ..NewStep::of(ours.id, "a", RefreshStep::Granted, time(2)).about(ours.fp) };
        let steps = [granted, NewStep::of(ours.id, "a", RefreshStep::Activated, time(2))];
        for last in [false, true] {
            let mut tx = place.write().await;
            assert_eq!(tx.flight(credential.id, MAIN_TOKEN).await.unwrap(), Flight::Sending(ours.clone()));
            assert!(!tx.is_spent(credential.id, ours.fp).await.unwrap(), "half an activation is none");
            tx.activate_set(&credential, &envelope("new set"), time(2)).await.unwrap();
            tx.put_flight(&credential, MAIN_TOKEN, &ours.clone().granted(time(2)), &steps, time(2)).await.unwrap();
            if last {
                tx.commit().await.unwrap()
            } else {
                tx.rollback().await.map(|()| None).unwrap()
            };
        }
        let mut tx = place.write().await;
        assert_eq!(tx.secrets().sealed_credential(&credential).await.unwrap(), Some(envelope("new set")));
        assert_eq!(tx.credential(credential.id).await.unwrap().unwrap().expires, Some(time(3600)));
        assert_eq!(tx.flight(credential.id, MAIN_TOKEN).await.unwrap(), Flight::Unproven { attempt: ours.id, since: time(2) });
        assert_eq!(tx.secrets().sealed_previous(credential.id, MAIN_TOKEN).await.unwrap(), Some(envelope("own of one")));
        assert!(tx.is_spent(credential.id, ours.fp).await.unwrap(), "what was rotated away is never sent again");
        assert!(!tx.is_spent(credential.id, [2; 32]).await.unwrap());
        assert!(!tx.is_spent(place.ours.accounts[1].credential.id, ours.fp).await.unwrap(), "each credential has its own");
        tx.put_flight(&credential, MAIN_TOKEN, &Flight::Idle, &[NewStep::of(ours.id, "a", RefreshStep::Proven, time(3))], time(3)).await.unwrap();
        assert_eq!((tx.flight(credential.id, MAIN_TOKEN).await.unwrap(), tx.secrets().sealed_previous(credential.id, MAIN_TOKEN).await.unwrap()), (Flight::Idle, None));
        let steps: Vec<_> = tx.refresh_steps(credential.id, 100).await.unwrap().into_iter().map(|taken| (taken.number, taken.step.step)).collect();
        assert_eq!(steps, [(4, RefreshStep::Proven), (3, RefreshStep::Activated), (2, RefreshStep::Granted), (1, RefreshStep::Intent)]);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_doubt_outlives_its_process() {
    on_every_backend(async |place| {
        let credential = place.ours.accounts[0].credential.clone();
        let first = attempt(1, "dies", 1, 0);
        let mut tx = place.write().await;
        tx.put_flight(&credential, MAIN_TOKEN, &Flight::Sending(first.clone()), &[intent(&first)], time(0)).await.unwrap();
        tx.note_gone(credential.id, MAIN_TOKEN, first.id, Some(time(1))).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = place.write().await;
        let Flight::Sending(found) = tx.flight(credential.id, MAIN_TOKEN).await.unwrap() else { panic!("it may be sending") };
        assert_eq!(found, Attempt { gone: Some(time(1)), ..first.clone() });
        assert!(Flight::Sending(found.clone()).begin(attempt(2, "next", 1, 2)).is_none());
        let second = Flight::Doubt(found).begin(attempt(2, "next", 1, 2)).unwrap();
        tx.put_flight(&credential, MAIN_TOKEN, &Flight::Sending(second.clone()), &[intent(&second)], time(2)).await.unwrap();
        tx.put_flight(&credential, MAIN_TOKEN, &second.clone().lost(), &[NewStep::of(second.id, "next", RefreshStep::Lost, time(3))], time(3)).await.unwrap();
        let Flight::Sending(found) = tx.flight(credential.id, MAIN_TOKEN).await.unwrap() else { panic!("an outcome is missing") };
        assert_eq!((found.id, found.sends, found.first_sent_at, found.until, found.gone), (second.id, 2, time(0), time(3), None), "its lease is over at once");
        tx.put_flight(&credential, MAIN_TOKEN, &second.dead(), &[], time(4)).await.unwrap();
        assert_eq!(tx.flight(credential.id, MAIN_TOKEN).await.unwrap(), Flight::Idle);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn each_token_of_a_set_has_a_row_of_its_own() {
    on_every_backend(async |place| {
        let credential = place.ours.accounts[0].credential.clone();
        let (main, user) = (attempt(1, "a", 1, 0), attempt(2, "b", 2, 0));
        let mut tx = place.write().await;
        tx.put_flight(&credential, MAIN_TOKEN, &Flight::Sending(main.clone()), &[intent(&main)], time(0)).await.unwrap();
        tx.put_flight(&credential, "user", &Flight::Sending(user.clone()), &[intent(&user).renewing("user")], time(0)).await.unwrap();
        tx.note_gone(credential.id, "user", user.id, Some(time(1))).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = place.write().await;
        let gone = Attempt { gone: Some(time(1)), ..user.clone() };
        let under_way = vec![(MAIN_TOKEN.to_owned(), Flight::Sending(main.clone())), ("user".to_owned(), Flight::Sending(gone.clone()))];
        assert_eq!(tx.flights(credential.id).await.unwrap(), under_way);
        assert_eq!(tx.flight(credential.id, "hook").await.unwrap(), Flight::Idle);
        // The one has an outcome, and the other's doubt stays.
        tx.put_flight(&credential, MAIN_TOKEN, &main.clone().granted(time(2)), &[], time(2)).await.unwrap();
        tx.put_flight(&credential, MAIN_TOKEN, &Flight::Idle, &[], time(3)).await.unwrap();
        assert_eq!((tx.flight(credential.id, MAIN_TOKEN).await.unwrap(), tx.flight(credential.id, "user").await.unwrap()), (Flight::Idle, Flight::Sending(gone)));
        assert_eq!(tx.secrets().sealed_previous(credential.id, MAIN_TOKEN).await.unwrap(), None);
        assert_eq!(tx.secrets().sealed_previous(credential.id, "user").await.unwrap(), Some(envelope("own of one")));
        let again = attempt(3, "c", 2, 5);
        tx.put_flight(&credential, "user", &Flight::Sending(again.clone()), &[intent(&again).renewing("user")], time(5)).await.unwrap();
        assert_eq!(tx.flight(credential.id, "user").await.unwrap(), Flight::Sending(again));
        let tokens: Vec<_> = tx.refresh_steps(credential.id, 100).await.unwrap().into_iter().map(|taken| (taken.step.token, taken.step.at)).collect();
        assert_eq!(tokens, [("user".to_owned(), time(5)), ("user".to_owned(), time(0)), (MAIN_TOKEN.to_owned(), time(0))]);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn old_steps_go_but_not_the_last_word_on_a_token() {
    on_every_backend(async |place| {
        let (one, two) = (&place.ours.accounts[0].credential, &place.ours.accounts[1].credential);
        let step = |number: u128, step, at| NewStep::of(Uuid::from_u128(number), "a", step, time(at));
        let spent = |number, fp: u8, at| NewStep { spent: true, ..step(number, RefreshStep::Granted, at).about([fp; 32]) };
        let mut tx = place.store.write_secrets(place.ours.scope(), Origin::Background).await.unwrap();
        tx.add_steps(one, &[step(1, RefreshStep::Intent, 1), spent(1, 1, 2), step(2, RefreshStep::Activated, 100)]).await.unwrap();
        tx.add_steps(one, &[spent(4, 7, 2).renewing("user")]).await.unwrap();
        tx.add_steps(two, &[step(3, RefreshStep::Intent, 1), spent(3, 1, 2)]).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = place.store.write(Scope::System, Origin::Background).await.unwrap();
        assert_eq!(tx.trim_refresh_steps(time(50)).await.unwrap(), 3);
        tx.commit().await.unwrap();
        let mut tx = place.store.write_secrets(place.ours.scope(), Origin::Background).await.unwrap();
        assert!(!tx.is_spent(one.id, [1; 32]).await.unwrap(), "a later set is in force");
        assert!(tx.is_spent(one.id, [7; 32]).await.unwrap(), "the later set was of another token");
        assert!(tx.is_spent(two.id, [1; 32]).await.unwrap(), "nothing came in its place");
    })
    .await;
}

#[tokio::test]
async fn a_process_that_died_is_seen_to_be_dead() {
    on_every_backend(async |place| {
        let other = place.second_handle().await;
        let owner = uuid().to_string();
        let witness = place.store.witness(&owner).await.unwrap().expect("nothing stands between");
        assert!(witness.holds());
        let lives = async |owner: &str| {
            let mut tx = other.write_secrets(place.ours.within(0), Origin::Background).await.unwrap();
            let lives = other.owner_lives(&mut tx, owner).await.unwrap();
            tx.rollback().await.unwrap();
            lives
        };
        assert!(lives(&owner).await);
        assert!(lives(&owner).await, "asking takes nothing away");
        assert!(!lives(&uuid().to_string()).await, "whoever never lived is dead");
        if let Some(database) = &place.database {
            // A lost connection looks like a death until it is made anew; whoever lost it knows.
            let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
            assert_eq!(database.psql(crate::cluster::ADMINISTRATOR, ended).unwrap(), "1");
            while witness.holds() {
                tokio::task::yield_now().await;
            }
            while !witness.holds() {
                tokio::task::yield_now().await;
            }
            assert!(lives(&owner).await, "and lives on");
        }
        drop(witness);
        while lives(&owner).await {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

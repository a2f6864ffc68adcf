//! Clocks: written in place of those before, found by their time, gone with their owner, and never told across tenants.

use std::time::Duration;

use patchbay_model::deadline::{Clock, ClockKind, ClockOwner};
use patchbay_model::permission::{AccountSelector, IdOrAll, ResourceScope};
use patchbay_model::*;
use patchbay_store::{EndsQuery, ReadTx, StoreError};

use crate::place::*;

fn within(seconds: i64) -> EndsQuery {
    EndsQuery { now: time(0), until: time(seconds), kinds: None, renewed: true, manual: true, account: None, limit: 100 }
}

async fn told(tx: &mut ReadTx, query: EndsQuery) -> Vec<(ClockKind, i64)> {
    let clocks = tx.credential_clocks(&query).await.unwrap();
    clocks.iter().map(|row| (row.clock.kind, (row.clock.at.unix_micros() - time(0).unix_micros()) / 1_000_000)).collect()
}

#[tokio::test]
async fn clocks_are_found_by_their_time_and_by_who_renews_them() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let owner = ClockOwner::Credential(ours.accounts[0].credential.id);
        let renewed = Clock { renew_at: Some(time(50)), ..Clock::of(ClockKind::RefreshIdle, time(200)) };
        let mut tx = place.store.write(ours.within(0), Origin::Api).await.unwrap();
        tx.set_clocks(owner, &[Clock::of(ClockKind::Key, time(5))]).await.unwrap();
        tx.set_clocks(owner, &[Clock::of(ClockKind::Access, time(100)), renewed.clone(), Clock::of(ClockKind::RefreshAbsolute, time(300))]).await.unwrap();
        tx.commit().await.unwrap();
        let app = ClockOwner::ProviderApp(ours.app.id);
        let mut tx = place.store.write(ours.scope(), Origin::Api).await.unwrap();
        tx.set_clocks(app, &[Clock::of(ClockKind::Secret, time(400))]).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = place.store.read(ours.scope()).await.unwrap();
        let of_credential = tx.clocks_of(owner).await.unwrap();
        assert_eq!(
            of_credential.iter().map(|clock| clock.kind).collect::<Vec<_>>(),
            [ClockKind::Access, ClockKind::RefreshIdle, ClockKind::RefreshAbsolute],
            "those before are gone"
        );
        let all = [(ClockKind::Access, 100), (ClockKind::RefreshIdle, 200), (ClockKind::RefreshAbsolute, 300)];
        assert_eq!(told(&mut tx, within(301)).await, all);
        assert_eq!(told(&mut tx, within(300)).await, all[..2]);
        assert_eq!(told(&mut tx, EndsQuery { renewed: false, ..within(301) }).await, all[2..]);
        assert_eq!(told(&mut tx, EndsQuery { manual: false, ..within(301) }).await, all[..2]);
        assert_eq!(told(&mut tx, EndsQuery { kinds: Some(vec![ClockKind::RefreshIdle]), ..within(301) }).await, all[1..2]);
        assert_eq!(told(&mut tx, EndsQuery { kinds: Some(Vec::new()), ..within(301) }).await, []);
        assert_eq!(told(&mut tx, EndsQuery { now: time(150), ..within(301) }).await, all[1..], "an access token that has ended is renewed when it is used");
        assert_eq!(told(&mut tx, EndsQuery { account: Some(ours.accounts[1].account.id), ..within(301) }).await, []);
        let apps = tx.provider_app_clocks(&within(500)).await.unwrap();
        assert_eq!(apps.iter().map(|row| (row.app_id, row.clock.at)).collect::<Vec<_>>(), [(ours.app.id, time(400))]);
        assert_eq!(tx.definitions_in_use(None).await.unwrap().len(), 1);
        assert!(tx.token_ends(&within(1_000_000_000)).await.is_ok() && tx.member_ends(time(1_000_000_000), 10).await.is_ok());
        drop(tx);

        let mut tx = place.store.read(Scope::System).await.unwrap();
        assert!(tx.due_clocks(time(49), 10).await.unwrap().is_empty());
        let due = tx.due_clocks(time(50), 10).await.unwrap();
        assert_eq!(
            due.iter().map(|due| (due.organization_id, due.account_id, due.owner, due.clock.clone())).collect::<Vec<_>>(),
            [(ours.organization.id, Some(ours.accounts[0].account.id), owner, renewed.clone())]
        );
    })
    .await;
}

#[tokio::test]
async fn clocks_of_others_are_neither_told_nor_written() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let owner = ClockOwner::Credential(ours.accounts[0].credential.id);
        let mut tx = place.store.write(ours.within(0), Origin::Api).await.unwrap();
        tx.set_clocks(owner, &[Clock::of(ClockKind::Secret, time(100))]).await.unwrap();
        tx.commit().await.unwrap();
        for scope in [ours.within(1), place.theirs.scope()] {
            let mut tx = place.store.write(scope, Origin::Api).await.unwrap();
            assert_eq!(told(&mut tx, within(200)).await, []);
            assert!(matches!(tx.set_clocks(owner, &[]).await, Err(StoreError::NotFound { .. })));
        }
        let mut tx = place.store.read(ours.scope()).await.unwrap();
        let only = |account: &patchbay_model::account::Account| ResourceScope {
            accounts: Some(AccountSelector { ids: Some(vec![IdOrAll::Id(account.id)]), ..AccountSelector::default() }),
            ..ResourceScope::default()
        };
        tx.narrow_lists(Some(vec![only(&ours.accounts[1].account)]));
        assert_eq!(told(&mut tx, within(200)).await, []);
        tx.narrow_lists(Some(vec![only(&ours.accounts[1].account), only(&ours.accounts[0].account)]));
        assert_eq!(told(&mut tx, within(200)).await, [(ClockKind::Secret, 100)]);
        tx.narrow_lists(Some(Vec::new()));
        assert_eq!(told(&mut tx, within(200)).await, [], "scopes that cover nothing show nothing");
    })
    .await;
}

#[tokio::test]
async fn clocks_rest_with_a_deletion_and_go_with_the_purge() {
    on_every_backend(async |place| {
        let ours = &place.ours;
        let credential = ours.accounts[0].credential.id;
        let owner = ClockOwner::Credential(credential);
        let renewed = Clock { renew_at: Some(time(50)), ..Clock::of(ClockKind::Access, time(100)) };
        let mut tx = place.store.write(ours.scope(), Origin::Api).await.unwrap();
        tx.set_clocks(owner, &[renewed]).await.unwrap();
        tx.delete_account(ours.accounts[0].account.id, DeletionId::from_uuid(uuid()), time(1)).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = place.store.read(ours.scope()).await.unwrap();
        assert_eq!(told(&mut tx, within(200)).await, []);
        assert_eq!(tx.clocks_of(owner).await.unwrap().len(), 1, "for the undo");
        drop(tx);
        let mut tx = place.store.write(Scope::System, Origin::Background).await.unwrap();
        assert!(tx.due_clocks(time(60), 10).await.unwrap().is_empty(), "what is deleted is not renewed");
        tx.purge_deleted(time(1).plus(Duration::from_secs(1))).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = place.store.read(ours.scope()).await.unwrap();
        assert!(tx.clocks_of(owner).await.unwrap().is_empty());
    })
    .await;
}

//! Pages that are read while others write: what is there all the time is seen exactly once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use patchbay_model::account::Account;
use patchbay_model::list::{ListQuery, Order};
use patchbay_model::*;
use patchbay_store::Store;

use crate::place::*;

/// Rows that nobody touches, that are only renamed, and that come and go.
const EACH: usize = 40;
/// Changes that must have happened while one list was read to its end.
const BUSY: u64 = 25;

/// SplitMix64: small, and good enough to spread names.
fn scattered(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^ (z >> 27)
}

/// Renames, deletes and inserts accounts, one transaction each, until told to stop.
async fn disturb(store: Store, scope: Scope, mut moving: Vec<Account>, mut passing: Vec<Account>, stop: Arc<AtomicBool>, done: Arc<AtomicU64>) {
    let mut seed = 7;
    while !stop.load(Ordering::SeqCst) {
        let number = scattered(&mut seed);
        let mut tx = store.write(scope, Origin::Api).await.unwrap();
        match number % 3 {
            0 => {
                let account = &mut moving[(number >> 8) as usize % EACH];
                account.name = name(&format!("{:04x}-moved-{}", number >> 48, done.load(Ordering::SeqCst)));
                tx.update_account(account).await.unwrap();
            }
            1 => {
                let account = passing.swap_remove((number >> 8) as usize % passing.len());
                tx.delete_account(account.id, DeletionId::from_uuid(uuid()), time(0)).await.unwrap();
            }
            _ => {
                let fresh = account(scope.organization().unwrap(), &format!("{:04x}-fresh-{}", number >> 48, done.load(Ordering::SeqCst)));
                tx.insert_account(&fresh).await.unwrap();
                passing.push(fresh);
            }
        }
        if passing.is_empty() {
            passing.push(account(scope.organization().unwrap(), "last"));
            tx.insert_account(&passing[0]).await.unwrap();
        }
        tx.commit().await.unwrap();
        done.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stays_is_seen_once_whatever_else_changes() {
    on_every_backend(async |place| {
        let scope = place.ours.scope();
        let organization = place.ours.organization.id;
        let mut seed = 1;
        let mut made: Vec<Account> = Vec::new();
        let mut tx = place.write().await;
        for number in 0..3 * EACH {
            let mut account = account(organization, &format!("{:04x}-{number}", scattered(&mut seed) >> 48));
            // Several have the same time, so that pages end between equal keys.
            account.created_at = time(i64::try_from(number / 7).unwrap());
            tx.insert_account(&account).await.unwrap();
            made.push(account);
        }
        tx.commit().await.unwrap();
        let (staying, others) = made.split_at(EACH);
        let (moving, passing) = others.split_at(EACH);

        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let writer = tokio::spawn(disturb(place.second_handle().await, scope, moving.to_vec(), passing.to_vec(), stop.clone(), done.clone()));
        for (order, by_name) in
            [("name", true), ("name[desc]", true), ("created_at", false), ("created_at[desc]", false), ("id", false), ("environment,name", true), ("environment", false)]
        {
            let orders: Vec<Order> = order.split(',').map(|text| Order::parse(text).unwrap()).collect();
            let mut query = ListQuery { orders, limit: Some(5), ..ListQuery::default() };
            let mut seen: HashMap<AccountId, u32> = HashMap::new();
            let before = done.load(Ordering::SeqCst);
            let mut pages = 0;
            loop {
                let page = place.store.read(scope).await.unwrap().accounts(&query).await.unwrap();
                for account in &page.items {
                    *seen.entry(account.id).or_default() += 1;
                }
                pages += 1;
                // The next page comes only when something was written since the last one.
                while done.load(Ordering::SeqCst) < before + pages * 2 {
                    assert!(!writer.is_finished(), "the writer has failed");
                    tokio::task::yield_now().await;
                }
                if page.next.is_none() {
                    break;
                }
                query.start_after = page.next;
            }
            assert!(done.load(Ordering::SeqCst) - before >= BUSY, "{order}: too little was written meanwhile");
            let whole: Vec<&Account> = staying.iter().chain(moving.iter().filter(|_| !by_name)).collect();
            for account in whole {
                assert_eq!(seen.get(&account.id), Some(&1), "{order}: {} was there all the time", account.name);
            }
        }
        stop.store(true, Ordering::SeqCst);
        writer.await.unwrap();
    })
    .await;
}

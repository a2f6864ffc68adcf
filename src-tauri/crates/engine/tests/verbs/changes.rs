use std::time::Duration;

use patchbay_engine::{NetworkPolicy, account, changes, installation, token};
use patchbay_model::change::ChangeKind;
use patchbay_model::permission::{AccountSelector, PermissionSet, ResourceScope};
use patchbay_model::{Environment, Label, Origin};

use crate::world::World;

#[tokio::test]
async fn changes_arrive_from_this_process_and_from_another() {
    let world = World::new().await;
    let mut here = world.engine.subscribe();
    // A second engine on the same file stands for another process: it shares nothing but the file.
    let other = installation::open(&world.store(), &world.keys(), world.context.clone(), NetworkPolicy::default(), Origin::Web).await.unwrap();
    let mut there = other.subscribe();
    let made = world.account("acme", Environment::Prod, &[]).await;
    for receiver in [&mut here, &mut there] {
        let change = tokio::time::timeout(Duration::from_secs(5), async {
            loop {
                let change = receiver.recv().await.unwrap();
                if change.kind == ChangeKind::Account {
                    break change;
                }
            }
        })
        .await
        .unwrap();
        assert_eq!((change.id, change.origin), (made.id.to_string(), Origin::Cli));
    }
    other.shutdown().await;
}

#[tokio::test]
async fn a_listener_resumes_after_a_gap_and_hears_of_its_own_accounts_alone() {
    let world = World::new().await;
    let before = changes::latest(&world.engine).await.unwrap();
    world.account("gold", Environment::Prod, &["gold"]).await;
    world.account("plain", Environment::Prod, &[]).await;
    let all = changes::since(&world.engine, &world.grant, before, 100).await.unwrap();
    assert_eq!(all.iter().filter(|change| change.kind == ChangeKind::Account).count(), 2);
    assert!(changes::since(&world.engine, &world.grant, all.last().unwrap().sequence, 100).await.unwrap().is_empty());
    let resources =
        ResourceScope { accounts: Some(AccountSelector { labels: Some(vec![Label::parse("gold").unwrap()]), ..AccountSelector::default() }), ..ResourceScope::default() };
    let minted = token::mint(&world.engine, &world.grant, token::CreateToken { name: None, fullname: None, resources, permission_set: PermissionSet::Viewer, token_ttl: None })
        .await
        .unwrap();
    let narrowed = world.management(minted.primary.unwrap().access.secret.unwrap().expose()).await;
    let gold = account::get(&world.engine, &narrowed, "gold").await.unwrap();
    let heard = changes::since(&world.engine, &narrowed, before, 100).await.unwrap();
    assert!(!heard.is_empty() && heard.iter().all(|change| change.account_id.is_none_or(|id| id == gold.id)), "{heard:?}");
}

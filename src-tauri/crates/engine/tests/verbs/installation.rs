use patchbay_engine::{NetworkPolicy, installation};
use patchbay_model::{Code, Origin};
use patchbay_vault::{KeyAccess, KeySource};

use crate::world::{DAY, HOUR, World, seconds};

#[tokio::test]
async fn a_new_store_has_an_organization_a_root_administrator_and_a_token() {
    let world = World::new().await;
    let created = &world.created;
    assert_eq!((created.organization.name.as_str(), created.organization.fullname.as_str()), ("acme-tools", "Acme Tools"));
    assert_eq!(created.member.role_binding[0].as_str(), "root_administrator");
    let pair = created.token.primary.as_ref().unwrap();
    assert_eq!(seconds(pair.access.expires.since(world.engine.now())), 24 * HOUR);
    assert_eq!(seconds(pair.refresh.as_ref().unwrap().expires.since(world.engine.now())), 90 * DAY);
    assert_eq!(created.organization.refresh_token_id, created.token.container.id);
    let grant = world.management(pair.access.secret.as_ref().unwrap().expose()).await;
    assert_eq!(patchbay_engine::organization::get(&world.engine, &grant).await.unwrap(), created.organization);
}

#[tokio::test]
async fn a_second_organization_joins_the_store_and_an_existing_name_is_refused() {
    let world = World::new().await;
    let (second, created) = installation::create(&world.store(), &world.keys(), "Other", world.context.clone()).await.unwrap();
    assert_eq!(second.organizations().await.unwrap().len(), 2);
    let problem = installation::create(&world.store(), &world.keys(), "ACME tools", world.context.clone()).await.err().unwrap();
    assert_eq!(problem.code, Code::NameTaken, "{}", problem.message);
    // What one organization has, the other does not see.
    let account = world.account("t-alpha", patchbay_model::Environment::Prod, &[]).await;
    let other = second.local_grant(created.organization.id, Origin::Cli).await.unwrap();
    let problem = patchbay_engine::account::get(&second, &other, &account.id.to_string()).await.unwrap_err();
    assert_eq!(problem.code, Code::NotFound);
    second.shutdown().await;
}

#[tokio::test]
async fn a_wrong_key_opens_nothing_and_the_right_one_does() {
    let world = World::new().await;
    world.account("t-alpha", patchbay_model::Environment::Prod, &[]).await;
    world.redmine("t-alpha", "redmine", "a-secret-of-the-provider").await;
    world.engine.shutdown().await;
    let wrong = KeyAccess::from(KeySource::File(world.folder.path().join("wrong.key")));
    // Another store makes the other key.
    let other = installation::StoreUrl::Sqlite(world.folder.path().join("other.db"));
    installation::create(&other, &wrong, "Other", world.context.clone()).await.unwrap().0.shutdown().await;
    let problem = installation::open(&world.store(), &wrong, world.context.clone(), NetworkPolicy::default(), Origin::Cli).await.err().unwrap();
    assert_eq!(problem.code, Code::WrongKey, "{}", problem.message);
    let engine = installation::open(&world.store(), &world.keys(), world.context.clone(), NetworkPolicy::default(), Origin::Cli).await.unwrap();
    let report = engine.verify_store().await.unwrap();
    assert_eq!((report.findings.as_slice(), report.sealed_values), ([].as_slice(), 1));
    engine.shutdown().await;
}

#[tokio::test]
async fn what_could_not_be_completed_leaves_no_store_behind() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new().await;
    let url = crate::world::store(&folder);
    let weak = KeyAccess::with_passphrase(patchbay_model::Secret::new("short"));
    let problem = installation::create(&url, &weak, "Acme", world.context.clone()).await.err().unwrap();
    assert_eq!(problem.code, Code::WeakPassword, "{}", problem.message);
    assert!(!folder.path().join("store.db").exists(), "a later init begins anew");
    let missing = installation::open(&url, &world.keys(), world.context.clone(), NetworkPolicy::default(), Origin::Cli).await.err().unwrap();
    assert_eq!(missing.code, Code::StoreMissing);
}

#[tokio::test]
async fn the_sample_is_filled_and_its_tickets_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new().await;
    let (engine, created) = installation::create_sample(&crate::world::store(&folder), &crate::world::keys(&folder), world.context.clone()).await.unwrap();
    let grant = engine.local_grant(created.organization.id, Origin::Desktop).await.unwrap();
    assert!(patchbay_engine::organization::get(&engine, &grant).await.unwrap().sample);
    let overview = patchbay_engine::overview::get(&engine, &grant).await.unwrap();
    assert_eq!((overview.accounts, overview.test_accounts, overview.integration_points), (12, 2, 3));
    assert!(overview.integrations >= 20 && overview.by_status.len() >= 4, "{overview:?}");
    assert!(overview.attention.len() >= 4, "what needs a person is listed");

    let connector = patchbay_engine::integration::connector_grant(&engine, &grant, "bluewater-logistics", "dispatch-tickets").await.unwrap();
    let operation = patchbay_model::connector::ticketing::TicketingOperation::QueryTickets {
        page: patchbay_model::connector::ticketing::PageRequest { cursor: None, limit: 50 },
        filters: vec![],
        orders: vec![],
    };
    let answer = engine.call_ticketing(&connector, operation, Default::default()).await.unwrap().answer;
    let patchbay_model::connector::ticketing::TicketingAnswer::Tickets(tickets, _) = answer else { panic!("tickets") };
    assert!(tickets.len() >= 6 && tickets.iter().any(|ticket| ticket.status.as_deref() == Some("Done")));
    let report = engine.verify_store().await.unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    engine.shutdown().await;
}

use patchbay_engine::account::CreateAccount;
use patchbay_engine::{Grant, ManagementGrant, account, audit};
use patchbay_model::list::{Filter, ListQuery};
use patchbay_model::{Code, Environment, Origin, Problem};
use serde_json::json;

use crate::world::{World, caller};

async fn of(world: &World, operation: &str) -> Vec<patchbay_model::audit::AuditEvent> {
    let query = ListQuery { filters: vec![Filter::parse(&format!("operation[eq]{operation}")).unwrap()], ..ListQuery::default() };
    audit::list(&world.engine, &world.grant, query).await.unwrap().items
}

#[tokio::test]
async fn every_change_has_a_row_and_a_failed_one_leaves_none() {
    let world = World::new().await;
    let grant: ManagementGrant = world.grant.with_caller(patchbay_engine::CallerInfo {
        method: "POST".to_owned(),
        path: "/v1/accounts".to_owned(),
        body: Some(json!({ "name": "acme", "token": { "secret": "PLANTED" } })),
        ..caller()
    });
    let made = account::create(&world.engine, &grant, CreateAccount { name: Some("acme".to_owned()), ..CreateAccount::default() }).await.unwrap().account;
    let rows = of(&world, "accounts.create").await;
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((row.status, row.code.as_str(), row.origin, row.member_id, row.account_id), (201, "", Origin::Api, Some(grant.member()), Some(made.id)));
    assert_eq!((row.method.as_str(), row.path.as_str(), row.remote_addr.as_str()), ("POST", "/v1/accounts", "192.0.2.7"));
    assert!(!format!("{row:?}").contains("PLANTED"));
    let taken = account::create(&world.engine, &grant, CreateAccount { name: Some("Acme".to_owned()), ..CreateAccount::default() }).await.err().unwrap();
    assert_eq!(taken.code, Code::NameTaken);
    assert_eq!(of(&world, "accounts.create").await.len(), 1, "the row goes with the transaction");
}

#[tokio::test]
async fn refusals_are_kept_with_and_without_a_grant() {
    let world = World::new().await;
    let denied = Problem::new(Code::PermissionDenied, "no");
    audit::refused(&world.engine, Some(&Grant::Management(world.grant.clone())), "members.create", &caller(), &denied).await;
    audit::refused(&world.engine, None, "accounts.list", &caller(), &Problem::new(Code::TokenInvalid, "dead")).await;
    let kept = of(&world, "members.create").await;
    assert_eq!((kept[0].status, kept[0].code.as_str(), kept[0].audit_type.as_str(), kept[0].member_id), (403, "permission_denied", "ERROR", Some(world.grant.member())));
    let kept = of(&world, "accounts.list").await;
    assert_eq!((kept[0].status, kept[0].member_id), (401, None));
}

#[tokio::test]
async fn no_row_holds_a_secret_of_a_whole_day_of_work() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    world.redmine("acme", "redmine", "PLANTED-in-config").await;
    let all = audit::list(&world.engine, &world.grant, ListQuery { limit: Some(1000), ..ListQuery::default() }).await.unwrap().items;
    let text = format!("{all:?}");
    assert!(all.len() >= 3 && !text.contains("PLANTED") && !text.contains("pbo_") && !text.contains("pbi_"), "{text}");
}

use patchbay_engine::{account, credential, deletion, integration, member, role};
use patchbay_model::integration::{AttentionCause, IntegrationStatus};
use patchbay_model::list::ListQuery;
use patchbay_model::member::MemberType;
use patchbay_model::permission::{PermissionSet, ResourceScope};
use patchbay_model::{Code, Environment};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn an_account_takes_what_is_its_own_and_an_undo_brings_all_of_it_back() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    let made = world.redmine("acme", "redmine", "a secret").await;
    let new = credential::CreateCredential { name: Some("shared".to_owned()), config: Some(json!({ "type": "token", "secret": "s" })), ..Default::default() };
    credential::create(&world.engine, &world.grant, "acme", new).await.unwrap();
    let access = made.token.unwrap().primary.unwrap().access.secret.unwrap();
    world.verify(access.expose()).await.unwrap();

    let impact = account::impact(&world.engine, &world.grant, "acme").await.unwrap();
    assert!(impact.counts.contains(&("integrations".to_owned(), 1)) && impact.counts.contains(&("credentials".to_owned(), 2)), "{impact:?}");
    let gone = account::delete(&world.engine, &world.grant, "acme").await.unwrap();
    assert_eq!(account::get(&world.engine, &world.grant, "acme").await.unwrap_err().code, Code::NotFound);
    assert!(integration::list(&world.engine, &world.grant, ListQuery::default()).await.unwrap().items.is_empty());
    assert_eq!(world.verify(access.expose()).await.unwrap_err().code, Code::TokenInvalid, "its tokens are dead at once");

    world.advance(599);
    deletion::undo(&world.engine, &world.grant, &gone.id.to_string()).await.unwrap();
    assert!(account::get(&world.engine, &world.grant, "acme").await.is_ok());
    assert_eq!(integration::get(&world.engine, &world.grant, "acme", "redmine").await.unwrap().id, made.integration.id);
    let report = world.engine.verify_store().await.unwrap();
    assert_eq!((report.findings.as_slice(), report.sealed_values), ([].as_slice(), 2));
    assert!(deletion::undo(&world.engine, &world.grant, &gone.id.to_string()).await.is_err(), "once");
}

#[tokio::test]
async fn an_undo_that_comes_late_or_whose_name_is_taken_is_refused() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    let gone = account::delete(&world.engine, &world.grant, "acme").await.unwrap();
    world.account("acme", Environment::Prod, &[]).await;
    let taken = deletion::undo(&world.engine, &world.grant, &gone.id.to_string()).await.unwrap_err();
    assert_eq!(taken.code, Code::UpdateConflict, "{}", taken.message);
    world.advance(601);
    let late = deletion::undo(&world.engine, &world.grant, &gone.id.to_string()).await.unwrap_err();
    assert_eq!(late.code, Code::UpdateConflict, "{}", late.message);
    assert_eq!(deletion::undo(&world.engine, &world.grant, "nonsense").await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn a_credential_in_use_goes_and_its_integration_says_so() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    let new = credential::CreateCredential { name: Some("shared".to_owned()), config: Some(json!({ "type": "token", "secret": "s" })), ..Default::default() };
    let made = credential::create(&world.engine, &world.grant, "acme", new).await.unwrap();
    let config = json!({ "type": "ticketing_redmine", "url": "http://127.0.0.1:9", "credential": { "type": "token_id", "value": made.id.to_string() } });
    integration::create(&world.engine, &world.grant, "acme", integration::CreateIntegration { name: Some("one".to_owned()), provider_config: config, ..Default::default() })
        .await
        .unwrap();
    let gone = credential::delete(&world.engine, &world.grant, "acme", "shared").await.unwrap();
    let status = integration::get(&world.engine, &world.grant, "acme", "one").await.unwrap().status;
    assert_eq!(status, IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialMissing });
    deletion::undo(&world.engine, &world.grant, &gone.id.to_string()).await.unwrap();
    assert_eq!(integration::get(&world.engine, &world.grant, "acme", "one").await.unwrap().status, IntegrationStatus::Active, "it has it again");
}

#[tokio::test]
async fn a_member_does_not_come_back_with_a_role_that_is_gone() {
    let world = World::new().await;
    let new = |permission_set| role::CreateRole { name: Some("support".to_owned()), fullname: None, description: None, resources: ResourceScope::default(), permission_set };
    let made = role::create(&world.engine, &world.grant, new(PermissionSet::Viewer)).await.unwrap();
    let ada = member::CreateMember {
        name: "ada@example.com".to_owned(),
        fullname: None,
        nickname: None,
        picture: None,
        secret: None,
        role_binding: vec!["support".to_owned()],
        member_type: MemberType::Personal,
        ttl: None,
        token_ttl: None,
        options: Vec::new(),
    };
    member::create(&world.engine, &world.grant, ada).await.unwrap();
    let gone = member::delete(&world.engine, &world.grant, "ada@example.com").await.unwrap();
    let role_gone = role::delete(&world.engine, &world.grant, "support").await.unwrap();
    let undo = async |id: &patchbay_model::DeletionId| deletion::undo(&world.engine, &world.grant, &id.to_string()).await;
    assert_eq!(undo(&gone.id).await.unwrap_err().code, Code::UpdateConflict);
    world.advance(1);
    let wider = role::create(&world.engine, &world.grant, new(PermissionSet::Administrator)).await.unwrap();
    assert_eq!(undo(&gone.id).await.unwrap_err().code, Code::UpdateConflict, "a role of the same name is another one");
    role::delete(&world.engine, &world.grant, &wider.id.to_string()).await.unwrap();
    undo(&role_gone.id).await.unwrap();
    undo(&gone.id).await.unwrap();
    assert_eq!(role::get(&world.engine, &world.grant, "support").await.unwrap().0.id, made.id);
    assert!(member::get(&world.engine, &world.grant, "ada@example.com").await.is_ok());
}

#[tokio::test]
async fn more_integrations_than_are_named_are_told_of_their_credential() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    let new = credential::CreateCredential { name: Some("shared".to_owned()), config: Some(json!({ "type": "token", "secret": "s" })), ..Default::default() };
    let made = credential::create(&world.engine, &world.grant, "acme", new).await.unwrap();
    let config = json!({ "type": "ticketing_redmine", "url": "http://127.0.0.1:9", "credential": { "type": "token_id", "value": made.id.to_string() } });
    for number in 0..101 {
        let new = integration::CreateIntegration { name: Some(format!("n-{number:03}")), provider_config: config.clone(), ..Default::default() };
        integration::create(&world.engine, &world.grant, "acme", new).await.unwrap();
    }
    let missing = IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialMissing };
    let count = async || {
        let query = ListQuery { limit: Some(1000), ..ListQuery::default() };
        integration::list(&world.engine, &world.grant, query).await.unwrap().items.iter().filter(|integration| integration.status == missing).count()
    };
    let apart = integration::delete(&world.engine, &world.grant, "acme", "n-007").await.unwrap();
    let gone = credential::delete(&world.engine, &world.grant, "acme", "shared").await.unwrap();
    assert_eq!(count().await, 100);
    deletion::undo(&world.engine, &world.grant, &apart.id.to_string()).await.unwrap();
    assert_eq!(count().await, 101, "one that comes back later learns of it too");
    deletion::undo(&world.engine, &world.grant, &gone.id.to_string()).await.unwrap();
    assert_eq!(count().await, 0);
}

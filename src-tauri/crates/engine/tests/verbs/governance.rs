use patchbay_engine::account::{self, UpdateAccount};
use patchbay_engine::integration::{self, CreateIntegration, UpdateIntegration};
use patchbay_engine::point::{self, CreatePoint};
use patchbay_model::integration::{AttentionCause, IntegrationStatus};
use patchbay_model::point::{AllowedProviders, PointEnvironments, PointPolicy};
use patchbay_model::{Code, Environment, ProviderId};
use serde_json::{Value, json};

use crate::world::World;

fn new_point(environments: PointEnvironments) -> CreatePoint {
    CreatePoint { name: Some("desks".to_owned()), fullname: None, description: None, connector: "ticketing".to_owned(), environments, policy: PointPolicy::default() }
}

fn under(point: &str, config: Value) -> CreateIntegration {
    CreateIntegration { name: Some("one".to_owned()), provider_config: config, integration_point: Some(point.to_owned()), ..CreateIntegration::default() }
}

fn mock() -> Value {
    json!({ "type": "ticketing_mock_ticketing" })
}

#[tokio::test]
async fn a_point_allows_per_environment_and_says_what_it_refuses() {
    let world = World::new().await;
    let test = world.account("t-test", Environment::Test, &[]).await;
    world.account("t-prod", Environment::Prod, &[]).await;
    let environments = PointEnvironments { test: Some(AllowedProviders::All), prod: Some(AllowedProviders::These(vec![ProviderId::parse("ticketing_jira").unwrap()])) };
    let made = point::create(&world.engine, &world.grant, new_point(environments)).await.unwrap();
    let integration = integration::create(&world.engine, &world.grant, "t-test", under("desks", mock())).await.unwrap();
    assert_eq!(integration.integration.integration_point_id, Some(made.id));
    let problem = integration::create(&world.engine, &world.grant, "t-prod", under("desks", mock())).await.err().unwrap();
    assert_eq!(problem.code, Code::ProviderNotAllowed);
    assert!(problem.message.contains("desks") && problem.message.contains("prod"), "{}", problem.message);
    assert_eq!(integration::get(&world.engine, &world.grant, "t-prod", "one").await.unwrap_err().code, Code::NotFound, "nothing half made");

    let moved = UpdateAccount { name: None, fullname: None, environment: Some(Environment::Prod), labels: vec![], external_id: None, expected: None };
    let problem = account::update(&world.engine, &world.grant, &test.id.to_string(), moved).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderNotAllowed, "an account does not slip out of governance");

    assert_eq!(point::delete(&world.engine, &world.grant, "desks").await.unwrap_err().code, Code::InUse);
    assert_eq!(point::impact(&world.engine, &world.grant, "desks").await.unwrap().users.len(), 1);
    integration::delete(&world.engine, &world.grant, "t-test", "one").await.unwrap();
    assert!(point::delete(&world.engine, &world.grant, "desks").await.is_ok());
}

#[tokio::test]
async fn points_name_providers_that_exist_and_belong_to_them() {
    let world = World::new().await;
    for id in ["ticketing_nothing", "identity_openid"] {
        let environments = PointEnvironments { test: None, prod: Some(AllowedProviders::These(vec![ProviderId::parse(id).unwrap()])) };
        let problem = point::create(&world.engine, &world.grant, new_point(environments)).await.unwrap_err();
        assert_eq!((problem.code, problem.context.parameter.unwrap().id.as_str()), (Code::InvalidField, "/environments/prod/0"));
    }
    world.account("t-prod", Environment::Prod, &[]).await;
    let problem = integration::create(&world.engine, &world.grant, "t-prod", under("nowhere", mock())).await.err().unwrap();
    assert_eq!((problem.code, problem.context.parameter.unwrap().id.as_str()), (Code::InvalidField, "/integration_point_id"));
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_in_words_and_without_its_secret() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    for (config, pointer) in [
        (json!({}), "/provider_config/type"),
        (json!({ "type": "ticketing_nothing" }), "/provider_config/type"),
        (json!({ "type": "ticketing_redmine", "credential": { "type": "token", "secret": "PLANTED" } }), "/provider_config/url"),
        (json!({ "type": "ticketing_redmine", "url": "https://x.example" }), "/provider_config/credential"),
        (json!({ "type": "ticketing_redmine", "url": "https://x.example", "credential": { "type": "token", "secret": 7 } }), "/provider_config/credential/secret"),
        (json!({ "type": "ticketing_redmine", "url": "https://x.example", "credential": { "type": "aws", "secret": "PLANTED" } }), "/provider_config/credential/type"),
        (json!({ "type": "ticketing_redmine", "url": "https://x.example", "credential": { "type": "token_id", "value": "gone" } }), "/provider_config/credential/value"),
    ] {
        let new = CreateIntegration { provider_config: config.clone(), ..CreateIntegration::default() };
        let problem = integration::create(&world.engine, &world.grant, "acme", new).await.err().unwrap();
        assert_eq!((problem.code, problem.context.parameter.as_ref().unwrap().id.as_str()), (Code::InvalidConfig, pointer), "{config}: {}", problem.message);
        assert!(!format!("{problem:?}").contains("PLANTED"), "{problem:?}");
    }
    assert!(integration::list(&world.engine, &world.grant, Default::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn trouble_with_the_provider_does_not_fail_the_creation() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    let made = world.redmine("acme", "redmine", "PLANTED").await;
    assert_eq!(made.problems.len(), 1, "the trouble is told");
    assert_eq!(made.integration.status, IntegrationStatus::NeedsAttention { cause: AttentionCause::ConfigRefused }, "a loopback target is a fault of the configuration");
    assert_eq!(made.credentials_created.len(), 1);
    let reference = &made.integration.config["credential"];
    assert_eq!((reference["type"].as_str(), reference["value"].as_str()), (Some("token_id"), Some(made.credentials_created[0].id.to_string().as_str())));
    assert!(!made.integration.config.to_string().contains("PLANTED"));
    let pair = made.token.unwrap().primary.unwrap();
    assert_eq!(pair.access.expires.since(world.engine.now()).as_secs(), 600);

    // The same configuration back, as every read shows it, keeps the sealed secret.
    let same = UpdateIntegration { provider_config: made.integration.config.clone(), fullname: Some("Renamed".to_owned()), ..UpdateIntegration::default() };
    let updated = integration::update(&world.engine, &world.grant, "acme", "redmine", same).await.unwrap();
    assert_eq!((updated.integration.fullname.as_str(), &updated.integration.config, updated.credentials_created.len()), ("Renamed", &made.integration.config, 0));
    assert_eq!(world.engine.verify_store().await.unwrap().sealed_values, 1);

    let late = UpdateIntegration {
        provider_config: made.integration.config.clone(),
        expected: Some(made.integration.created_at.minus(std::time::Duration::from_secs(1))),
        ..UpdateIntegration::default()
    };
    assert_eq!(integration::update(&world.engine, &world.grant, "acme", "redmine", late).await.err().unwrap().code, Code::UpdateConflict);
    let other = UpdateIntegration { provider_config: mock(), ..UpdateIntegration::default() };
    assert_eq!(integration::update(&world.engine, &world.grant, "acme", "redmine", other).await.err().unwrap().code, Code::InvalidField);
}

#[tokio::test]
async fn pausing_stops_calls_and_resuming_brings_them_back() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    world.mock("acme", "mock").await;
    let grant = integration::connector_grant(&world.engine, &world.grant, "acme", "mock").await.unwrap();
    let projects = || patchbay_model::connector::ticketing::TicketingOperation::ListProjects(patchbay_model::connector::ticketing::PageRequest { cursor: None, limit: 10 });
    assert!(world.engine.call_ticketing(&grant, projects(), Default::default()).await.is_ok());
    assert_eq!(integration::pause(&world.engine, &world.grant, "acme", "mock").await.unwrap().status, IntegrationStatus::Paused);
    assert_eq!(world.engine.call_ticketing(&grant, projects(), Default::default()).await.err().unwrap().code, Code::IntegrationNotActive);
    assert_eq!(integration::resume(&world.engine, &world.grant, "acme", "mock").await.unwrap().status, IntegrationStatus::Active);
    assert!(world.engine.call_ticketing(&grant, projects(), Default::default()).await.is_ok());
}

#[tokio::test]
async fn a_consent_provider_waits_for_a_person() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    let config = json!({ "type": "identity_openid", "issuer": "https://issuer.example", "credential": { "type": "o_auth_user" } });
    let made =
        integration::create(&world.engine, &world.grant, "acme", CreateIntegration { name: Some("sso".to_owned()), provider_config: config, ..CreateIntegration::default() })
            .await
            .unwrap();
    assert_eq!((made.integration.status, made.problems.len()), (IntegrationStatus::AwaitingConsent, 0));
    assert_eq!(made.integration.config["credential"]["type"], "o_auth_user_id");
}

//! What a point prescribes beyond the choice of providers, at every place where an integration meets it.

use patchbay_engine::integration::{self, CreateIntegration, UpdateIntegration};
use patchbay_engine::point::{self, CreatePoint, UpdatePoint};
use patchbay_model::connector::ticketing::{PageRequest, TicketingOperation};
use patchbay_model::integration::Integration;
use patchbay_model::point::{AllowedProviders, IntegrationPoint, PointEnvironments, PointPolicy, ViolationReason};
use patchbay_model::{Code, Environment, Problem};
use serde_json::{Value, json};

use crate::world::World;

fn policy(value: Value) -> PointPolicy {
    serde_json::from_value(value).unwrap()
}

fn everywhere() -> PointEnvironments {
    PointEnvironments { test: Some(AllowedProviders::All), prod: Some(AllowedProviders::All) }
}

async fn point(world: &World, prescribed: Value) -> Result<IntegrationPoint, Problem> {
    let new = CreatePoint {
        name: Some("desks".to_owned()),
        fullname: None,
        description: None,
        connector: "ticketing".to_owned(),
        environments: everywhere(),
        policy: policy(prescribed),
    };
    point::create(&world.engine, &world.grant, new).await
}

/// A change of the point to this.
fn change(environments: PointEnvironments, prescribed: Option<Value>) -> UpdatePoint {
    UpdatePoint { name: None, fullname: None, description: None, connector: None, environments, policy: prescribed.map(policy), expected: None }
}

fn mock(members: Value) -> Value {
    let mut config = json!({ "type": "ticketing_mock_ticketing" });
    config.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    config
}

async fn create(world: &World, account: &str, name: &str, config: Value, runtime: Value) -> Result<Integration, Problem> {
    let new = CreateIntegration {
        name: Some(name.to_owned()),
        provider_config: config,
        integration_point: Some("desks".to_owned()),
        runtime: runtime.as_object().unwrap().clone(),
        ..CreateIntegration::default()
    };
    integration::create(&world.engine, &world.grant, account, new).await.map(|made| made.integration)
}

fn place(problem: &Problem) -> (Code, &str) {
    (problem.code, problem.context.parameter.as_ref().map_or("", |parameter| parameter.id.as_str()))
}

async fn call(world: &World, account: &str, name: &str) -> Result<(), Problem> {
    let grant = integration::connector_grant(&world.engine, &world.grant, account, name).await.unwrap();
    let projects = TicketingOperation::ListProjects(PageRequest { cursor: None, limit: 10 });
    world.engine.call_ticketing(&grant, projects, Default::default()).await.map(drop)
}

#[tokio::test]
async fn a_policy_prescribes_what_the_provider_knows() {
    let world = World::new().await;
    let at = |rest: &str| format!("/x_patchbay/policy/providers/ticketing_redmine{rest}");
    for (provider, prescribed, code, pointer) in [
        ("ticketing_nothing", json!({}), Code::InvalidField, "/x_patchbay/policy/providers/ticketing_nothing".to_owned()),
        ("identity_openid", json!({}), Code::InvalidField, "/x_patchbay/policy/providers/identity_openid".to_owned()),
        ("ticketing_redmine", json!({ "locked": { "colour": "red" } }), Code::InvalidConfig, at("/locked/colour")),
        ("ticketing_redmine", json!({ "locked": { "type": "ticketing_jira" } }), Code::InvalidConfig, at("/locked/type")),
        ("ticketing_redmine", json!({ "locked": { "credential": { "type": "token", "secret": "s" } } }), Code::InvalidConfig, at("/locked/credential")),
        ("ticketing_redmine", json!({ "locked": { "url": "no address" } }), Code::InvalidConfig, at("/locked/url")),
        ("ticketing_redmine", json!({ "defaults": { "default_project": "" } }), Code::InvalidConfig, at("/defaults/default_project")),
        ("ticketing_redmine", json!({ "locked": { "default_project": "a" }, "defaults": { "default_project": "b" } }), Code::InvalidConfig, at("/defaults/default_project")),
        ("ticketing_redmine", json!({ "defaults": { "polling_interval": "4m59s" } }), Code::InvalidConfig, at("/defaults/polling_interval")),
        ("ticketing_redmine", json!({ "scopes": ["read"] }), Code::InvalidField, at("/scopes")),
        ("ticketing_jira", json!({ "scopes": ["read write"] }), Code::InvalidField, "/x_patchbay/policy/providers/ticketing_jira/scopes/0".to_owned()),
        ("ticketing_jira", json!({ "scopes": ["read", "read"] }), Code::InvalidField, "/x_patchbay/policy/providers/ticketing_jira/scopes/1".to_owned()),
    ] {
        let problem = point(&world, json!({ "providers": { provider: prescribed.clone() } })).await.unwrap_err();
        assert_eq!(place(&problem), (code, pointer.as_str()), "{prescribed}: {}", problem.message);
    }
    assert!(serde_json::from_value::<PointPolicy>(json!({ "providers": { "ticketing_redmine": { "lock": {} } } })).is_err(), "a misspelt member governs nothing");
    let made = point(&world, json!({ "providers": { "ticketing_jira": { "scopes": ["read:jira-work"], "locked": { "default_project": "OPS" } } } })).await.unwrap();
    // A change that says nothing of the policy leaves it.
    let changed = point::update(&world.engine, &world.grant, "desks", change(everywhere(), None)).await.unwrap();
    assert_eq!(changed.policy, made.policy);
    let changed = point::update(&world.engine, &world.grant, "desks", change(everywhere(), Some(json!({})))).await.unwrap();
    assert_eq!(changed.policy, PointPolicy::default());
}

#[tokio::test]
async fn locked_values_are_filled_in_and_others_refused() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    let prescribed = json!({ "providers": { "ticketing_mock_ticketing": { "locked": { "name": "desk", "polling_interval": "10m" }, "defaults": { "webhook_url": "https://hooks.example/d" } } } });
    point(&world, prescribed).await.unwrap();
    let made = create(&world, "acme", "one", mock(json!({})), json!({})).await.unwrap();
    assert_eq!(made.config, json!({ "type": "ticketing_mock_ticketing", "name": "desk", "polling_interval": "10m", "webhook_url": "https://hooks.example/d" }));
    assert_eq!(made.provider_config(), json!({ "type": "ticketing_mock_ticketing", "name": "desk" }), "the knobs stand beside it");

    for (config, runtime, pointer) in [
        (mock(json!({ "name": "other" })), json!({}), "/provider_config/name"),
        (mock(json!({})), json!({ "polling_interval": "1h" }), "/x_patchbay/config/polling_interval"),
        (mock(json!({ "webhook_url": "https://x.example" })), json!({}), "/provider_config/webhook_url"),
        (mock(json!({})), json!({ "name": "desk" }), "/x_patchbay/config/name"),
        (mock(json!({})), json!({ "webhook_url": "nowhere" }), "/x_patchbay/config/webhook_url"),
    ] {
        let problem = create(&world, "acme", "two", config.clone(), runtime.clone()).await.unwrap_err();
        assert_eq!(place(&problem), (Code::InvalidConfig, pointer), "{config} {runtime}: {}", problem.message);
        let new = CreateIntegration {
            provider_config: config,
            runtime: runtime.as_object().unwrap().clone(),
            integration_point: Some("desks".to_owned()),
            ..CreateIntegration::default()
        };
        assert_eq!(place(&integration::verify(&world.engine, &world.grant, "acme", new).await.unwrap_err()), (Code::InvalidConfig, pointer), "a test is held to the same");
    }

    // A change: locked members come back, defaults do not, what is left out of x_patchbay stays.
    let update = |config: Value, runtime: Option<Value>| UpdateIntegration {
        provider_config: config,
        integration_point: Some("desks".to_owned()),
        runtime: runtime.map(|runtime| runtime.as_object().unwrap().clone()),
        ..UpdateIntegration::default()
    };
    let kept = integration::update(&world.engine, &world.grant, "acme", "one", update(mock(json!({})), None)).await.unwrap().integration;
    assert_eq!(kept.config, made.config);
    let bare = integration::update(&world.engine, &world.grant, "acme", "one", update(mock(json!({})), Some(json!({})))).await.unwrap().integration;
    assert_eq!(bare.config, json!({ "type": "ticketing_mock_ticketing", "name": "desk", "polling_interval": "10m" }));
    let other = update(mock(json!({ "name": "other" })), None);
    assert_eq!(place(&integration::update(&world.engine, &world.grant, "acme", "one", other.clone()).await.err().unwrap()), (Code::InvalidConfig, "/provider_config/name"));
    let problem = integration::verify_existing(&world.engine, &world.grant, "acme", "one", Some(other)).await.unwrap_err();
    assert_eq!(place(&problem), (Code::InvalidConfig, "/provider_config/name"));
    // Outside of the point nothing is locked.
    let free = UpdateIntegration { provider_config: mock(json!({ "name": "other" })), ..UpdateIntegration::default() };
    assert!(integration::update(&world.engine, &world.grant, "acme", "one", free).await.is_ok());
}

#[tokio::test]
async fn a_changed_point_stops_calls_and_says_so_before_and_after() {
    let world = World::new().await;
    world.account("t-test", Environment::Test, &[]).await;
    world.account("t-prod", Environment::Prod, &[]).await;
    point(&world, json!({})).await.unwrap();
    for (account, name) in [("t-prod", "alpha"), ("t-prod", "beta"), ("t-test", "gamma")] {
        create(&world, account, name, mock(json!({ "name": name })), json!({})).await.unwrap();
        assert!(call(&world, account, name).await.is_ok());
    }
    let jira = || Some(AllowedProviders::These(vec![patchbay_model::ProviderId::parse("ticketing_jira").unwrap()]));
    let narrow = || PointEnvironments { test: Some(AllowedProviders::All), prod: jira() };
    let locked = || Some(json!({ "providers": { "ticketing_mock_ticketing": { "locked": { "name": "beta" } } } }));

    // Provider and locked value at once: both are told, and each integration is counted once.
    let preview = point::preview(&world.engine, &world.grant, "desks", change(narrow(), locked())).await.unwrap();
    assert_eq!((preview.affected, preview.mended, preview.refused.is_none()), (3, 0, true));
    let effect = |environment: Environment, reason: ViolationReason| preview.environments[&environment].reasons.get(&reason).copied().unwrap_or_default();
    assert_eq!((preview.environments[&Environment::Prod].affected, preview.environments[&Environment::Test].affected), (2, 1));
    assert_eq!(effect(Environment::Prod, ViolationReason::ProviderNoLongerAllowed), 2);
    assert_eq!(effect(Environment::Prod, ViolationReason::LockedValueDiffers), 1, "alpha; beta has the value");
    assert_eq!(effect(Environment::Test, ViolationReason::LockedValueDiffers), 1);
    let named: Vec<_> = preview.integrations.iter().map(|affected| (affected.name.as_str(), affected.account_name.as_str(), affected.violations.len(), affected.already)).collect();
    assert_eq!(named, [("alpha", "t-prod", 2, false), ("beta", "t-prod", 1, false), ("gamma", "t-test", 1, false)]);
    assert!(call(&world, "t-prod", "alpha").await.is_ok(), "a look changes nothing");
    let other = UpdatePoint { connector: Some("identity".to_owned()), ..change(everywhere(), None) };
    let preview = point::preview(&world.engine, &world.grant, "desks", other.clone()).await.unwrap();
    assert_eq!((preview.affected, preview.refused.map(|problem| problem.code)), (3, Some(Code::InvalidField)));
    assert_eq!(preview.integrations[0].violations[0].reason, ViolationReason::Connector);
    assert_eq!(place(&point::update(&world.engine, &world.grant, "desks", other).await.unwrap_err()), (Code::InvalidField, "/connector"));

    point::update(&world.engine, &world.grant, "desks", change(narrow(), None)).await.unwrap();
    let problem = call(&world, "t-prod", "alpha").await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderNotAllowed);
    assert!(problem.message.contains("desks") && problem.message.contains("prod") && problem.message.contains("alpha"), "{}", problem.message);
    assert!(call(&world, "t-test", "gamma").await.is_ok());
    let all = integration::list(&world.engine, &world.grant, Default::default()).await.unwrap().items;
    let found = integration::violations(&world.engine, &world.grant, &all).await.unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.values().all(|violations| violations[0].reason == ViolationReason::ProviderNoLongerAllowed));

    point::update(&world.engine, &world.grant, "desks", change(everywhere(), locked())).await.unwrap();
    assert!(call(&world, "t-prod", "beta").await.is_ok());
    let problem = call(&world, "t-prod", "alpha").await.unwrap_err();
    assert!(problem.code == Code::ProviderNotAllowed && problem.message.contains("`name`") && problem.message.contains("beta"), "{}", problem.message);
    // What would mend it is told, too.
    let preview = point::preview(&world.engine, &world.grant, "desks", change(everywhere(), Some(json!({})))).await.unwrap();
    assert_eq!((preview.affected, preview.mended), (0, 2));
    let mended = UpdateIntegration { provider_config: mock(json!({})), integration_point: Some("desks".to_owned()), ..UpdateIntegration::default() };
    integration::update(&world.engine, &world.grant, "t-prod", "alpha", mended).await.unwrap();
    assert!(call(&world, "t-prod", "alpha").await.is_ok());
}

#[tokio::test]
async fn a_change_of_a_point_is_undone_with_its_policy() {
    let world = World::new().await;
    let first = point(&world, json!({ "providers": { "ticketing_mock_ticketing": { "locked": { "name": "a" } } } })).await.unwrap();
    point::update(&world.engine, &world.grant, "desks", change(everywhere(), Some(json!({})))).await.unwrap();
    let rows = patchbay_engine::audit::list(&world.engine, &world.grant, Default::default()).await.unwrap().items;
    let row = rows.iter().find(|row| row.operation == "integration_points.update").unwrap();
    patchbay_engine::audit::undo(&world.engine, &world.grant, &row.id.to_string()).await.unwrap();
    assert_eq!(point::get(&world.engine, &world.grant, "desks").await.unwrap().policy, first.policy);
}

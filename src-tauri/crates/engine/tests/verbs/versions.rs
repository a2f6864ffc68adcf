//! Versions of a definition: what a move changes, what forbids it, and the way back. The catalogs are the built-in manifest
//! of Redmine with another version of it beside.

use patchbay_engine::definition;
use patchbay_engine::installation::{self};
use patchbay_engine::integration::version::{self, Target};
use patchbay_engine::integration::{self, CreateIntegration, UpdateIntegration};
use patchbay_engine::{Engine, NetworkPolicy};
use patchbay_model::definition::DefinitionStatus;
use patchbay_model::integration::Integration;
use patchbay_model::list::{Filter, ListQuery, Order};
use patchbay_model::{Code, Environment, Origin, Problem};
use patchbay_providers::Catalog;
use serde_json::{Value, json};

use crate::world::{DAY, World};

const REDMINE: &str = include_str!("../../../providers/catalog/ticketing_redmine.toml");
const MOCK: &str = include_str!("../../../providers/catalog/ticketing_mock_ticketing.toml");

/// The next version: it wants a tenant, forgets the tracker, and takes no password any more.
fn next() -> String {
    let text = REDMINE.replacen("version = \"3\"", "version = \"10\"", 1);
    let (start, end) = (text.find("[[config]]\nname = \"default_issue_type\"").unwrap(), text.find("[[credential]]\ntype = \"token\"").unwrap());
    let tenant = "[[config]]\nname = \"tenant\"\ntitle = \"Tenant\"\ndescription = \"Which of them.\"\nrequired = true\nschema = { type = \"string\", default = \"main\" }\n\n";
    let text = format!("{}{tenant}{}", &text[..start], &text[end..]);
    let (start, end) = (text.find("[[credential]]\ntype = \"basic\"").unwrap(), text.find("[[operation]]").unwrap());
    format!("{}{}", &text[..start], &text[end..])
}

fn sunset(text: &str, date: &str) -> String {
    text.replacen("[release]", &format!("[[sunset]]\ndate = \"{date}\"\nreason = \"Use Redmine 7.\"\nsource = \"unverified\"\n\n[release]"), 1)
}

/// The store, opened anew with these manifests of Redmine.
async fn reopened(world: World, manifests: &[(&str, &str)]) -> World {
    world.engine.shutdown().await;
    // Versions of one moment have no order.
    world.advance(1);
    let mut all = vec![("ticketing_mock_ticketing", MOCK)];
    all.extend(manifests);
    let catalog = Catalog::of_manifests(&all).unwrap();
    let engine = installation::open_with(&world.store(), &world.keys(), catalog, world.context.clone(), NetworkPolicy::default(), Origin::Cli).await.unwrap();
    let grant = engine.local_grant(world.created.organization.id, Origin::Cli).await.unwrap();
    World { engine, grant, ..world }
}

async fn redmine(world: &World, name: &str, credential: Value) -> Integration {
    let config = json!({ "type": "ticketing_redmine", "url": "http://127.0.0.1:9", "default_project": "ops", "default_issue_type": "Bug", "credential": credential });
    let runtime = json!({ "polling_interval": "1h" }).as_object().unwrap().clone();
    let new = CreateIntegration { name: Some(name.to_owned()), provider_config: config, runtime, ..CreateIntegration::default() };
    integration::create(&world.engine, &world.grant, "acme", new).await.unwrap().integration
}

fn to(version: &str) -> Target {
    Target { version: Some(version.to_owned()), ..Target::default() }
}

async fn pinned(engine: &Engine, integration: &Integration) -> String {
    definition::of_ids(engine, &[integration.definition]).await.unwrap()[&integration.definition].version.clone()
}

async fn now(world: &World, name: &str) -> Integration {
    integration::get(&world.engine, &world.grant, "acme", name).await.unwrap()
}

fn place(problem: &Problem) -> (Code, &str) {
    (problem.code, problem.context.parameter.as_ref().map_or("", |parameter| parameter.id.as_str()))
}

#[tokio::test]
async fn an_integration_moves_on_purpose_and_back() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    let before = redmine(&world, "desk", json!({ "type": "token", "secret": "PLANTED" })).await;
    let (next, two) = (next(), REDMINE);
    let world = reopened(world, &[("ticketing_redmine", &next), ("ticketing_redmine@3", two)]).await;
    assert_eq!(pinned(&world.engine, &now(&world, "desk").await).await, "3", "nothing moves by itself");
    let versions = version::list(&world.engine, &world.grant, "acme", "desk").await.unwrap();
    // The version before this one is kept by the build for those who pin it.
    let told: Vec<_> = versions
        .iter()
        .filter(|known| known.definition.version != "2")
        .map(|known| (known.definition.version.as_str(), known.definition.status, known.pinned, known.rollback))
        .collect();
    assert_eq!(told, [("10", DefinitionStatus::Active, false, false), ("3", DefinitionStatus::Deprecated, true, false)]);

    let preview = version::preview(&world.engine, &world.grant, "acme", "desk", to("10")).await.unwrap();
    assert!(preview.problems.is_empty(), "{:?}", preview.problems);
    let changes: Vec<_> = preview.schema.iter().map(|change| (change.member.as_str(), change.before.is_some(), change.after.is_some(), change.required)).collect();
    assert_eq!(changes, [("tenant", false, true, (false, true)), ("default_issue_type", true, false, (false, false))]);
    assert_eq!(preview.credentials.iter().map(|change| (change.member.as_str(), change.after.is_some())).collect::<Vec<_>>(), [("basic", false)]);
    assert_eq!(Value::Object(preview.config_after), json!({ "url": "http://127.0.0.1:9", "default_project": "ops", "tenant": "main", "polling_interval": "1h" }));

    let moved = version::set(&world.engine, &world.grant, "acme", "desk", to("10")).await.unwrap().integration;
    assert_eq!((pinned(&world.engine, &moved).await.as_str(), &moved.config["tenant"], moved.config.get("default_issue_type")), ("10", &json!("main"), None));
    assert_eq!(moved.config["credential"], before.config["credential"]);
    let old = UpdateIntegration { provider_config: before.provider_config(), ..UpdateIntegration::default() };
    let problem = integration::update(&world.engine, &world.grant, "acme", "desk", old).await.err().unwrap();
    assert_eq!(problem.code, Code::InvalidConfig, "the newer schema holds now: {}", problem.message);

    let back = version::rollback(&world.engine, &world.grant, "acme", "desk").await.unwrap().integration;
    assert_eq!((pinned(&world.engine, &back).await.as_str(), &back.config), ("3", &before.config));
    assert_eq!(version::rollback(&world.engine, &world.grant, "acme", "desk").await.err().unwrap().code, Code::InvalidRequest, "there is one way back only");
    assert_eq!(world.engine.verify_store().await.unwrap().findings, Vec::<String>::new());
}

#[tokio::test]
async fn an_edit_after_the_move_is_not_lost_by_a_rollback() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    redmine(&world, "desk", json!({ "type": "token", "secret": "s" })).await;
    let next = next();
    let world = reopened(world, &[("ticketing_redmine", &next), ("ticketing_redmine@3", REDMINE)]).await;
    let config = json!({ "url": "http://127.0.0.1:9", "tenant": "second" }).as_object().unwrap().clone();
    let moved = version::set(&world.engine, &world.grant, "acme", "desk", Target { config: Some(config), ..to("10") }).await.unwrap().integration;
    assert_eq!((&moved.config["tenant"], moved.config.get("default_project")), (&json!("second"), None), "a configuration that is given is the whole of it");
    assert!(version::list(&world.engine, &world.grant, "acme", "desk").await.unwrap().iter().any(|known| known.rollback && known.definition.version == "3"));
    let mut edited = moved.provider_config();
    edited["tenant"] = json!("third");
    integration::update(&world.engine, &world.grant, "acme", "desk", UpdateIntegration { provider_config: edited, ..UpdateIntegration::default() }).await.unwrap();
    assert_eq!(version::rollback(&world.engine, &world.grant, "acme", "desk").await.err().unwrap().code, Code::UpdateConflict);
    assert!(!version::list(&world.engine, &world.grant, "acme", "desk").await.unwrap().iter().any(|known| known.rollback));
    // By hand it goes all the same, and an older state is noticed.
    let late = Target { expected: Some(moved.updated_at.minus(std::time::Duration::from_secs(1))), ..to("3") };
    assert_eq!(version::set(&world.engine, &world.grant, "acme", "desk", late).await.err().unwrap().code, Code::UpdateConflict);
    let back = version::set(&world.engine, &world.grant, "acme", "desk", to("3")).await.unwrap().integration;
    assert_eq!(pinned(&world.engine, &back).await, "3");
}

#[tokio::test]
async fn what_forbids_a_move_is_shown_and_refused() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    let before = redmine(&world, "desk", json!({ "type": "basic", "username": "u", "secret": "s" })).await;
    let next = next();
    let world = reopened(world, &[("ticketing_redmine", &next), ("ticketing_redmine@3", REDMINE)]).await;
    let preview = version::preview(&world.engine, &world.grant, "acme", "desk", to("10")).await.unwrap();
    assert_eq!(preview.problems.iter().map(place).collect::<Vec<_>>(), [(Code::InvalidConfig, "/provider_config/credential/type")]);
    let problem = version::set(&world.engine, &world.grant, "acme", "desk", to("10")).await.err().unwrap();
    assert!(problem.message.contains("`basic`") && problem.message.contains("`token`"), "{}", problem.message);
    let nonsense = Target { config: json!({ "url": "http://127.0.0.1:9", "tenant": 7 }).as_object().cloned(), ..to("10") };
    let problems = version::preview(&world.engine, &world.grant, "acme", "desk", nonsense).await.unwrap().problems;
    assert_eq!(problems.iter().map(place).collect::<Vec<_>>(), [(Code::InvalidConfig, "/config/tenant"), (Code::InvalidConfig, "/provider_config/credential/type")]);
    for (target, pointer) in [
        (to("11"), "/version"),
        (Target::default(), "/version"),
        (Target { definition: Some("nothing".to_owned()), ..Target::default() }, "/definition_id"),
        (Target { definition: Some(before.definition.to_string()), ..to("10") }, "/version"),
    ] {
        let problem = version::preview(&world.engine, &world.grant, "acme", "desk", target).await.unwrap_err();
        assert_eq!(place(&problem), (Code::InvalidField, pointer), "{}", problem.message);
    }
    let same = version::preview(&world.engine, &world.grant, "acme", "desk", to("3")).await.unwrap();
    assert_eq!(same.problems.iter().map(place).collect::<Vec<_>>(), [(Code::InvalidField, "/version")]);
    assert_eq!(now(&world, "desk").await, before, "nothing was written");
}

#[tokio::test]
async fn a_move_is_undone_from_the_audit_log_and_redone() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    let before = redmine(&world, "desk", json!({ "type": "token", "secret": "s" })).await;
    let next = next();
    let world = reopened(world, &[("ticketing_redmine", &next), ("ticketing_redmine@3", REDMINE)]).await;
    let moved = version::set(&world.engine, &world.grant, "acme", "desk", to("10")).await.unwrap().integration;
    let rows = patchbay_engine::audit::list(&world.engine, &world.grant, ListQuery::default()).await.unwrap().items;
    let row = rows.iter().find(|row| row.operation == "integrations.set_version").unwrap();
    let undo = patchbay_engine::audit::undo(&world.engine, &world.grant, &row.id.to_string()).await.unwrap();
    assert_eq!(now(&world, "desk").await.config, before.config);
    patchbay_engine::audit::undo(&world.engine, &world.grant, &undo.id.to_string()).await.unwrap();
    let again = now(&world, "desk").await;
    assert_eq!((again.definition, again.config), (moved.definition, moved.config));
}

#[tokio::test]
async fn a_withdrawn_version_is_pinned_by_nobody_anew() {
    let world = World::new().await;
    world.account("acme", Environment::Prod, &[]).await;
    let kept = redmine(&world, "kept", json!({ "type": "token", "secret": "s" })).await;
    // The clock of the test stands in November 2026.
    let ended = sunset(REDMINE, "2026-01-31");
    let world = reopened(world, &[("ticketing_redmine", &ended)]).await;
    let config = json!({ "type": "ticketing_redmine", "url": "http://127.0.0.1:9", "credential": { "type": "token", "secret": "s" } });
    let new = || CreateIntegration { provider_config: config.clone(), ..CreateIntegration::default() };
    let problem = integration::create(&world.engine, &world.grant, "acme", new()).await.err().unwrap();
    assert!(problem.code == Code::DefinitionWithdrawn && problem.message.contains("Use Redmine 7."), "{}", problem.message);
    assert_eq!(integration::verify(&world.engine, &world.grant, "acme", new()).await.unwrap_err().code, Code::DefinitionWithdrawn);
    let renamed = UpdateIntegration { fullname: Some("Kept".to_owned()), provider_config: kept.provider_config(), ..UpdateIntegration::default() };
    assert!(integration::update(&world.engine, &world.grant, "acme", "kept", renamed).await.is_ok(), "what pins it stays");

    // An older version that ends while a newer one goes on: nobody moves back to it, but a move to the newer one is possible.
    let next = next();
    let world = reopened(world, &[("ticketing_redmine", &next), ("ticketing_redmine@3", &ended)]).await;
    let moved = version::set(&world.engine, &world.grant, "acme", "kept", to("10")).await.unwrap().integration;
    assert_eq!(pinned(&world.engine, &moved).await, "10");
    let problem = version::set(&world.engine, &world.grant, "acme", "kept", to("3")).await.err().unwrap();
    assert_eq!(problem.code, Code::DefinitionWithdrawn);
    assert_eq!(pinned(&world.engine, &version::rollback(&world.engine, &world.grant, "acme", "kept").await.unwrap().integration).await, "3", "back to where it was");

    // Before its day nothing ends.
    let later = sunset(REDMINE, "2026-12-31");
    let world = reopened(world, &[("ticketing_redmine", &later)]).await;
    assert!(integration::create(&world.engine, &world.grant, "acme", new()).await.is_ok());
    world.advance(60 * DAY);
    let world = reopened(world, &[("ticketing_redmine", &later)]).await;
    assert_eq!(integration::create(&world.engine, &world.grant, "acme", new()).await.err().unwrap().code, Code::DefinitionWithdrawn);
    // A provider that is gone from the catalog is withdrawn as well.
    let world = reopened(world, &[]).await;
    let filters = vec![Filter::parse("provider[eq]ticketing_redmine").unwrap(), Filter::parse("status[ne]withdrawn").unwrap()];
    assert!(definition::list(&world.engine, &world.grant, ListQuery { filters, ..ListQuery::default() }).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn definitions_are_listed_with_those_that_pin_them() {
    let world = World::new().await;
    for account in ["acme", "globex"] {
        world.account(account, Environment::Prod, &[]).await;
        world.mock(account, "mock").await;
    }
    let all = definition::list(&world.engine, &world.grant, ListQuery { total: true, ..ListQuery::default() }).await.unwrap();
    assert_eq!(all.total, Some(u64::try_from(world.engine.catalog().every_version().count()).unwrap()));
    let filters = vec![Filter::parse("connector[eq]ticketing").unwrap(), Filter::parse("provider[like]%mock%").unwrap(), Filter::parse("status[eq]active").unwrap()];
    let found =
        definition::list(&world.engine, &world.grant, ListQuery { filters, orders: vec![Order::parse("created_at[desc]").unwrap()], ..ListQuery::default() }).await.unwrap();
    assert_eq!(found.items.iter().map(|counted| (counted.definition.provider.as_str(), counted.integrations)).collect::<Vec<_>>(), [("ticketing_mock_ticketing", 2)]);
    // Pages, and both ways of naming one.
    let mut query = ListQuery { limit: Some(1), ..ListQuery::default() };
    let mut seen = Vec::new();
    loop {
        let page = definition::list(&world.engine, &world.grant, query.clone()).await.unwrap();
        seen.extend(page.items.into_iter().map(|counted| counted.definition.provider));
        match page.next {
            Some(next) => query.start_after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, all.items.iter().map(|counted| counted.definition.provider.clone()).collect::<Vec<_>>());
    let by_name = definition::get(&world.engine, &world.grant, "ticketing_mock_ticketing").await.unwrap();
    let by_id = definition::get(&world.engine, &world.grant, &by_name.definition.id.to_string()).await.unwrap();
    assert_eq!((&by_id, by_id.integrations), (&by_name, 2));
    assert_eq!(by_id.definition.config_schema["properties"]["polling_interval"]["type"], "string");
    assert_eq!(definition::get(&world.engine, &world.grant, "ticketing_nothing").await.unwrap_err().code, Code::NotFound);
}

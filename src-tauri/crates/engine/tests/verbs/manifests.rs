//! Manifests of an organization's own: what a check tells, what adding one changes and for whom, and the way back.

use patchbay_engine::manifest_entry;
use patchbay_engine::provider_app::{self, CreateProviderApp};
use patchbay_engine::{Engine, ManagementGrant, NetworkPolicy, audit, definition, installation, integration};
use patchbay_model::audit::AuditEvent;
use patchbay_model::definition::DefinitionStatus;
use patchbay_model::list::{Filter, ListQuery, Order};
use patchbay_model::{Code, Environment, Origin};
use patchbay_providers::manifest::Carries;
use serde_json::json;

use crate::world::World;

const ACME: &str = include_str!("../../../providers/tests/fixtures/manifest/custom_acme.toml");
const REDMINE: &str = include_str!("../../../providers/catalog/ticketing_redmine.toml");

/// Redmine, as an organization knows it that has one Redmine alone.
fn redmine() -> String {
    REDMINE.replacen("fullname = \"Redmine\"", "fullname = \"Our Redmine\"", 1)
}

async fn last(engine: &Engine, grant: &ManagementGrant, operation: &str) -> AuditEvent {
    let query = ListQuery {
        filters: vec![Filter::parse(&format!("operation[eq]{operation}")).unwrap()],
        orders: vec![Order::parse("created_at[desc]").unwrap()],
        limit: Some(1),
        ..ListQuery::default()
    };
    audit::list(engine, grant, query).await.unwrap().items.remove(0)
}

fn knows(catalog: &patchbay_providers::Catalog, id: &str) -> Option<String> {
    catalog.find(id).map(|provider| provider.version().to_owned())
}

#[tokio::test]
async fn a_check_tells_lines_hosts_and_differences() {
    let world = World::new().await;
    let (engine, grant) = (&world.engine, &world.grant);
    let broken = manifest_entry::check(engine, grant, "format = 2\nid = \"custom_x\"\nversion = 1\n").await.unwrap();
    assert!(broken.manifest.is_none() && broken.findings[0].line == 3, "{broken:?}");
    let good = manifest_entry::check(engine, grant, ACME).await.unwrap();
    assert_eq!(good.findings, []);
    assert_eq!((good.overrides, good.differences), (None, Vec::new()));
    let hosts: Vec<&str> = good.destinations.iter().map(|one| one.host.as_str()).collect();
    assert_eq!(hosts, ["api.acme.example", "login.acme.example"]);
    assert!(good.destinations[1].uses.iter().any(|used| used.carries == Carries::Grants));
    let other = manifest_entry::check(engine, grant, &redmine()).await.unwrap();
    assert_eq!(other.findings, []);
    assert_eq!(other.overrides.as_deref(), Some("3"));
    assert_eq!(other.differences.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["fullname"]);
    // What an organization must not say.
    for (text, key) in [
        (ACME.replacen("base = { fixed = { url = \"https://api.acme.example/v1\" } }", "base = \"local\"", 1), "id"),
        (ACME.replacen("custom_acme", "ticketing_redmine", 1), "connector"),
        (ACME.replacen("version = \"1\"", "version = \"1+ab.2\"", 1), "version"),
        (format!("{ACME}\n[[operation]]\nname = \"query_tickets\"\n"), "operation.query_tickets"),
    ] {
        let found = manifest_entry::check(engine, grant, &text).await.unwrap().findings;
        assert!(found.iter().any(|finding| finding.key.as_deref() == Some(key)), "{key}: {found:?}");
        let refused = manifest_entry::add(engine, grant, &text).await.unwrap_err();
        assert_eq!(refused.code, Code::ManifestInvalid, "{key}: {}", refused.message);
    }
    assert!(manifest_entry::list(engine, grant).await.unwrap().is_empty(), "a check stores nothing");
}

#[tokio::test]
async fn an_organizations_own_provider_is_one_like_any_other_and_nobody_elses() {
    let world = World::new().await;
    let (engine, grant) = (&world.engine, &world.grant);
    world.account("acme", Environment::Prod, &[]).await;
    let config = || json!({ "type": "custom_acme", "credential": { "type": "token", "secret": "PLANTED" } });
    let new = || integration::CreateIntegration { name: Some("desk".to_owned()), provider_config: config(), ..Default::default() };
    assert_eq!(integration::create(engine, grant, "acme", new()).await.err().unwrap().code, Code::InvalidConfig, "nobody knows it yet");
    let app = || CreateProviderApp {
        name: Some("ours".to_owned()),
        fullname: None,
        provider: "custom_acme".to_owned(),
        issuer: None,
        client_id: "c".to_owned(),
        client_secret: None,
        redirect_uris: Vec::new(),
        scopes: Vec::new(),
        secret_expires: None,
    };
    assert!(provider_app::create(engine, grant, app()).await.is_err());

    let added = manifest_entry::add(engine, grant, ACME).await.unwrap();
    assert!(added.definition.version.starts_with("1+") && added.definition.version.ends_with(".1"), "{}", added.definition.version);
    assert!(!added.overrides && knows(&engine.catalog_for(grant).await.unwrap(), "custom_acme").is_some());
    let made = integration::create(engine, grant, "acme", new()).await.unwrap().integration;
    assert_eq!(made.definition, added.definition.id);
    assert_eq!(provider_app::create(engine, grant, app()).await.unwrap().provider.as_str(), "custom_acme");

    // Another organization of the same store.
    let (stranger, created) = installation::create(&world.store(), &world.keys(), "Rival", world.context.clone()).await.unwrap();
    let theirs = stranger.local_grant(created.organization.id, Origin::Cli).await.unwrap();
    assert_eq!(knows(&stranger.catalog_for(&theirs).await.unwrap(), "custom_acme"), None);
    assert!(manifest_entry::list(&stranger, &theirs).await.unwrap().is_empty());
    let id = added.definition.id.to_string();
    assert_eq!(definition::get(&stranger, &theirs, &id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(definition::get(&stranger, &theirs, "custom_acme").await.unwrap_err().code, Code::NotFound);
    assert_eq!(manifest_entry::withdraw(&stranger, &theirs, &id).await.unwrap_err().code, Code::NotFound);
    let all = definition::list(&stranger, &theirs, ListQuery { limit: Some(ListQuery::MAX_LIMIT), ..ListQuery::default() }).await.unwrap();
    assert!(all.items.iter().all(|one| one.definition.organization.is_none()));
    // Both have one of the same id, and their versions do not meet.
    let rival = manifest_entry::add(&stranger, &theirs, ACME).await.unwrap();
    assert_ne!(rival.definition.version, added.definition.version);
    stranger.shutdown().await;

    // Nothing is sent into this computer's own network by it, as by none.
    let plain = ACME.replacen("https://api.acme.example/v1", "http://127.0.0.1:9", 1);
    assert_eq!(manifest_entry::add(engine, grant, &plain).await.unwrap_err().code, Code::ManifestInvalid, "no address is written out without TLS");
    manifest_entry::add(engine, grant, &redmine()).await.unwrap();
    let inside = world.redmine("acme", "inside", "PLANTED").await;
    assert!(inside.integration.definition != made.definition && inside.problems[0].code == Code::PrivateTarget, "{:?}", inside.problems);
    assert_eq!(engine.network(), NetworkPolicy::default());
}

#[tokio::test]
async fn what_is_added_is_withdrawn_and_brought_back() {
    let world = World::new().await;
    let (engine, grant) = (&world.engine, &world.grant);
    let in_force = async || knows(&engine.catalog_for(grant).await.unwrap(), "ticketing_redmine").unwrap();
    let first = manifest_entry::add(engine, grant, &redmine()).await.unwrap();
    assert!(first.overrides);
    assert_eq!(in_force().await, first.definition.version);
    assert!(engine.catalog_for(grant).await.unwrap().find("ticketing_redmine").unwrap().supports("query_tickets"), "the mapping of operations stays");
    world.advance(1);
    let second = manifest_entry::add(engine, grant, &redmine().replacen("Our Redmine", "Redmine of ours", 1)).await.unwrap();
    assert_eq!(in_force().await, second.definition.version);
    let statuses = async || manifest_entry::list(engine, grant).await.unwrap().iter().map(|one| one.definition.status).collect::<Vec<_>>();
    assert_eq!(statuses().await, [DefinitionStatus::Active, DefinitionStatus::Deprecated]);

    // The undo of an addition.
    let row = last(engine, grant, "manifests.add").await;
    let undone = audit::undo(engine, grant, &row.id.to_string()).await.unwrap();
    assert_eq!(in_force().await, first.definition.version, "the one before is in force again");
    assert_eq!(statuses().await, [DefinitionStatus::Withdrawn, DefinitionStatus::Active]);
    // And the undo of that.
    audit::undo(engine, grant, &undone.id.to_string()).await.unwrap();
    assert_eq!(in_force().await, second.definition.version);

    // By the provider's name it is the one in force that goes.
    world.advance(1);
    let gone = manifest_entry::withdraw(engine, grant, "ticketing_redmine").await.unwrap();
    assert_eq!(gone.definition.id, second.definition.id);
    manifest_entry::withdraw(engine, grant, "ticketing_redmine").await.unwrap();
    assert_eq!(in_force().await, "3", "what the program knows");
    let again = manifest_entry::withdraw(engine, grant, &second.definition.id.to_string()).await.unwrap_err();
    assert_eq!(again.code, Code::DefinitionWithdrawn);
    let row = last(engine, grant, "manifests.withdraw").await;
    audit::undo(engine, grant, &row.id.to_string()).await.unwrap();
    assert_eq!(in_force().await, first.definition.version);
    assert_eq!(audit::undo(engine, grant, &row.id.to_string()).await.unwrap_err().code, Code::UpdateConflict);
}

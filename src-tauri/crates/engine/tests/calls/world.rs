//! The test world: a store in a temporary folder and an account.

use patchbay_engine::account::CreateAccount;
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::integration::{CreateIntegration, IntegrationOutcome};
use patchbay_engine::point::CreatePoint;
use patchbay_engine::{ConnectorGrant, Engine, ManagementGrant, NetworkPolicy};
use patchbay_model::account::Account;
use patchbay_model::integration::Integration;
use patchbay_model::point::IntegrationPoint;
use patchbay_model::{Environment, Origin, Scope};
use patchbay_store::Store;
use patchbay_vault::{KeyAccess, KeySource, system_context};
use serde_json::Value;

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) grant: ManagementGrant,
    pub(crate) account: Account,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, keys) = (StoreUrl::Sqlite(folder.path().join("store.db")), KeyAccess::from(KeySource::File(folder.path().join("store.key"))));
        let (engine, created) = installation::create(&store, &keys, "Acme Tools", system_context()).await.unwrap();
        engine.shutdown().await;
        drop(engine);
        let engine = installation::open(&store, &keys, system_context(), NetworkPolicy { allow_private: true, rehearsal: None }, Origin::Cli).await.unwrap();
        let grant = engine.local_grant(created.organization.id, Origin::Cli).await.unwrap();
        let new = CreateAccount { name: Some("globex".to_owned()), environment: Some(Environment::Test), ..CreateAccount::default() };
        let account = patchbay_engine::account::create(&engine, &grant, new).await.unwrap().account;
        Self { engine, grant, account, folder }
    }

    pub(crate) async fn integration(&self, config: Value, point: Option<&IntegrationPoint>) -> IntegrationOutcome {
        let new = CreateIntegration {
            name: Some("tracker".to_owned()),
            provider_config: config,
            integration_point: point.map(|point| point.id.to_string()),
            ..CreateIntegration::default()
        };
        patchbay_engine::integration::create(&self.engine, &self.grant, "globex", new).await.unwrap()
    }

    pub(crate) async fn point(&self, new: CreatePoint) -> IntegrationPoint {
        patchbay_engine::point::create(&self.engine, &self.grant, new).await.unwrap()
    }

    pub(crate) async fn connector(&self) -> ConnectorGrant {
        patchbay_engine::integration::connector_grant(&self.engine, &self.grant, "globex", "tracker").await.unwrap()
    }

    pub(crate) async fn now(&self) -> Integration {
        patchbay_engine::integration::get(&self.engine, &self.grant, "globex", "tracker").await.unwrap()
    }

    /// The store itself, past the engine.
    pub(crate) async fn bare_store(&self) -> Store {
        Store::open(&self.folder.path().join("store.db")).await.unwrap()
    }

    pub(crate) fn scope(&self) -> Scope {
        Scope::Account(self.account.organization_id, self.account.id)
    }
}

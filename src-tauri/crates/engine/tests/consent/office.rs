//! An organization with one customer, in a store of its own, and a clock that runs with the machine's and can be moved ahead. Every world
//! of these tests is one of those beside an authorization server.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use patchbay_engine::account::CreateAccount;
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::integration::{self, CreateIntegration, UpdateIntegration};
use patchbay_engine::provider_app::{self, CreateProviderApp, UpdateProviderApp};
use patchbay_engine::{Engine, ManagementGrant, NetworkPolicy};
use patchbay_model::integration::Integration;
use patchbay_model::{Clock, Context, Origin, Secret, Timestamp};
use patchbay_providers::Catalog;
use patchbay_store::Store;
use patchbay_vault::{KeyAccess, KeySource, OsEntropy, SystemClock};
use serde_json::Value;

use crate::cluster::{ADMINISTRATOR, Database, LOGIN};

/// The name of the organization's client at the provider.
pub(crate) const APP: &str = "our-client";

/// Runs with the machine's clock, and some time ahead of it.
struct MovedClock(AtomicI64);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(SystemClock.now().unix_micros() + self.0.load(Ordering::SeqCst)).unwrap()
    }
}

pub(crate) struct Office {
    pub(crate) engine: Engine,
    pub(crate) grant: ManagementGrant,
    /// Its customer.
    pub(crate) account: String,
    catalog: Catalog,
    clock: Arc<MovedClock>,
    context: Context,
    place: Place,
}

/// A store, and the key beside it.
struct Place {
    folder: tempfile::TempDir,
    database: Option<Database>,
}

impl Place {
    fn store(&self) -> StoreUrl {
        match &self.database {
            Some(database) => database.url(LOGIN).parse().unwrap(),
            None => StoreUrl::Sqlite(self.folder.path().join("store.db")),
        }
    }

    fn keys(&self) -> KeyAccess {
        KeyAccess::from(KeySource::File(self.folder.path().join("store.key")))
    }

    async fn open(&self, catalog: Catalog, context: Context) -> Engine {
        let network = NetworkPolicy { allow_private: true, rehearsal: None };
        installation::open_with(&self.store(), &self.keys(), catalog, context, network, Origin::Desktop).await.unwrap()
    }
}

impl Office {
    /// With these manifests, or with those that are built in.
    pub(crate) async fn new(manifests: &[(&str, &str)]) -> Self {
        let catalog = if manifests.is_empty() { Catalog::builtin() } else { Catalog::of_manifests(manifests) };
        Self::at(catalog.unwrap(), None).await
    }

    /// In a file, or in a database.
    pub(crate) async fn at(catalog: Catalog, database: Option<Database>) -> Self {
        let place = Place { folder: tempfile::tempdir().unwrap(), database };
        let clock = Arc::new(MovedClock(AtomicI64::new(0)));
        let context = Context::new(clock.clone(), Arc::new(OsEntropy));
        let (engine, created) = installation::create(&place.store(), &place.keys(), "Acme Tools", context.clone()).await.unwrap();
        engine.shutdown().await;
        drop(engine);
        let engine = place.open(catalog.clone(), context.clone()).await;
        let grant = engine.local_grant(created.organization.id, Origin::Desktop).await.unwrap();
        let new = CreateAccount { name: Some("globex".to_owned()), ..CreateAccount::default() };
        let account = patchbay_engine::account::create(&engine, &grant, new).await.unwrap().account.id.to_string();
        Self { engine, grant, account, catalog, clock, context, place }
    }

    /// Another process's view of the same store.
    pub(crate) async fn second_engine(&self) -> Engine {
        self.place.open(self.catalog.clone(), self.context.clone()).await
    }

    /// The same on a machine whose clock is so many seconds ahead of the others'.
    pub(crate) async fn second_engine_ahead(&self, seconds: i64) -> Engine {
        let clock = MovedClock(AtomicI64::new(self.clock.0.load(Ordering::SeqCst) + seconds * 1_000_000));
        self.place.open(self.catalog.clone(), Context::new(Arc::new(clock), Arc::new(OsEntropy))).await
    }

    /// Runs a statement in the database as its administrator.
    pub(crate) fn psql(&self, sql: &str) -> String {
        self.place.database.as_ref().expect("the store is in a database").psql(ADMINISTRATOR, sql).unwrap()
    }

    /// The store itself, past the engine.
    pub(crate) async fn bare_store(&self) -> Store {
        Store::open(self.place.store().file().unwrap()).await.unwrap()
    }

    /// Where the store's file lies.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.place.folder.path()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.context.now()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub(crate) async fn make(&self, name: &str, config: Value) -> Integration {
        let new = CreateIntegration { name: Some(name.to_owned()), provider_config: config, ..CreateIntegration::default() };
        integration::create(&self.engine, &self.grant, &self.account, new).await.unwrap().integration
    }

    pub(crate) async fn change(&self, integration: &Integration, config: Value) {
        let change = UpdateIntegration { provider_config: config, ..UpdateIntegration::default() };
        integration::update(&self.engine, &self.grant, &self.account, &integration.id.to_string(), change).await.unwrap();
    }

    /// An integration as it is by now.
    pub(crate) async fn current(&self, integration: &Integration) -> Integration {
        integration::get(&self.engine, &self.grant, &self.account, &integration.id.to_string()).await.unwrap()
    }

    /// Makes the organization's client at an OpenID provider.
    pub(crate) async fn register(&self, issuer: &str, client_id: &str, client_secret: Option<&str>, redirect_uris: &[&str]) {
        let app = CreateProviderApp {
            name: Some(APP.to_owned()),
            fullname: None,
            provider: "identity_openid".to_owned(),
            issuer: Some(issuer.to_owned()),
            client_id: client_id.to_owned(),
            client_secret: client_secret.map(Secret::new),
            redirect_uris: redirect_uris.iter().map(|uri| (*uri).to_owned()).collect(),
            scopes: Vec::new(),
            secret_expires: None,
        };
        provider_app::create(&self.engine, &self.grant, app).await.unwrap();
    }

    /// That client as it is, with something else.
    pub(crate) async fn change_app(&self, with: impl FnOnce(&mut UpdateProviderApp)) {
        let mut change = UpdateProviderApp::of(provider_app::get(&self.engine, &self.grant, APP).await.unwrap());
        with(&mut change);
        provider_app::update(&self.engine, &self.grant, APP, change).await.unwrap();
    }
}

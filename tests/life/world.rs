//! One provider, played; one store in a temporary folder; one clock for both.

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use libtest_mimic::Failed;
use patchbay_engine::account::CreateAccount;
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::integration::{self, CreateIntegration, UpdateIntegration};
use patchbay_engine::provider_app::{self, CreateProviderApp};
use patchbay_engine::{Engine, ManagementGrant, NetworkPolicy};
use patchbay_model::deadline::ClockOwner;
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_model::status::CallSums;
use patchbay_model::{Clock, Context, Origin, Problem, Scope, Secret, Timestamp};
use patchbay_providers::manifest::CredentialOption;
use patchbay_providers::{Catalog, Provider, sample_config_of};
use patchbay_server::Simulated;
use patchbay_simulator::{Entry, Simulator};
use patchbay_store::{Store, Usage};
use patchbay_vault::{KeyAccess, KeySource, OsEntropy, SystemClock};
use serde_json::{Map, Value};

/// Runs with the machine's clock, and some time ahead of it.
struct MovedClock(AtomicI64);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now();
        Timestamp::from_unix_micros(now.unix_micros() + self.0.load(Ordering::SeqCst)).unwrap_or(now)
    }
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) grant: ManagementGrant,
    pub(crate) simulator: Simulator,
    provider: Arc<Provider>,
    account: String,
    clock: Arc<MovedClock>,
    // Both end with the trial.
    simulated: Simulated,
    folder: tempfile::TempDir,
}

/// A failure with where it happened.
pub(crate) fn at<E: Display>(step: &'static str) -> impl FnOnce(E) -> Failed {
    move |error| Failed::from(format!("{step}: {error}"))
}

/// The same for problems, with their code.
pub(crate) fn problem(step: &'static str) -> impl FnOnce(Problem) -> Failed {
    move |problem| Failed::from(format!("{step}: {:?}: {}", problem.code, problem.message))
}

/// Fails the trial with these words.
pub(crate) fn must(holds: bool, words: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(Failed::from(words())) }
}

impl World {
    pub(crate) async fn new(catalog: &Catalog, provider: &Arc<Provider>) -> Result<Self, Failed> {
        let folder = tempfile::tempdir().map_err(at("a folder"))?;
        let store = StoreUrl::Sqlite(folder.path().join("store.db"));
        let keys = KeyAccess::from(KeySource::File(folder.path().join("store.key")));
        let clock = Arc::new(MovedClock(AtomicI64::new(0)));
        let context = Context::new(clock.clone(), Arc::new(OsEntropy));
        let simulator = Simulator::of(std::slice::from_ref(provider), context.clone());
        let simulated = Simulated::start(simulator.clone(), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.map_err(problem("the simulator"))?;
        let network = NetworkPolicy { allow_private: false, rehearsal: Some(simulated.rehearsal().map_err(problem("the rehearsal"))?) };
        let (engine, created) = installation::create(&store, &keys, "Acme Tools", context.clone()).await.map_err(problem("the store"))?;
        engine.shutdown().await;
        drop(engine);
        let engine = installation::open_with(&store, &keys, catalog.clone(), context, network, Origin::Cli).await.map_err(problem("the engine"))?;
        let grant = engine.local_grant(created.organization.id, Origin::Cli).await.map_err(problem("the grant"))?;
        let new = CreateAccount { name: Some("globex".to_owned()), ..CreateAccount::default() };
        let account = patchbay_engine::account::create(&engine, &grant, new).await.map_err(problem("the account"))?.account.id.to_string();
        Ok(Self { engine, grant, simulator, provider: provider.clone(), account, clock, simulated, folder })
    }

    /// A configuration with this credential in it.
    pub(crate) fn config(&self, way: Option<&CredentialOption>, fields: Option<&Map<String, Value>>) -> Value {
        let manifest = self.provider.manifest();
        let mut config = way.map_or_else(|| patchbay_providers::sample_config(manifest), |way| sample_config_of(manifest, way));
        config.insert("type".to_owned(), self.provider.id().as_str().into());
        if let Some(way) = way {
            let mut credential = fields.cloned().unwrap_or_default();
            credential.insert("type".to_owned(), way.word.as_str().into());
            config.insert("credential".to_owned(), Value::Object(credential));
        }
        Value::Object(config)
    }

    pub(crate) async fn integration(&self, config: Value) -> Result<Integration, Failed> {
        let new = CreateIntegration { name: Some("life".to_owned()), provider_config: config, ..CreateIntegration::default() };
        Ok(integration::create(&self.engine, &self.grant, &self.account, new).await.map_err(problem("the integration"))?.integration)
    }

    pub(crate) async fn change(&self, integration: &Integration, config: Value) -> Result<(), Failed> {
        let change = UpdateIntegration { provider_config: config, ..UpdateIntegration::default() };
        integration::update(&self.engine, &self.grant, &self.account, &integration.id.to_string(), change).await.map(drop).map_err(problem("the change"))
    }

    pub(crate) async fn now(&self, integration: &Integration) -> Result<Integration, Failed> {
        integration::get(&self.engine, &self.grant, &self.account, &integration.id.to_string()).await.map_err(problem("the integration as it is"))
    }

    pub(crate) async fn status(&self, integration: &Integration) -> Result<IntegrationStatus, Failed> {
        Ok(self.now(integration).await?.status)
    }

    /// A call with the credential that must be answered.
    pub(crate) async fn works(&self, integration: &Integration, step: &'static str) -> Result<(), Failed> {
        let outcome = self.engine.probe(&self.now(integration).await?).await;
        outcome.map(drop).map_err(|problem| {
            let last = self.simulator.log().pop().map(|entry| format!("{entry:?}")).unwrap_or_default();
            Failed::from(format!("{step}: {:?}: {}; the provider last saw {last}", problem.code, problem.message))
        })
    }

    /// A call with the credential that must be refused, and be told as that.
    pub(crate) async fn fails(&self, integration: &Integration, step: &'static str) -> Result<Problem, Failed> {
        match self.engine.probe(&self.now(integration).await?).await {
            Ok(_) => Err(Failed::from(format!("{step}: the call is answered all the same"))),
            Err(problem) => Ok(problem),
        }
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.0.fetch_add(i64::try_from(seconds).unwrap_or_default() * 1_000_000, Ordering::SeqCst);
    }

    /// Another process goes on with the store; what the one before had in memory is gone.
    pub(crate) async fn open_again(&mut self, catalog: &Catalog) -> Result<(), Failed> {
        let store = StoreUrl::Sqlite(self.folder.path().join("store.db"));
        let keys = KeyAccess::from(KeySource::File(self.folder.path().join("store.key")));
        let network = NetworkPolicy { allow_private: false, rehearsal: Some(self.simulated.rehearsal().map_err(problem("the rehearsal"))?) };
        let context = Context::new(self.clock.clone(), Arc::new(OsEntropy));
        self.engine = installation::open_with(&store, &keys, catalog.clone(), context, network, Origin::Cli).await.map_err(problem("the next engine"))?;
        Ok(())
    }

    async fn bare_store(&self) -> Result<Store, Failed> {
        Store::open(&self.folder.path().join("store.db")).await.map_err(at("the store itself"))
    }

    /// When the tokens of an integration end and are renewed.
    pub(crate) async fn clocks(&self, integration: &Integration) -> Result<Vec<patchbay_model::deadline::Clock>, Failed> {
        let id = self.now(integration).await?.config.pointer("/credential/value").and_then(Value::as_str).and_then(|id| id.parse().ok()).ok_or("it has no credential")?;
        let scope = Scope::Account(integration.organization_id, integration.account_id);
        let mut tx = self.bare_store().await?.read(scope).await.map_err(at("the clocks"))?;
        tx.clocks_of(ClockOwner::Credential(id)).await.map_err(at("the clocks"))
    }

    /// As if a program had called at this moment.
    pub(crate) async fn used(&self, integration: &Integration) -> Result<(), Failed> {
        let usage = Usage {
            organization_id: integration.organization_id,
            account_id: integration.account_id,
            integration_id: integration.id,
            last_used_at: self.clock.now(),
            last_connected_at: None,
            used: CallSums::default(),
            minutes: Vec::new(),
            turns: Vec::new(),
        };
        self.bare_store().await?.flush_usage(&[usage]).await.map_err(at("the use of an integration"))
    }

    /// What came of each request of this kind.
    pub(crate) fn outcomes(&self, what: &str) -> Vec<String> {
        self.asked(what).into_iter().map(|entry| entry.outcome).collect()
    }

    /// What the provider was asked of this kind.
    pub(crate) fn asked(&self, what: &str) -> Vec<Entry> {
        self.simulator.log().into_iter().filter(|entry| entry.what == what).collect()
    }
}

/// The organization enters the access key of its own principal.
pub(crate) async fn registered(world: &World, provider: &Provider) -> Result<(), Failed> {
    let setup = world.simulator.setup(provider.id()).ok_or("the provider is not simulated")?;
    let app = CreateProviderApp {
        name: Some("our-principal".to_owned()),
        fullname: None,
        provider: provider.id().to_string(),
        issuer: None,
        client_id: setup.client_id,
        client_secret: Some(Secret::new(setup.client_secret.as_str())),
        redirect_uris: Vec::new(),
        scopes: Vec::new(),
        secret_expires: None,
    };
    provider_app::create(&world.engine, &world.grant, app).await.map(drop).map_err(problem("the principal"))
}

//! The test world: a store in a temporary folder, a clock that stands still, randomness from a seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use patchbay_engine::account::CreateAccount;
use patchbay_engine::installation::{self, Created, StoreUrl};
use patchbay_engine::integration::{CreateIntegration, IntegrationOutcome};
use patchbay_engine::{CallerInfo, Engine, Grant, ManagementGrant};
use patchbay_model::account::Account;
use patchbay_model::{Clock, Context, Entropy, Environment, Origin, Problem, Timestamp};
use patchbay_vault::{KeyAccess, KeySource};
use serde_json::json;

pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// SplitMix64: every run sees the same bytes.
struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) created: Created,
    pub(crate) grant: ManagementGrant,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) context: Context,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(1_795_000_000_000_000)));
        let context = Context::new(clock.clone(), Arc::new(Seeded(AtomicU64::new(7))));
        let (engine, created) = installation::create(&store(&folder), &keys(&folder), "Acme Tools", context.clone()).await.unwrap();
        let grant = engine.local_grant(created.organization.id, Origin::Cli).await.unwrap();
        Self { engine, created, grant, clock, context, folder }
    }

    pub(crate) fn store(&self) -> StoreUrl {
        store(&self.folder)
    }

    pub(crate) fn keys(&self) -> KeyAccess {
        keys(&self.folder)
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.0.fetch_add(i64::try_from(seconds).unwrap() * 1_000_000, Ordering::SeqCst);
    }

    pub(crate) async fn verify(&self, secret: &str) -> Result<Grant, Problem> {
        self.engine.verify(secret, caller()).await
    }

    pub(crate) async fn management(&self, secret: &str) -> ManagementGrant {
        self.verify(secret).await.unwrap().management().unwrap()
    }

    pub(crate) async fn account(&self, name: &str, environment: Environment, labels: &[&str]) -> Account {
        let new = CreateAccount {
            name: Some(name.to_owned()),
            environment: Some(environment),
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
            ..CreateAccount::default()
        };
        patchbay_engine::account::create(&self.engine, &self.grant, new).await.unwrap().account
    }

    pub(crate) async fn mock(&self, account: &str, name: &str) -> IntegrationOutcome {
        let new = CreateIntegration { name: Some(name.to_owned()), provider_config: json!({ "type": "ticketing_mock_ticketing" }), ..CreateIntegration::default() };
        patchbay_engine::integration::create(&self.engine, &self.grant, account, new).await.unwrap()
    }

    /// A Redmine that nobody answers for: its address is refused before anything is sent.
    pub(crate) async fn redmine(&self, account: &str, name: &str, secret: &str) -> IntegrationOutcome {
        let config = json!({ "type": "ticketing_redmine", "url": "http://127.0.0.1:9", "credential": { "type": "token", "secret": secret } });
        let new = CreateIntegration { name: Some(name.to_owned()), provider_config: config, ..CreateIntegration::default() };
        patchbay_engine::integration::create(&self.engine, &self.grant, account, new).await.unwrap()
    }
}

pub(crate) fn caller() -> CallerInfo {
    CallerInfo { remote_addr: "192.0.2.7".to_owned(), user_agent: "test".to_owned(), method: "GET".to_owned(), path: "/v1/test".to_owned(), ..CallerInfo::local(Origin::Api) }
}

pub(crate) fn store(folder: &tempfile::TempDir) -> StoreUrl {
    StoreUrl::Sqlite(folder.path().join("store.db"))
}

pub(crate) fn keys(folder: &tempfile::TempDir) -> KeyAccess {
    KeyAccess::from(KeySource::File(folder.path().join("store.key")))
}

pub(crate) const HOUR: u64 = 3600;
pub(crate) const DAY: u64 = 24 * HOUR;

pub(crate) fn seconds(duration: Duration) -> u64 {
    duration.as_secs()
}

//! The real thing in this program: a fresh store for every case, opened by an engine; on PostgreSQL by two, as in two
//! processes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use patchbay_api::operation;
use patchbay_api::request::Request;
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::{CallerInfo, Engine, ManagementGrant, NetworkPolicy};
use patchbay_model::{Context, Entropy, Operation, OrganizationId, Origin};
use patchbay_vault::{KeyAccess, KeySource};
use serde_json::Value;

use crate::cluster::{Cluster, Database, LOGIN};
use crate::world::{Answer, Call, TestClock};

/// Engines on one database server.
const ENGINES: u64 = 2;

/// When the clocks of these stores begin, in microseconds since 1970.
const BEGINNING: i64 = 1_795_000_000_000_000;

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

fn context(seed: u64) -> (Arc<TestClock>, Context) {
    let clock = Arc::new(TestClock::new(BEGINNING));
    (clock.clone(), Context::new(clock, Arc::new(Seeded(AtomicU64::new(seed)))))
}

/// A store with an organization and nothing else, copied for every case: making one takes longer than a case.
pub(crate) struct Stored {
    folder: tempfile::TempDir,
    database: Option<Database>,
    organization: OrganizationId,
}

impl Stored {
    pub(crate) async fn new(on_server: bool) -> Self {
        let folder = folder();
        let (_, context) = context(1);
        let database = on_server.then(|| Cluster::get().empty(LOGIN));
        let (engine, created) = installation::create(&store(folder.path(), database.as_ref()), &keys(folder.path()), "Acme Tools", context).await.unwrap();
        engine.shutdown().await;
        Self { folder, database, organization: created.organization.id }
    }
}

/// The engines of one case.
pub(crate) struct Engines {
    engines: Vec<Engine>,
    grant: ManagementGrant,
    pub(crate) clock: Arc<TestClock>,
    _database: Option<Database>,
    _folder: tempfile::TempDir,
}

impl Engines {
    pub(crate) async fn new(template: &Stored, seed: u64) -> Self {
        let folder = folder();
        let (clock, first) = context(seed);
        for name in ["store.db", "store.key"] {
            if let Ok(content) = std::fs::read(template.folder.path().join(name)) {
                std::fs::write(folder.path().join(name), content).unwrap();
            }
        }
        restrict(&folder.path().join("store.key"));
        let database = template.database.as_ref().map(|database| Cluster::get().copied(database, LOGIN));
        let mut contexts = vec![first];
        if database.is_some() {
            // The same clock, and randomness of its own.
            contexts.extend((1..ENGINES).map(|number| Context::new(clock.clone(), Arc::new(Seeded(AtomicU64::new(seed ^ (number << 48)))))));
        }
        let mut engines = Vec::new();
        for context in contexts {
            engines.push(installation::open(&store(folder.path(), database.as_ref()), &keys(folder.path()), context, NetworkPolicy::default(), Origin::Cli).await.unwrap());
        }
        let grant = engines[0].local_grant(template.organization, Origin::Api).await.unwrap();
        Self { engines, grant, clock, _database: database, _folder: folder }
    }

    /// The engine whose turn it is.
    fn engine(&self, turn: usize) -> &Engine {
        &self.engines[turn % self.engines.len()]
    }

    pub(crate) fn organization(&self) -> String {
        self.grant.organization().to_string()
    }

    pub(crate) fn member(&self) -> String {
        self.grant.member().to_string()
    }

    /// Sends a request through the dispatcher.
    pub(crate) async fn send(&self, turn: usize, call: &Call) -> Answer {
        let operation = Operation::from_id(call.operation).unwrap();
        let owned = |pairs: &[(&'static str, String)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let request = Request { path: owned(&call.path), query: owned(&call.query), body: call.body.clone() };
        match operation::run(self.engine(turn), &self.grant, operation, request).await {
            Ok(reply) => Answer { status: reply.status, refused: None, body: serde_json::from_str(&reply.body).unwrap_or(Value::Null), next: reply.next, deletion: reply.deletion },
            Err(problem) => Answer { status: problem.code.status(), refused: Some((problem.code.as_str(), problem.message)), body: Value::Null, next: None, deletion: None },
        }
    }

    pub(crate) async fn opens(&self, turn: usize, secret: &str) -> bool {
        self.engine(turn).verify(secret, CallerInfo::local(Origin::Api)).await.is_ok()
    }

    /// What `store verify` finds.
    pub(crate) async fn findings(&self, turn: usize) -> Result<Vec<String>, String> {
        self.engine(turn).verify_store().await.map(|report| report.findings).map_err(|problem| problem.message)
    }

    pub(crate) async fn close(self) {
        for engine in self.engines {
            engine.shutdown().await;
        }
    }
}

/// In memory where there is such a place: what is tried here is not the disk.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir()
        && let Ok(folder) = tempfile::tempdir_in(memory)
    {
        return folder;
    }
    tempfile::tempdir().unwrap()
}

fn store(folder: &Path, database: Option<&Database>) -> StoreUrl {
    match database {
        Some(database) => database.url(LOGIN).parse().unwrap(),
        None => StoreUrl::Sqlite(folder.join("store.db")),
    }
}

/// A key file that others could read is refused.
fn restrict(path: &Path) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

fn keys(folder: &Path) -> KeyAccess {
    KeyAccess::from(KeySource::File(PathBuf::from(folder).join("store.key")))
}

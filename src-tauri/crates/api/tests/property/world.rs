//! The real thing: a fresh store on each backend, a clock that stands still until it is told, randomness from a seed, and
//! the operations as the dispatcher runs them. On PostgreSQL two engines, as in two processes, have the store open, and every
//! second request goes to the other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use patchbay_api::operation;
use patchbay_api::request::Request;
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::{CallerInfo, Engine, ManagementGrant, NetworkPolicy};
use patchbay_model::{Clock, Context, Entropy, Operation, OrganizationId, Origin, Timestamp};
use patchbay_vault::{KeyAccess, KeySource};
use serde_json::Value;

use crate::cluster::{Cluster, Database, LOGIN};

/// A database on which everything runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    /// How many cases are tried where `sqlite` are tried on a file: making a database takes longer than a case.
    pub(crate) const fn cases(self, sqlite: u32) -> u32 {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => sqlite / 10,
        }
    }
}

/// All of them.
pub(crate) const BACKENDS: &[Backend] = &[Backend::Sqlite, Backend::Postgres];

/// Processes on one database server.
const ENGINES: u64 = 2;

/// A request as any surface would send it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    pub(crate) path: Vec<(&'static str, String)>,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
}

impl Call {
    pub(crate) fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn body(&self) -> &Value {
        self.body.as_ref().unwrap_or(&Value::Null)
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The code of a refusal, and its words for whoever reads a failure.
    pub(crate) refused: Option<(&'static str, String)>,
    pub(crate) body: Value,
    pub(crate) next: Option<String>,
    pub(crate) deletion: Option<String>,
}

struct TestClock(AtomicI64);

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

fn context(seed: u64) -> (Arc<TestClock>, Context) {
    let clock = Arc::new(TestClock(AtomicI64::new(1_795_000_000_000_000)));
    (clock.clone(), Context::new(clock, Arc::new(Seeded(AtomicU64::new(seed)))))
}

/// A store with an organization and nothing else, copied for every case: making one takes longer than a case.
pub(crate) struct Template {
    folder: tempfile::TempDir,
    database: Option<Database>,
    organization: OrganizationId,
}

impl Template {
    pub(crate) async fn new(backend: Backend) -> Self {
        let folder = folder();
        let (_, context) = context(1);
        let database = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(Cluster::get().empty(LOGIN)),
        };
        let (engine, created) = installation::create(&store(folder.path(), database.as_ref()), &keys(folder.path()), "Acme Tools", context).await.unwrap();
        engine.shutdown().await;
        Self { folder, database, organization: created.organization.id }
    }
}

pub(crate) struct World {
    engines: Vec<Engine>,
    turn: AtomicUsize,
    grant: ManagementGrant,
    clock: Arc<TestClock>,
    _database: Option<Database>,
    _folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new(template: &Template, seed: u64) -> Self {
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
        Self { engines, turn: AtomicUsize::new(0), grant, clock, _database: database, _folder: folder }
    }

    /// The engine whose turn it is.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engines[self.turn.fetch_add(1, Ordering::SeqCst) % self.engines.len()]
    }

    pub(crate) fn organization(&self) -> String {
        self.grant.organization().to_string()
    }

    pub(crate) fn member(&self) -> String {
        self.grant.member().to_string()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, micros: i64) {
        self.clock.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Sends a request through the dispatcher.
    pub(crate) async fn send(&self, call: &Call) -> Answer {
        let operation = Operation::from_id(call.operation).unwrap();
        let owned = |pairs: &[(&'static str, String)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let request = Request { path: owned(&call.path), query: owned(&call.query), body: call.body.clone() };
        match operation::run(self.engine(), &self.grant, operation, request).await {
            Ok(reply) => Answer { status: reply.status, refused: None, body: serde_json::from_str(&reply.body).unwrap_or(Value::Null), next: reply.next, deletion: reply.deletion },
            Err(problem) => Answer { status: problem.code.status(), refused: Some((problem.code.as_str(), problem.message)), body: Value::Null, next: None, deletion: None },
        }
    }

    /// Whether a secret opens anything.
    pub(crate) async fn opens(&self, secret: &str) -> bool {
        self.engine().verify(secret, CallerInfo::local(Origin::Api)).await.is_ok()
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

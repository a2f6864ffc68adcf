//! The real thing, whichever way it is reached: an engine on a file, two engines on one database server, or two programs on
//! one database server, spoken to over HTTP. Its clock stands still until it is told, and of two every second request goes to
//! the other.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use patchbay_model::{Clock, Timestamp};
use serde_json::Value;

use crate::engines::{Engines, Stored};
use crate::servers::{Servers, Tenant};

/// What everything runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
    /// Two `serve` processes on one database.
    Servers,
}

impl Backend {
    /// How many cases are tried where `sqlite` are tried on a file: making a database takes longer than a case.
    pub(crate) const fn cases(self, sqlite: u32) -> u32 {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => sqlite / 10,
            Self::Servers => sqlite / 15,
        }
    }
}

/// All of them.
pub(crate) const BACKENDS: &[Backend] = &[Backend::Sqlite, Backend::Postgres, Backend::Servers];

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

/// A clock that stands still until it is told.
pub(crate) struct TestClock {
    micros: AtomicI64,
    /// Where other programs read it.
    told: Option<File>,
}

impl TestClock {
    pub(crate) fn new(micros: i64) -> Self {
        Self { micros: AtomicI64::new(micros), told: None }
    }

    /// One that programs share by a file (peers/clock.c).
    pub(crate) fn shared(micros: i64, file: File) -> Self {
        let clock = Self { micros: AtomicI64::new(micros), told: Some(file) };
        clock.advance(0);
        clock
    }

    fn advance(&self, micros: i64) {
        let now = self.micros.fetch_add(micros, Ordering::SeqCst) + micros;
        if let Some(file) = &self.told {
            file.write_all_at(&now.to_ne_bytes(), 0).unwrap();
        }
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.micros.load(Ordering::SeqCst)).unwrap()
    }
}

/// What the cases of a backend have in common.
pub(crate) enum Template {
    Stored(Stored),
    Served(Arc<Servers>),
}

impl Template {
    pub(crate) async fn new(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite | Backend::Postgres => Self::Stored(Stored::new(backend == Backend::Postgres).await),
            Backend::Servers => Self::Served(Arc::new(Servers::start())),
        }
    }

    /// After all cases: what was started has to end well.
    pub(crate) fn end(self) {
        if let Self::Served(servers) = self {
            Arc::into_inner(servers).expect("no case is left").end();
        }
    }
}

enum Real {
    Engines(Box<Engines>),
    Tenant(Tenant),
}

/// One case's own part of the real thing: a store, or an organization in one.
pub(crate) struct World {
    real: Real,
    turn: AtomicUsize,
    clock: Arc<TestClock>,
}

impl World {
    pub(crate) async fn new(template: &Template, seed: u64) -> Self {
        let (real, clock) = match template {
            Template::Stored(stored) => {
                let engines = Engines::new(stored, seed).await;
                let clock = engines.clock.clone();
                (Real::Engines(Box::new(engines)), clock)
            }
            Template::Served(servers) => (Real::Tenant(Tenant::new(servers.clone()).await), servers.clock.clone()),
        };
        Self { real, turn: AtomicUsize::new(0), clock }
    }

    fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::SeqCst)
    }

    pub(crate) fn organization(&self) -> String {
        match &self.real {
            Real::Engines(engines) => engines.organization(),
            Real::Tenant(tenant) => tenant.organization.clone(),
        }
    }

    /// Who acts.
    pub(crate) fn member(&self) -> String {
        match &self.real {
            Real::Engines(engines) => engines.member(),
            Real::Tenant(tenant) => tenant.member.clone(),
        }
    }

    /// The container of the token by which the member acts, which a case that goes on must not end.
    pub(crate) fn acting_token(&self) -> Option<String> {
        match &self.real {
            Real::Engines(_) => None,
            Real::Tenant(tenant) => Some(tenant.container.clone()),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, micros: i64) {
        self.clock.advance(micros);
    }

    pub(crate) async fn send(&self, call: &Call) -> Answer {
        match &self.real {
            Real::Engines(engines) => engines.send(self.turn(), call).await,
            Real::Tenant(tenant) => tenant.send(self.turn(), call).await,
        }
    }

    /// Whether a secret opens anything.
    pub(crate) async fn opens(&self, secret: &str) -> bool {
        match &self.real {
            Real::Engines(engines) => engines.opens(self.turn(), secret).await,
            Real::Tenant(tenant) => tenant.opens(self.turn(), secret).await,
        }
    }

    /// Whether the store is sound. That of the servers is looked at when all cases are done.
    pub(crate) async fn sound(&self) -> Result<(), String> {
        let Real::Engines(engines) = &self.real else { return Ok(()) };
        let findings = engines.findings(self.turn()).await?;
        if findings.is_empty() { Ok(()) } else { Err(format!("the store is not sound: {findings:?}")) }
    }

    pub(crate) async fn close(self) {
        if let Real::Engines(engines) = self.real {
            engines.close().await;
        }
    }
}

//! The engine: one open store with its key, the providers' catalog, and what runs beside the verbs.

use std::sync::Arc;

use patchbay_model::change::Change;
use patchbay_model::{Context, Origin, Timestamp};
use patchbay_providers::Catalog;
use tokio::sync::broadcast;

use crate::NetworkPolicy;

/// Changes kept for a listener that reads late; one that falls further behind reads everything anew.
const EVENT_BACKLOG: usize = 1024;

/// One open store with everything that its verbs need. Clones share it.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    context: Context,
    origin: Origin,
    network: NetworkPolicy,
    catalog: Catalog,
    events: broadcast::Sender<Change>,
}

impl Engine {
    /// Joins the parts; [`crate::installation`] is the only caller.
    #[expect(dead_code, reason = "called once the store and the vault have landed")]
    pub(crate) fn assemble(context: Context, origin: Origin, network: NetworkPolicy, catalog: Catalog) -> Self {
        Self { inner: Arc::new(Inner { context, origin, network, catalog, events: broadcast::channel(EVENT_BACKLOG).0 }) }
    }

    /// Time, randomness and ids.
    pub fn context(&self) -> &Context {
        &self.inner.context
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.inner.context.now()
    }

    /// The program in which the engine runs; verbs carry their caller's own origin.
    pub fn origin(&self) -> Origin {
        self.inner.origin
    }

    /// Which targets may be called.
    pub fn network(&self) -> NetworkPolicy {
        self.inner.network
    }

    /// Every provider that this build knows.
    pub fn catalog(&self) -> &Catalog {
        &self.inner.catalog
    }

    /// Changes of every process on this store, as they are seen.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.inner.events.subscribe()
    }
}

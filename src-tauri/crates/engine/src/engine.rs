//! The engine: one open store with its key, the providers' catalog, and what runs beside the verbs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use patchbay_model::change::Change;
use patchbay_model::{Context, Origin, Timestamp};
use patchbay_providers::Catalog;
use patchbay_store::Store;
use patchbay_vault::{KeyAccess, Vault};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use crate::NetworkPolicy;
use crate::audit::Floods;
use crate::backup::LastFailure;
use crate::definition::Known;
use crate::http::HttpClient;
use crate::key::HeldKeys;
use crate::manifest_entry::OwnManifests;
use crate::outbound::Outbound;
use crate::usage::{TokenUses, Usage};

/// Changes kept for a listener that reads late; one that falls further behind reads everything anew.
const EVENT_BACKLOG: usize = 1024;

/// How long an answer of a provider is awaited at the end: longer than a token endpoint may take.
const LANDING: Duration = Duration::from_secs(45);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// One open store with everything that its verbs need. Clones share it.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    keys: HeldKeys,
    catalog: Arc<Catalog>,
    own_manifests: OwnManifests,
    http: HttpClient,
    outbound: Outbound,
    context: Context,
    origin: Origin,
    network: NetworkPolicy,
    events: broadcast::Sender<Change>,
    usage: Usage,
    definitions: Known,
    token_uses: TokenUses,
    public_url: OnceLock<String>,
    floods: Floods,
    held: Arc<AtomicUsize>,
    backup_failure: LastFailure,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// An engine that does not keep the store open: for tasks beside the verbs, which end when it is gone.
#[derive(Clone)]
pub(crate) struct WeakEngine(Weak<Inner>);

impl WeakEngine {
    /// The engine, as long as somebody else uses it.
    pub(crate) fn upgrade(&self) -> Option<Engine> {
        self.0.upgrade().map(|inner| Engine { inner })
    }
}

/// Work that is waited for at the end.
pub(crate) struct Held(Arc<AtomicUsize>);

impl Held {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits for the end of an engine.
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Returns when the engine is shut down or gone.
    pub(crate) async fn stopped(&mut self) {
        // An error means that the engine is gone.
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Whether the engine is shut down, for work that looks now and then.
    pub(crate) fn has_stopped(&self) -> bool {
        *self.0.borrow()
    }
}

/// The parts of an engine.
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) vault: Vault,
    pub(crate) access: KeyAccess,
    pub(crate) catalog: Catalog,
    pub(crate) http: HttpClient,
    pub(crate) context: Context,
    pub(crate) origin: Origin,
    pub(crate) network: NetworkPolicy,
}

impl Engine {
    /// Joins the parts; [`crate::installation`] is the only caller.
    pub(crate) fn assemble(parts: Parts) -> Self {
        let Parts { store, vault, access, catalog, http, context, origin, network } = parts;
        let (events, _) = broadcast::channel(EVENT_BACKLOG);
        let outbound = Outbound::new(&context);
        let inner = Inner {
            store,
            keys: HeldKeys::new(vault, &access),
            catalog: Arc::new(catalog),
            own_manifests: OwnManifests::default(),
            http,
            outbound,
            context,
            origin,
            network,
            events,
            usage: Usage::default(),
            definitions: Known::default(),
            token_uses: TokenUses::default(),
            public_url: OnceLock::new(),
            floods: Floods::default(),
            held: Arc::default(),
            backup_failure: LastFailure::default(),
            stop: watch::Sender::new(false),
            tasks: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// A handle that does not keep the engine alive.
    pub(crate) fn downgrade(&self) -> WeakEngine {
        WeakEngine(Arc::downgrade(&self.inner))
    }

    /// The store.
    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The keys as this process holds them now.
    pub(crate) fn vault(&self) -> Arc<Vault> {
        self.inner.keys.vault()
    }

    /// The keys with their source.
    pub(crate) fn keys(&self) -> &HeldKeys {
        &self.inner.keys
    }

    /// The source of the master key that this process goes by, as it was named or as a rotation has set it.
    pub fn key_source(&self) -> patchbay_vault::KeySource {
        self.inner.keys.source()
    }

    /// Whether nothing can be changed, because the file or its disk cannot be written.
    pub fn read_only(&self) -> bool {
        self.inner.store.is_read_only()
    }

    /// Every provider that this build knows. An organization may go by more than these ([`Self::catalog_for`]).
    pub fn catalog(&self) -> &Catalog {
        &self.inner.catalog
    }

    /// The same, to be kept.
    pub(crate) fn builtin(&self) -> Arc<Catalog> {
        self.inner.catalog.clone()
    }

    /// Manifests of organizations that were read before.
    pub(crate) fn own_manifests(&self) -> &OwnManifests {
        &self.inner.own_manifests
    }

    /// The one client for requests to providers.
    pub(crate) fn http(&self) -> &HttpClient {
        &self.inner.http
    }

    /// What is kept about the world outside.
    pub(crate) fn outbound(&self) -> &Outbound {
        &self.inner.outbound
    }

    /// Counters that are written in batches.
    pub(crate) fn usage(&self) -> &Usage {
        &self.inner.usage
    }

    /// Definitions that were read before.
    pub(crate) fn definitions(&self) -> &Known {
        &self.inner.definitions
    }

    /// Last uses of tokens that are written in batches.
    pub(crate) fn token_uses(&self) -> &TokenUses {
        &self.inner.token_uses
    }

    /// Bounds on rows of refused calls.
    pub(crate) fn floods(&self) -> &Floods {
        &self.inner.floods
    }

    /// The last failure of a backup that this process saw.
    pub(crate) fn backup_failure(&self) -> &LastFailure {
        &self.inner.backup_failure
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

    /// Tells at which address the web interface is served, for links that are passed on. The first call holds.
    pub fn serve_at(&self, public_url: &str) {
        // A second server on the same engine keeps the first one's address in links.
        let _ = self.inner.public_url.set(public_url.trim_end_matches('/').to_owned());
    }

    /// The address of the web interface, without a slash at its end; none where nothing is served.
    pub fn public_url(&self) -> Option<&str> {
        self.inner.public_url.get().map(String::as_str)
    }

    /// Which targets may be called.
    pub fn network(&self) -> NetworkPolicy {
        self.inner.network
    }

    /// Changes of every process on this store as they are seen, of all its organizations: a wake-up for a surface, which asks
    /// [`crate::changes::since`] for what its caller may be told.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.inner.events.subscribe()
    }

    pub(crate) fn announce(&self, change: Change) {
        // Nobody listening is no error.
        let _ = self.inner.events.send(change);
    }

    /// Tells tasks to end, when the engine is shut down or gone.
    pub(crate) fn stopping(&self) -> Stopping {
        Stopping(self.inner.stop.subscribe())
    }

    /// Work that must be finished before the store closes, though nobody may be waiting for it any more: as long as the guard
    /// is there, [`Self::shutdown`] waits.
    pub(crate) fn hold(&self) -> Held {
        Held::new(&self.inner.held)
    }

    /// Remembers a task, so that [`Self::shutdown`] waits for it.
    pub(crate) fn keep(&self, task: JoinHandle<()>) {
        self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    /// Stops the tasks beside the verbs, lets what was sent to a provider be stored, writes out counters and closes the store.
    /// Call it before the program ends.
    pub async fn shutdown(&self) {
        self.inner.stop.send_replace(true);
        let tasks = std::mem::take(&mut *self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // A task that failed has said so in the log.
            let _ = task.await;
        }
        let landed = async {
            while self.inner.held.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(LANDING, landed).await.is_err() {
            tracing::warn!("an answer of a provider is still awaited and is given up");
        }
        self.outbound().sessions.end_all(self).await;
        if let Err(problem) = crate::usage::flush(self).await {
            tracing::warn!(code = problem.code.as_str(), "usage counters could not be written");
        }
        if !self.read_only()
            && let Err(problem) = crate::audit::flush_refusals(self, true).await
        {
            tracing::warn!(code = problem.code.as_str(), "the number of refused calls could not be written");
        }
        self.store().close().await;
    }
}

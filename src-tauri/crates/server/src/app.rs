//! What every request needs.

use std::sync::Arc;

use patchbay_api::wire::host::StoreInfo;
use patchbay_engine::Engine;
use tokio::sync::{Semaphore, watch};
use url::Url;

use crate::limiter::Limiter;
use crate::options::Cidr;
use crate::rehearsal::Rehearsals;

/// Event streams at once. Each holds a connection and a place in the engine's broadcast.
const EVENT_STREAMS: usize = 512;

/// State of the server; clones share it.
#[derive(Clone)]
pub(crate) struct App {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) public_url: Url,
    pub(crate) trusted_proxies: Vec<Cidr>,
    pub(crate) store: StoreInfo,
    pub(crate) limiter: Limiter,
    pub(crate) event_streams: Arc<Semaphore>,
    pub(crate) rehearsals: Rehearsals,
    /// Becomes true when the server begins to end.
    pub(crate) ending: watch::Receiver<bool>,
}

impl App {
    pub(crate) fn new(engine: Engine, public_url: Url, trusted_proxies: Vec<Cidr>, store: StoreInfo, ending: watch::Receiver<bool>) -> Self {
        engine.serve_at(public_url.as_str());
        let event_streams = Arc::new(Semaphore::new(EVENT_STREAMS));
        Self { inner: Arc::new(Inner { engine, public_url, trusted_proxies, store, limiter: Limiter::default(), event_streams, rehearsals: Rehearsals::default(), ending }) }
    }

    /// Whether the server has begun to end.
    pub(crate) fn leaves(&self) -> bool {
        *self.ending.borrow()
    }
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}

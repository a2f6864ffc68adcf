//! What an engine keeps in memory about the world outside: lanes, issuers' metadata, renewals under way.

use patchbay_model::Context;
use patchbay_store::Witness;
use tokio::sync::OnceCell;

use crate::Engine;
use crate::auth::{Minted, Sessions};
use crate::call::places::Places;
use crate::http::Lanes;
use crate::oauth::MetadataCache;
use crate::refresh::Flights;

/// What is kept. Nothing of it is the truth about anything: the store is.
pub(crate) struct Outbound {
    /// One lane per integration.
    pub(crate) lanes: Lanes,
    /// One lane per authorization server.
    pub(crate) authorities: Lanes,
    /// What issuers say of themselves.
    pub(crate) metadata: MetadataCache,
    /// Where providers' APIs were found.
    pub(crate) places: Places,
    /// Tokens that credentials got without a person.
    pub(crate) minted: Minted,
    /// Sessions that logins opened at providers.
    pub(crate) sessions: Sessions,
    /// Renewals of this process.
    pub(crate) flights: Flights,
    /// This engine's name in leases.
    pub(crate) lease_owner: String,
    /// By which others see that this process lives; made before it first renews anything.
    witness: OnceCell<Option<Witness>>,
}

impl Outbound {
    /// Nothing yet, and a new name.
    pub(crate) fn new(context: &Context) -> Self {
        Self {
            lanes: Lanes::default(),
            authorities: Lanes::default(),
            metadata: MetadataCache::default(),
            places: Places::default(),
            minted: Minted::default(),
            sessions: Sessions::default(),
            flights: Flights::default(),
            lease_owner: context.new_uuid().to_string(),
            witness: OnceCell::new(),
        }
    }

    /// Whether others see that this process lives. Where they cannot, its leases are waited for after its death.
    pub(crate) async fn witnessed(&self, engine: &Engine) -> bool {
        match self.witness.get_or_try_init(|| engine.store().witness(&self.lease_owner)).await {
            Ok(witness) => witness.as_ref().is_some_and(Witness::holds),
            // Asked again at the next renewal: a database that was away for a moment is no reason to go without for good.
            Err(error) => {
                tracing::warn!(%error, "other processes cannot see whether this one lives; after a crash they wait for the end of its leases");
                false
            }
        }
    }

    /// Whether they see it at this moment.
    pub(crate) fn is_seen(&self) -> bool {
        self.witness.get().is_some_and(|witness| witness.as_ref().is_some_and(Witness::holds))
    }
}

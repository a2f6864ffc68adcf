//! What an engine keeps in memory about the world outside: lanes, issuers' metadata, renewals under way.

use patchbay_model::Context;

use crate::call::places::Places;
use crate::consent::MetadataCache;
use crate::http::Lanes;
use crate::refresh::Flights;

/// What is kept. Nothing of it is the truth about anything: the store is.
pub(crate) struct Outbound {
    /// One lane per integration.
    pub(crate) lanes: Lanes,
    /// What issuers say of themselves.
    pub(crate) metadata: MetadataCache,
    /// Where providers' APIs were found.
    pub(crate) places: Places,
    /// Renewals of this process.
    pub(crate) flights: Flights,
    /// This engine's name in leases.
    pub(crate) lease_owner: String,
}

impl Outbound {
    /// Nothing yet, and a new name.
    pub(crate) fn new(context: &Context) -> Self {
        Self { lanes: Lanes::default(), metadata: MetadataCache::default(), places: Places::default(), flights: Flights::default(), lease_owner: context.new_uuid().to_string() }
    }
}

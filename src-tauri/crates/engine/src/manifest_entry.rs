//! Manifests of an organization's own: providers that the program does not know, and other facts of those that it does.
//!
//! One is a row of the definitions, immutable like any: pinned by integrations, moved to and from by preview, deprecated by the next
//! one and withdrawn. A provider by the id of a built-in one keeps that one's mapping of operations. Nothing else is different for
//! it: the same address rules, the same templates, the same engine.

mod add;
mod catalog;
mod check;
mod list;
mod restore;
mod withdraw;

use std::sync::Arc;

use patchbay_model::definition::{Definition, DefinitionStatus};
use patchbay_model::{DefinitionId, Problem, ProviderId};
use patchbay_providers::Provider;
use patchbay_store::ReadTx;

pub use add::add;
pub(crate) use catalog::OwnManifests;
pub use check::{Checked, check};
pub use list::list;
pub(crate) use restore::restore;
pub use withdraw::withdraw;

use crate::Engine;

/// A manifest of the organization's own.
#[derive(Clone, Debug)]
pub struct ManifestEntry {
    /// Its row.
    pub definition: Arc<Definition>,
    /// What it says; none where this build cannot read it any more.
    pub provider: Option<Arc<Provider>>,
    /// Whether the program knows a provider of this id by itself.
    pub overrides: bool,
    /// Integrations within the caller's reach that pin it.
    pub integrations: u64,
}

impl ManifestEntry {
    async fn of(engine: &Engine, tx: &mut ReadTx, definition: Definition) -> Result<Self, Problem> {
        let integrations = tx.count_pinned(&[definition.id]).await?.first().map_or(0, |(_, number)| *number);
        Ok(Self { provider: engine.provider_of(&definition), overrides: engine.catalog().get(&definition.provider).is_some(), definition: Arc::new(definition), integrations })
    }
}

/// The organization's own manifest of this id; by a provider's id the one in force, or the newest.
async fn found(tx: &mut ReadTx, reference: &str) -> Result<Definition, Problem> {
    let all = tx.own_definitions().await?;
    let found = match (reference.parse::<DefinitionId>(), ProviderId::parse(reference)) {
        (Ok(id), _) => all.into_iter().find(|definition| definition.id == id),
        (Err(_), Ok(provider)) => {
            let mut of_it: Vec<Definition> = all.into_iter().filter(|definition| definition.provider == provider).collect();
            let place = of_it.iter().position(|definition| definition.status == DefinitionStatus::Active).unwrap_or_default();
            (place < of_it.len()).then(|| of_it.swap_remove(place))
        }
        (Err(_), Err(_)) => None,
    };
    found.ok_or_else(|| Problem::not_found("manifest", reference))
}

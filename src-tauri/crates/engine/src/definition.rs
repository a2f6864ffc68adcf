//! Definitions: versions of providers' metadata that integrations pin.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use patchbay_model::{DefinitionId, Problem, Scope};

use crate::Engine;

/// Versions that were read before. A definition is immutable, so they hold as long as the store is open.
#[derive(Default)]
pub(crate) struct Versions(Mutex<HashMap<DefinitionId, String>>);

impl Versions {
    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<DefinitionId, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The versions of these definitions. They belong to no organization, so no grant is needed.
///
/// # Errors
/// Problems of the store.
pub async fn versions(engine: &Engine, ids: &[DefinitionId]) -> Result<HashMap<DefinitionId, String>, Problem> {
    let mut versions: HashMap<_, _> = {
        let known = engine.versions().known();
        ids.iter().filter_map(|id| known.get(id).map(|version| (*id, version.clone()))).collect()
    };
    let unknown: Vec<_> = ids.iter().filter(|id| !versions.contains_key(id)).collect();
    if unknown.is_empty() {
        return Ok(versions);
    }
    let mut tx = engine.store().read(Scope::System).await?;
    for id in unknown {
        if let Some(definition) = tx.definition(*id).await? {
            versions.insert(*id, definition.version);
        }
    }
    engine.versions().known().extend(versions.iter().map(|(id, version)| (*id, version.clone())));
    Ok(versions)
}

//! Definitions: versions of providers' metadata that integrations pin.

use std::collections::HashMap;

use patchbay_model::{DefinitionId, Problem, Scope};

use crate::Engine;

/// The versions of these definitions. They belong to no organization, so no grant is needed.
///
/// # Errors
/// Problems of the store.
pub async fn versions(engine: &Engine, ids: &[DefinitionId]) -> Result<HashMap<DefinitionId, String>, Problem> {
    let mut tx = engine.store().read(Scope::System).await?;
    let mut versions = HashMap::new();
    for id in ids {
        if !versions.contains_key(id)
            && let Some(definition) = tx.definition(*id).await?
        {
            versions.insert(*id, definition.version);
        }
    }
    Ok(versions)
}

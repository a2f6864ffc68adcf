//! Definitions: versions of providers' metadata that integrations pin.

use std::collections::HashMap;

use patchbay_model::{DefinitionId, Problem};

use crate::Engine;

/// The versions of these definitions. They belong to no organization, so no grant is needed.
///
/// # Errors
/// Problems of the store.
pub async fn versions(engine: &Engine, ids: &[DefinitionId]) -> Result<HashMap<DefinitionId, String>, Problem> {
    let _ = ids;
    Err(crate::pending(engine))
}

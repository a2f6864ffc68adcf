//! Definitions: versions of providers' metadata that integrations pin.

mod get;
mod known;
mod list;

use std::collections::HashMap;
use std::sync::Arc;

use patchbay_model::definition::Definition;
use patchbay_model::{DefinitionId, Problem, Scope};

pub use get::get;
pub(crate) use known::{Known, pinned};
pub use list::list;

use crate::Engine;

/// A definition, and how many integrations of the caller's pin it.
#[derive(Clone, PartialEq, Debug)]
pub struct Counted {
    /// The definition.
    pub definition: Definition,
    /// Integrations within the caller's reach that pin it.
    pub integrations: u64,
}

/// These definitions, those that are there. Their status is as it was when they were first read. Whoever names one has
/// seen it before, so no grant is needed.
///
/// # Errors
/// Problems of the store.
pub async fn of_ids(engine: &Engine, ids: &[DefinitionId]) -> Result<HashMap<DefinitionId, Arc<Definition>>, Problem> {
    let mut found = HashMap::new();
    let mut missing = Vec::new();
    for id in ids {
        match engine.definitions().get(*id) {
            Some(definition) => {
                found.insert(*id, definition);
            }
            None => missing.push(*id),
        }
    }
    if !missing.is_empty() {
        let mut tx = engine.store().read(Scope::System).await?;
        for id in missing {
            if let Some(definition) = tx.definition(id).await? {
                found.insert(id, engine.definitions().keep(definition));
            }
        }
    }
    Ok(found)
}

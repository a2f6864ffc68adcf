//! Definitions that were read before. They are immutable but for their status, so one look into the store serves for good:
//! a connector call and a page of a list need them every time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use patchbay_model::definition::Definition;
use patchbay_model::{DefinitionId, Problem};
use patchbay_store::ReadTx;

use crate::Engine;

/// Definitions by id. Their status may have changed since; where that matters it is read from the store.
#[derive(Default)]
pub(crate) struct Known {
    by_id: Mutex<HashMap<DefinitionId, Arc<Definition>>>,
}

impl Known {
    /// The definition, if it was read before.
    pub(crate) fn get(&self, id: DefinitionId) -> Option<Arc<Definition>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Keeps one that was just read.
    pub(crate) fn keep(&self, definition: Definition) -> Arc<Definition> {
        let definition = Arc::new(definition);
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner).insert(definition.id, Arc::clone(&definition));
        definition
    }
}

/// The definition that an integration pins.
///
/// # Errors
/// `internal` when it is not there, which a foreign key rules out; problems of the store.
pub(crate) async fn pinned(engine: &Engine, tx: &mut ReadTx, id: DefinitionId) -> Result<Arc<Definition>, Problem> {
    if let Some(definition) = engine.definitions().get(id) {
        return Ok(definition);
    }
    let definition = tx.definition(id).await?.ok_or_else(|| Problem::internal("an integration pins a definition that is not there"))?;
    Ok(engine.definitions().keep(definition))
}

//! Reads a definition.

use patchbay_model::{DefinitionId, Operation, Problem, ProviderId};

use super::Counted;
use crate::{Engine, ManagementGrant, reach};

/// Reads a definition by its id, or by a provider's id: then the version that new integrations pin, or the newest where none may.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, reference: &str) -> Result<Counted, Problem> {
    let mut tx = reach::listing(engine, grant, Operation::DefinitionsGet).await?;
    let found = match (reference.parse::<DefinitionId>(), ProviderId::parse(reference)) {
        (Ok(id), _) => tx.definition(id).await?,
        (Err(_), Ok(provider)) => match tx.active_definition(&provider).await? {
            Some(active) => Some(active),
            None => tx.definitions_of(&provider).await?.into_iter().next(),
        },
        (Err(_), Err(_)) => None,
    };
    let definition = found.ok_or_else(|| Problem::not_found(DefinitionId::NOUN, reference))?;
    let integrations = tx.count_pinned(&[definition.id]).await?.first().map_or(0, |(_, number)| *number);
    Ok(Counted { definition, integrations })
}

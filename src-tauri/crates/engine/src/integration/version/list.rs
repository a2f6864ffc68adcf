//! Lists the versions between which an integration can move.

use patchbay_model::definition::Definition;
use patchbay_model::{Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// A version of an integration's provider.
#[derive(Clone, Debug)]
pub struct Version {
    /// The definition.
    pub definition: Definition,
    /// Whether the integration pins it.
    pub pinned: bool,
    /// Whether a rollback would bring the integration back to it.
    pub rollback: bool,
}

/// Every version of an integration's provider, the newest first.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Vec<Version>, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let (account, integration) = reach::permitted(&mut tx, grant, Operation::IntegrationsListVersions, account, integration).await?;
    let last = tx.last_move(account.id, integration.id).await?;
    let back = last.filter(|last| last.to == integration.definition && last.config_after == integration.config).map(|last| last.from);
    let versions = tx.definitions_of(&integration.provider).await?;
    Ok(versions.into_iter().map(|definition| Version { pinned: definition.id == integration.definition, rollback: Some(definition.id) == back, definition }).collect())
}

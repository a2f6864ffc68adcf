//! What a delete of an integration takes along.

use patchbay_model::{Operation, Problem};
use patchbay_store::Affected;

use crate::deletion::{Impact, today};
use crate::{Engine, ManagementGrant, reach};

/// What a delete of an integration takes along.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Impact, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let (_, integration) = reach::permitted(&mut tx, grant, Operation::IntegrationsImpact, account, integration).await?;
    let used_today = tx.used_since(Affected::Integration(integration.id), today(engine)).await?;
    Ok(Impact { used_today, ..tx.integration_impact(integration.id).await?.into() })
}

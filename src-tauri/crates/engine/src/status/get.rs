//! Reads how an integration fares.

use patchbay_model::status::IntegrationState;
use patchbay_model::{IntegrationId, Operation, Problem};

use super::up_to_date;
use crate::{Engine, ManagementGrant, reach};

/// Reads how an integration fares.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<IntegrationState, Problem> {
    up_to_date(engine).await;
    let mut tx = reach::reading(engine, grant).await?;
    let (_, integration) = reach::permitted(&mut tx, grant, Operation::StatusGet, account, integration).await?;
    tx.integration_state(integration.id).await?.ok_or_else(|| Problem::not_found(IntegrationId::NOUN, integration.id))
}

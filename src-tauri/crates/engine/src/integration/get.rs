//! Reads an integration.

use patchbay_model::integration::Integration;
use patchbay_model::{Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// Reads an integration by ids or names.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Integration, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    reach::permitted(&mut tx, grant, Operation::IntegrationsGet, account, integration).await.map(|(_, integration)| integration)
}

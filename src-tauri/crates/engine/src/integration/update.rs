//! Changes an integration.

use patchbay_model::Problem;

use super::{IntegrationOutcome, UpdateIntegration};
use crate::{Engine, ManagementGrant};

/// Changes an integration.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str, change: UpdateIntegration) -> Result<IntegrationOutcome, Problem> {
    let _ = (grant, account, integration, change,);
    Err(crate::pending(engine))
}

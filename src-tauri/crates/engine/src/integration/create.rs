//! Makes an integration.

use patchbay_model::Problem;

use super::{CreateIntegration, IntegrationOutcome};
use crate::{Engine, ManagementGrant};

/// Makes an integration. Trouble with the provider does not fail it: it is told in `problems`.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, account: &str, new: CreateIntegration) -> Result<IntegrationOutcome, Problem> {
    let _ = (grant, account, new,);
    Err(crate::pending(engine))
}

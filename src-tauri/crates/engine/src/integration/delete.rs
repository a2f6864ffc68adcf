//! Deletes an integration.

use patchbay_model::Problem;

use crate::deletion::Deletion;
use crate::{Engine, ManagementGrant};

/// Deletes an integration with its credentials and tokens; it can be undone for some minutes.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Deletion, Problem> {
    let _ = (grant, account, integration,);
    Err(crate::pending(engine))
}

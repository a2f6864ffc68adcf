//! Deletes a container.

use patchbay_model::Problem;

use crate::{Engine, ManagementGrant};

/// Deletes a container; all its secrets die at once and nothing brings them back.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, token: &str) -> Result<(), Problem> {
    let _ = (grant, token,);
    Err(crate::pending(engine))
}

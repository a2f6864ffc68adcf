//! Ends the secondary pair.

use patchbay_model::Problem;

use crate::{Engine, ManagementGrant};

/// Ends the secondary pair.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn remove_secondary(engine: &Engine, grant: &ManagementGrant, token: &str) -> Result<(), Problem> {
    let _ = (grant, token,);
    Err(crate::pending(engine))
}

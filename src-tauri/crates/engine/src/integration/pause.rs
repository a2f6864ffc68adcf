//! Switches an integration off and on.

use patchbay_model::Problem;
use patchbay_model::integration::Integration;

use crate::{Engine, ManagementGrant};

/// Switches an integration off: calls are refused until it is resumed.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn pause(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Integration, Problem> {
    let _ = (grant, account, integration,);
    Err(crate::pending(engine))
}

/// Switches a paused integration on again.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn resume(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Integration, Problem> {
    let _ = (grant, account, integration,);
    Err(crate::pending(engine))
}

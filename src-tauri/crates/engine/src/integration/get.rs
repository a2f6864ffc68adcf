//! Reads an integration.

use patchbay_model::Problem;
use patchbay_model::integration::Integration;

use crate::{Engine, ManagementGrant};

/// Reads an integration by ids or names.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Integration, Problem> {
    let _ = (grant, account, integration,);
    Err(crate::pending(engine))
}

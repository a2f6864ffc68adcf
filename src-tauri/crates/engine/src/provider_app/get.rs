//! Reads a provider app.

use patchbay_model::Problem;
use patchbay_model::consent::ProviderApp;

use crate::{Engine, ManagementGrant};

/// Reads a provider app by id or name.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, app: &str) -> Result<ProviderApp, Problem> {
    let _ = (grant, app,);
    Err(crate::pending(engine))
}

//! Makes a provider app.

use patchbay_model::Problem;
use patchbay_model::consent::ProviderApp;

use super::CreateProviderApp;
use crate::{Engine, ManagementGrant};

/// Makes a provider app.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, new: CreateProviderApp) -> Result<ProviderApp, Problem> {
    let _ = (grant, new,);
    Err(crate::pending(engine))
}

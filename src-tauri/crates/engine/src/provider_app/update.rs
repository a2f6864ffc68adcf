//! Changes a provider app.

use patchbay_model::Problem;
use patchbay_model::consent::ProviderApp;

use super::UpdateProviderApp;
use crate::{Engine, ManagementGrant};

/// Changes a provider app.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, app: &str, change: UpdateProviderApp) -> Result<ProviderApp, Problem> {
    let _ = (grant, app, change,);
    Err(crate::pending(engine))
}

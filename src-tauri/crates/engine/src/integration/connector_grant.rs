//! A connector grant inside the core, for Try it.

use patchbay_model::Problem;

use crate::{ConnectorGrant, Engine, ManagementGrant};

/// A connector grant for one integration, for a caller that may run calls (`integrations.call`). No token leaves the core.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn connector_grant(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<ConnectorGrant, Problem> {
    let _ = (grant, account, integration,);
    Err(crate::pending(engine))
}

//! A connector grant inside the core, for Try it.

use patchbay_model::{Operation, Problem};

use crate::{ConnectorGrant, Engine, ManagementGrant, reach};

/// A connector grant for one integration, for a caller that may run calls (`integrations.call`). No token leaves the core.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn connector_grant(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<ConnectorGrant, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let (account, integration) = reach::permitted(&mut tx, grant, Operation::IntegrationsCall, account, integration).await?;
    Ok(ConnectorGrant { organization: grant.organization(), account: account.id, integration: integration.id, member: grant.member(), caller: grant.caller().clone() })
}

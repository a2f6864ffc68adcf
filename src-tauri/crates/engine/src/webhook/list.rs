//! Lists organization webhooks.

use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::webhook::OrganizationWebhook;
use patchbay_model::{Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// Lists the webhooks of the organization.
///
/// # Errors
/// `permission_denied`; problems of the query and the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<OrganizationWebhook>, Problem> {
    grant.require_whole(Operation::OrganizationWebhooksList)?;
    Ok(reach::reading(engine, grant).await?.webhooks(&query).await?)
}

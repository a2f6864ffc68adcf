//! Lists integrations.

use patchbay_model::integration::Integration;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// Lists integrations within reach.
///
/// # Errors
/// `permission_denied`; problems of the query and the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<Integration>, Problem> {
    Ok(reach::paging(engine, grant, Operation::IntegrationsList, &query).await?.integrations(None, &query).await?)
}

/// Lists the integrations of one account.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the query and the store.
pub async fn list_account(engine: &Engine, grant: &ManagementGrant, account: &str, query: ListQuery) -> Result<Listed<Integration>, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let account = reach::account(&mut tx, grant, account).await?;
    grant.require(Operation::IntegrationsListAccount, Some(&account))?;
    tx.narrow_lists(grant.scopes(Operation::IntegrationsListAccount));
    Ok(tx.integrations(Some(account.id), &query).await?)
}

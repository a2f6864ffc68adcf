//! Lists what happened to an integration.

use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::status::StatusEvent;
use patchbay_model::{Operation, Problem};

use super::up_to_date;
use crate::{Engine, ManagementGrant, reach};

/// Lists failures and recoveries of an integration, oldest first unless ordered otherwise. A problem that stays the same is
/// one event, however many calls it fails.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the query and the store.
pub async fn events(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str, query: ListQuery) -> Result<Listed<StatusEvent>, Problem> {
    up_to_date(engine).await;
    let mut tx = reach::reading(engine, grant).await?;
    let (account, integration) = reach::permitted(&mut tx, grant, Operation::StatusListEvents, account, integration).await?;
    Ok(tx.status_events(account.id, integration.id, &query).await?)
}

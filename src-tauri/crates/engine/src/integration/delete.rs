//! Deletes an integration.

use patchbay_model::{Operation, Problem};

use crate::audit::record::{Done, record};
use crate::deletion::Deletion;
use crate::{Engine, ManagementGrant, reach};

/// Deletes an integration with its credentials and tokens; it can be undone for some minutes.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Deletion, Problem> {
    let mut tx = reach::writing(engine, grant).await?;
    let (account, integration) = reach::permitted(&mut tx, grant, Operation::IntegrationsDelete, account, integration).await?;
    let deletion = Deletion::new(engine);
    tx.delete_integration(integration.id, deletion.id, engine.now()).await?;
    let done = Done::deleted(Operation::IntegrationsDelete).in_account(account.id).on_integration(integration.id).before(&integration).deletion(deletion.id);
    record(engine, &mut tx, grant, done.giving(integration.id, integration.name.as_str())).await?;
    tx.commit().await?;
    Ok(deletion)
}

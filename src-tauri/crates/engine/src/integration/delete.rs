//! Deletes an integration.

use patchbay_model::revocation::RevocationReason;
use patchbay_model::{Operation, Problem};

use super::disconnect::take_back;
use crate::audit::record::{Done, record};
use crate::deletion::Deletion;
use crate::{Engine, ManagementGrant, reach};

/// Deletes an integration with its credentials and tokens; it can be undone for some minutes. What a person had authorized is taken back
/// at the provider when that time is over.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Deletion, Problem> {
    remove(engine, grant, account, integration, false).await
}

/// As [`delete`], and takes the access back at the provider at once. What an undo brings back has to be connected again.
///
/// # Errors
/// As [`delete`].
pub async fn delete_and_revoke(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Deletion, Problem> {
    remove(engine, grant, account, integration, true).await
}

async fn remove(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str, revoke: bool) -> Result<Deletion, Problem> {
    let mut tx = reach::writing_secrets(engine, grant).await?;
    let (account, mut integration) = reach::permitted(&mut tx, grant, Operation::IntegrationsDelete, account, integration).await?;
    if revoke {
        integration = take_back(engine, &mut tx, &integration, RevocationReason::Deleted, None).await?.integration;
    }
    let deletion = Deletion::new(engine);
    tx.delete_integration(integration.id, deletion.id, engine.now()).await?;
    let done = Done::deleted(Operation::IntegrationsDelete).in_account(account.id).on_integration(integration.id).before(&integration).deletion(deletion.id);
    record(engine, &mut tx, grant, done.giving(integration.id, integration.name.as_str())).await?;
    tx.commit().await?;
    Ok(deletion)
}

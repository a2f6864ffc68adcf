//! Deletes an account.

use patchbay_model::revocation::RevocationReason;
use patchbay_model::{Operation, Problem};

use crate::audit::record::{Done, record};
use crate::deletion::Deletion;
use crate::integration::disconnect::take_back;
use crate::{Engine, ManagementGrant, reach};

/// Deletes an account with its integrations and credentials; it can be undone for some minutes. Organization tokens that
/// are narrowed to it stay listed and reach nothing.
///
/// # Errors
/// `not_found`, `permission_denied`, problems of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, account: &str) -> Result<Deletion, Problem> {
    remove(engine, grant, account, false).await
}

/// As [`delete`], and takes the access of every integration back at its provider at once. What an undo brings back has to be connected
/// again.
///
/// # Errors
/// As [`delete`].
pub async fn delete_and_revoke(engine: &Engine, grant: &ManagementGrant, account: &str) -> Result<Deletion, Problem> {
    remove(engine, grant, account, true).await
}

async fn remove(engine: &Engine, grant: &ManagementGrant, account: &str, revoke: bool) -> Result<Deletion, Problem> {
    let mut tx = reach::writing_secrets(engine, grant).await?;
    let account = reach::account(&mut tx, grant, account).await?;
    grant.require(Operation::AccountsDelete, Some(&account))?;
    if revoke {
        for integration in reach::all_integrations(&mut tx, account.id).await? {
            take_back(engine, &mut tx, &integration, RevocationReason::Deleted, None).await?;
        }
    }
    let deletion = Deletion::new(engine);
    tx.delete_account(account.id, deletion.id, engine.now()).await?;
    record(
        engine,
        &mut tx,
        grant,
        Done::deleted(Operation::AccountsDelete).in_account(account.id).before(&account).deletion(deletion.id).giving(account.id, account.name.as_str()),
    )
    .await?;
    tx.commit().await?;
    Ok(deletion)
}

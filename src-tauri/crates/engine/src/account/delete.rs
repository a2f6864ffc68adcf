//! Deletes an account.

use patchbay_model::{Operation, Problem};

use crate::audit::record::{Done, record};
use crate::deletion::Deletion;
use crate::{Engine, ManagementGrant, reach};

/// Deletes an account with its integrations and credentials; it can be undone for some minutes. Organization tokens that
/// are narrowed to it stay listed and reach nothing.
///
/// # Errors
/// `not_found`, `permission_denied`, problems of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, account: &str) -> Result<Deletion, Problem> {
    let mut tx = reach::writing(engine, grant).await?;
    let account = reach::account(&mut tx, grant, account).await?;
    grant.require(Operation::AccountsDelete, Some(&account))?;
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

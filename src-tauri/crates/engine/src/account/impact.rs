//! What a delete of an account takes along.

use patchbay_model::{Operation, Problem};
use patchbay_store::Affected;

use crate::deletion::{Impact, today};
use crate::{Engine, ManagementGrant, reach};

/// What a delete of an account takes along.
///
/// # Errors
/// `not_found`, `permission_denied`, problems of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, account: &str) -> Result<Impact, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let account = reach::account(&mut tx, grant, account).await?;
    grant.require(Operation::AccountsImpact, Some(&account))?;
    let used_today = tx.used_since(Affected::Account(account.id), today(engine)).await?;
    Ok(Impact { used_today, ..tx.account_impact(account.id).await?.into() })
}

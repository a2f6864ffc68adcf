//! What a delete of an account takes along.

use patchbay_model::{Operation, Problem};

use crate::deletion::Impact;
use crate::{Engine, ManagementGrant, reach};

/// What a delete of an account takes along.
///
/// # Errors
/// `not_found`, `permission_denied`, problems of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, account: &str) -> Result<Impact, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let account = reach::account(&mut tx, grant, account).await?;
    grant.require(Operation::AccountsImpact, Some(&account))?;
    Ok(tx.account_impact(account.id).await?.into())
}

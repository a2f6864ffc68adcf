//! Reads accounts.

use patchbay_model::account::Account;
use patchbay_model::{AccountId, Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// Reads an account by id or name.
///
/// # Errors
/// `not_found`, `permission_denied`, problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, account: &str) -> Result<Account, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let account = reach::account(&mut tx, grant, account).await?;
    grant.require(Operation::AccountsGet, Some(&account))?;
    Ok(account)
}

/// Accounts by id, for lists that expand them; those out of reach are left out.
///
/// # Errors
/// Problems of the store.
pub async fn of_ids(engine: &Engine, grant: &ManagementGrant, ids: &[AccountId]) -> Result<Vec<Account>, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    Ok(tx.accounts_of(ids).await?.into_iter().filter(|account| grant.reaches(account)).collect())
}

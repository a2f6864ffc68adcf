//! Reads an account.

use patchbay_model::{AccountId, Problem};
use patchbay_model::account::Account;

use crate::{Engine, ManagementGrant};

/// Reads an account by id or name.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, account: &str) -> Result<Account, Problem> {
    let _ = (grant, account,);
    Err(crate::pending(engine))
}

/// Accounts by id, for lists that expand them; those out of reach are left out.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn of_ids(engine: &Engine, grant: &ManagementGrant, ids: &[AccountId]) -> Result<Vec<Account>, Problem> {
    let _ = (grant, ids,);
    Err(crate::pending(engine))
}

//! Changes an account.

use patchbay_model::Problem;
use patchbay_model::account::Account;

use super::UpdateAccount;
use crate::{Engine, ManagementGrant};

/// Changes an account.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, account: &str, change: UpdateAccount) -> Result<Account, Problem> {
    let _ = (grant, account, change,);
    Err(crate::pending(engine))
}

//! Makes an account.

use patchbay_model::Problem;

use super::{CreateAccount, CreatedAccount};
use crate::{Engine, ManagementGrant};

/// Makes an account.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, new: CreateAccount) -> Result<CreatedAccount, Problem> {
    let _ = (grant, new,);
    Err(crate::pending(engine))
}

//! Lists them, within the caller's reach.

use std::collections::HashMap;

use patchbay_model::{AccountId, Problem};
use patchbay_model::account::Account;
use patchbay_model::list::{ListQuery, Listed};

use crate::{Engine, ManagementGrant};

/// Lists.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<Account>, Problem> {
    let _ = (grant, query,);
    Err(crate::pending(engine))
}

/// How many integrations each of these accounts has; accounts without any may be missing.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn integration_counts(engine: &Engine, grant: &ManagementGrant, ids: &[AccountId]) -> Result<HashMap<AccountId, u64>, Problem> {
    let _ = (grant, ids,);
    Err(crate::pending(engine))
}

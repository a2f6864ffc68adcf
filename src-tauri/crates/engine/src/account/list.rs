//! Lists accounts.

use std::collections::HashMap;

use patchbay_model::account::Account;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{AccountId, Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// Lists the accounts within the caller's reach.
///
/// # Errors
/// `permission_denied`; problems of the query and the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<Account>, Problem> {
    Ok(reach::paging(engine, grant, Operation::AccountsList, &query).await?.accounts(&query).await?)
}

/// How many integrations each of these accounts has; accounts without any may be missing.
///
/// # Errors
/// Problems of the store.
pub async fn integration_counts(engine: &Engine, grant: &ManagementGrant, ids: &[AccountId]) -> Result<HashMap<AccountId, u64>, Problem> {
    Ok(reach::listing(engine, grant, Operation::AccountsList).await?.count_integrations(ids).await?.into_iter().collect())
}

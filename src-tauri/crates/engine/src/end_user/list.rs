//! Lists end users, and what one of them agreed to.

use patchbay_model::end_user::{ConsentReceipt, EndUser};
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{Operation, Problem};

use super::get::reached;
use crate::{Engine, ManagementGrant, reach};

/// Lists the end users of an account.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the query and the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, account: &str, query: ListQuery) -> Result<Listed<EndUser>, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let account = reach::account(&mut tx, grant, account).await?;
    grant.require(Operation::EndUsersList, Some(&account))?;
    Ok(tx.end_users(account.id, &query).await?)
}

/// Lists what a person agreed to, when, and until when.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the query and the store.
pub async fn receipts(engine: &Engine, grant: &ManagementGrant, account: &str, person: &str, query: ListQuery) -> Result<Listed<ConsentReceipt>, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let (_, person) = reached(&mut tx, grant, Operation::EndUsersReceipts, account, person).await?;
    Ok(tx.receipts_of(&person, &query).await?)
}

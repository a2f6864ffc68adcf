//! Reads an end user.

use patchbay_model::account::Account;
use patchbay_model::end_user::EndUser;
use patchbay_model::{EndUserId, Operation, Problem};
use patchbay_store::ReadTx;

use crate::{Engine, ManagementGrant, reach};

/// Reads an end user by id or name.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, account: &str, person: &str) -> Result<EndUser, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    Ok(reached(&mut tx, grant, Operation::EndUsersGet, account, person).await?.1)
}

/// The end user of this id or name in the account of that id or name, for an operation.
///
/// # Errors
/// `not_found` when there is none or it is out of reach; `permission_denied`.
pub(super) async fn reached(tx: &mut ReadTx, grant: &ManagementGrant, operation: Operation, account: &str, person: &str) -> Result<(Account, EndUser), Problem> {
    let account = reach::account(tx, grant, account).await?;
    grant.require(operation, Some(&account))?;
    let found = tx.find_end_user(account.id, person).await?;
    found.map(|person| (account, person)).ok_or_else(|| Problem::not_found(EndUserId::NOUN, person))
}

//! Lists credentials.

use patchbay_model::credential::Credential;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{Operation, Problem};

use super::owner;
use crate::{Engine, ManagementGrant, reach};

/// Lists the credentials of an account, an integration, a point or an organization webhook.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the query and the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, owner: &str, query: ListQuery) -> Result<Listed<Credential>, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let owner = owner::find(&mut tx, grant, Operation::CredentialsList, owner).await?;
    Ok(tx.credentials(Some(owner.owner), &query).await?)
}

//! What a delete of a credential takes along.

use patchbay_model::problem::Resource;
use patchbay_model::{Operation, Problem};
use patchbay_store::Affected;

use super::owner;
use crate::deletion::{Impact, today};
use crate::{Engine, ManagementGrant, reach};

/// What a delete of a credential takes along: nothing but itself. The integrations that refer to it stay and need attention.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, owner: &str, credential: &str) -> Result<Impact, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let (_, credential) = owner::credential(&mut tx, grant, Operation::CredentialsImpact, owner, credential).await?;
    let users = tx.credential_users(credential.id).await?.resources();
    let affects = users.into_iter().map(|user| Resource { rel: "affected".to_owned(), ..user }).collect();
    Ok(Impact { affects, used_today: tx.used_since(Affected::Credential(credential.id), today(engine)).await?, ..Impact::default() })
}

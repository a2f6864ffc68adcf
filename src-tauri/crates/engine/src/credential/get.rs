//! Reads a credential.

use patchbay_model::credential::Credential;
use patchbay_model::{CredentialId, Operation, Problem};

use super::owner;
use crate::{Engine, ManagementGrant, reach};

/// Reads a credential of an owner, by id or name.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, owner: &str, credential: &str) -> Result<Credential, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    owner::credential(&mut tx, grant, Operation::CredentialsGet, owner, credential).await.map(|(_, credential)| credential)
}

/// Finds a credential by id alone.
///
/// # Errors
/// `not_found`, also for one out of reach; `permission_denied`; problems of the store.
pub async fn lookup(engine: &Engine, grant: &ManagementGrant, credential: &str) -> Result<Credential, Problem> {
    let unknown = || Problem::not_found(CredentialId::NOUN, credential);
    let id: CredentialId = credential.parse().map_err(|_| unknown())?;
    let mut tx = reach::reading(engine, grant).await?;
    let found = tx.credential(id).await?.ok_or_else(unknown)?;
    match owner::of(&mut tx, grant, Operation::CredentialsLookup, found.owner).await {
        Ok(_) => Ok(found),
        Err(problem) if problem.code == patchbay_model::Code::NotFound => Err(unknown()),
        Err(problem) => Err(problem),
    }
}

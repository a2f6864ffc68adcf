//! Reads a credential.

use patchbay_model::Problem;
use patchbay_model::credential::Credential;

use crate::{Engine, ManagementGrant};

/// Reads a credential of an owner.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, owner: &str, credential: &str) -> Result<Credential, Problem> {
    let _ = (grant, owner, credential,);
    Err(crate::pending(engine))
}

/// Finds a credential by id alone.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn lookup(engine: &Engine, grant: &ManagementGrant, credential: &str) -> Result<Credential, Problem> {
    let _ = (grant, credential,);
    Err(crate::pending(engine))
}

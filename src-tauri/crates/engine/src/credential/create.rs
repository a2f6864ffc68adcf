//! Makes a credential.

use patchbay_model::Problem;
use patchbay_model::credential::Credential;

use super::CreateCredential;
use crate::{Engine, ManagementGrant};

/// Makes a credential of an account or a point.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, owner: &str, new: CreateCredential) -> Result<Credential, Problem> {
    let _ = (grant, owner, new,);
    Err(crate::pending(engine))
}

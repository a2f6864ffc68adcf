//! Changes a credential.

use patchbay_model::Problem;
use patchbay_model::credential::Credential;

use super::UpdateCredential;
use crate::{Engine, ManagementGrant};

/// Changes a credential.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, owner: &str, credential: &str, change: UpdateCredential) -> Result<Credential, Problem> {
    let _ = (grant, owner, credential, change,);
    Err(crate::pending(engine))
}

//! Deletes a credential.

use patchbay_model::Problem;

use crate::deletion::Deletion;
use crate::{Engine, ManagementGrant};

/// Deletes a credential; it can be undone for some minutes.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, owner: &str, credential: &str) -> Result<Deletion, Problem> {
    let _ = (grant, owner, credential,);
    Err(crate::pending(engine))
}

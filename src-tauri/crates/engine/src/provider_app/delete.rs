//! Deletes a provider app; it can be undone for some minutes.

use patchbay_model::Problem;

use crate::deletion::Deletion;
use crate::{Engine, ManagementGrant};

/// Deletes a provider app; it can be undone for some minutes.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, app: &str) -> Result<Deletion, Problem> {
    let _ = (grant, app,);
    Err(crate::pending(engine))
}

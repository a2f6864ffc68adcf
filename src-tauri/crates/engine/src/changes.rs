//! What changed, for listeners that resume after a gap.

use patchbay_model::change::Change;
use patchbay_model::Problem;

use crate::{Engine, ManagementGrant};

/// Changes after `sequence` that the caller may see, oldest first, at most `most`.
///
/// # Errors
/// Problems of permission and of the store.
pub async fn since(engine: &Engine, grant: &ManagementGrant, sequence: i64, most: u32) -> Result<Vec<Change>, Problem> {
    let _ = (grant, sequence, most);
    Err(crate::pending(engine))
}

/// Whether the store answers, for readiness checks.
///
/// # Errors
/// Problems of the store.
pub async fn ready(engine: &Engine) -> Result<(), Problem> {
    Err(crate::pending(engine))
}

//! What changed, for listeners that resume after a gap.

use patchbay_model::change::Change;
use patchbay_model::{AccountId, Problem};

use crate::{Engine, ManagementGrant};

/// Changes after `sequence` that the caller may see, oldest first, at most `most`.
///
/// # Errors
/// Problems of permission and of the store.
pub async fn since(engine: &Engine, grant: &ManagementGrant, sequence: i64, most: u32) -> Result<Vec<Change>, Problem> {
    let _ = (grant, sequence, most);
    Err(crate::pending(engine))
}

/// Whether the caller may be told of a change in this account, or in none; what belongs to another organization is never told.
///
/// # Errors
/// Problems of the store.
pub async fn visible(engine: &Engine, grant: &ManagementGrant, account: Option<AccountId>) -> Result<bool, Problem> {
    let _ = (grant, account);
    Err(crate::pending(engine))
}

/// Whether the store answers, for readiness checks.
///
/// # Errors
/// Problems of the store.
pub async fn ready(engine: &Engine) -> Result<(), Problem> {
    Err(crate::pending(engine))
}

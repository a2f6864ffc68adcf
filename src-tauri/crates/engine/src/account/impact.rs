//! What a delete of an account takes along.

use patchbay_model::Problem;

use crate::deletion::Impact;
use crate::{Engine, ManagementGrant};

/// What a delete of an account takes along, and what forbids it.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, account: &str) -> Result<Impact, Problem> {
    let _ = (grant, account,);
    Err(crate::pending(engine))
}

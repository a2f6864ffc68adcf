//! What a delete of an integration takes along.

use patchbay_model::Problem;

use crate::deletion::Impact;
use crate::{Engine, ManagementGrant};

/// What a delete of an integration takes along.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Impact, Problem> {
    let _ = (grant, account, integration,);
    Err(crate::pending(engine))
}

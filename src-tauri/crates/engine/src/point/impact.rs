//! What a delete of an integration point takes along.

use patchbay_model::Problem;

use crate::deletion::Impact;
use crate::{Engine, ManagementGrant};

/// What a delete of an integration point takes along, and what forbids it.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, point: &str) -> Result<Impact, Problem> {
    let _ = (grant, point,);
    Err(crate::pending(engine))
}

//! Rotates a container.

use patchbay_model::Problem;

use super::ContainerState;
use crate::{Engine, ManagementGrant};

/// Drops the secondary pair, makes the primary the secondary and a new primary.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn rotate(engine: &Engine, grant: &ManagementGrant, owner: &str, token: &str) -> Result<ContainerState, Problem> {
    let _ = (grant, owner, token,);
    Err(crate::pending(engine))
}

//! Resets a container.

use patchbay_model::Problem;

use super::{Bearer, ContainerState};
use crate::Engine;

/// Makes a new primary pair; everything earlier dies at once.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn reset(engine: &Engine, bearer: Bearer<'_>, owner: &str, token: &str) -> Result<ContainerState, Problem> {
    let _ = (bearer, owner, token,);
    Err(crate::pending(engine))
}

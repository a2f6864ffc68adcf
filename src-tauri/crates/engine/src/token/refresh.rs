//! Refreshes a container.

use patchbay_model::Problem;

use super::{Bearer, ContainerState};
use crate::Engine;

/// Makes a new primary pair; the old one becomes the secondary and keeps working.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn refresh(engine: &Engine, bearer: Bearer<'_>, token: &str) -> Result<ContainerState, Problem> {
    let _ = (bearer, token,);
    Err(crate::pending(engine))
}

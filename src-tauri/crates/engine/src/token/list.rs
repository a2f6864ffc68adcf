//! Reads token containers.

use patchbay_model::Problem;
use patchbay_model::list::{ListQuery, Listed};

use super::ContainerState;
use crate::{Engine, ManagementGrant};

/// Lists containers, without secrets.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<ContainerState>, Problem> {
    let _ = (grant, query,);
    Err(crate::pending(engine))
}

/// Reads one container, without secrets.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, token: &str) -> Result<ContainerState, Problem> {
    let _ = (grant, token,);
    Err(crate::pending(engine))
}

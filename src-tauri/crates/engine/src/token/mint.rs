//! Mints tokens.

use patchbay_model::Problem;

use super::{ContainerState, CreateToken};
use crate::{Engine, ManagementGrant};

/// Mints an organization token, never wider than the caller.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn mint(engine: &Engine, grant: &ManagementGrant, new: CreateToken) -> Result<ContainerState, Problem> {
    let _ = (grant, new,);
    Err(crate::pending(engine))
}

/// Mints a single access token for one integration, 10 minutes where no lifetime is given.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn mint_integration(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str, name: Option<String>, token_ttl: Option<String>) -> Result<ContainerState, Problem> {
    let _ = (grant, account, integration, name, token_ttl,);
    Err(crate::pending(engine))
}

//! Tests a connection.

use patchbay_model::Problem;

use super::{CreateIntegration, UpdateIntegration};
use crate::{Engine, ManagementGrant};

/// Tests a connection that is not made yet; the problems found, none when it works.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn verify(engine: &Engine, grant: &ManagementGrant, account: &str, new: CreateIntegration) -> Result<Vec<Problem>, Problem> {
    let _ = (grant, account, new,);
    Err(crate::pending(engine))
}

/// Tests an integration, with changes that are not made where given; the problems found, none when it works.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn verify_existing(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str, change: Option<UpdateIntegration>) -> Result<Vec<Problem>, Problem> {
    let _ = (grant, account, integration, change,);
    Err(crate::pending(engine))
}

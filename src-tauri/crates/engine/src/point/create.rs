//! Makes an integration point.

use patchbay_model::Problem;
use patchbay_model::point::IntegrationPoint;

use super::CreatePoint;
use crate::{Engine, ManagementGrant};

/// Makes an integration point.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, new: CreatePoint) -> Result<IntegrationPoint, Problem> {
    let _ = (grant, new,);
    Err(crate::pending(engine))
}

//! Changes an integration point.

use patchbay_model::Problem;
use patchbay_model::point::IntegrationPoint;

use super::UpdatePoint;
use crate::{Engine, ManagementGrant};

/// Changes an integration point.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, point: &str, change: UpdatePoint) -> Result<IntegrationPoint, Problem> {
    let _ = (grant, point, change,);
    Err(crate::pending(engine))
}

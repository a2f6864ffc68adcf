//! Reads an integration point.

use patchbay_model::{IntegrationPointId, Problem};
use patchbay_model::point::IntegrationPoint;

use crate::{Engine, ManagementGrant};

/// Reads an integration point by id or name.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, point: &str) -> Result<IntegrationPoint, Problem> {
    let _ = (grant, point,);
    Err(crate::pending(engine))
}

/// Points by id, for lists that expand them.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn of_ids(engine: &Engine, grant: &ManagementGrant, ids: &[IntegrationPointId]) -> Result<Vec<IntegrationPoint>, Problem> {
    let _ = (grant, ids,);
    Err(crate::pending(engine))
}

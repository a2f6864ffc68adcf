//! Reads integration points.

use patchbay_model::point::IntegrationPoint;
use patchbay_model::{IntegrationPointId, Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// Reads an integration point by id or name.
///
/// # Errors
/// `not_found`, `permission_denied`, problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, point: &str) -> Result<IntegrationPoint, Problem> {
    grant.require(Operation::IntegrationPointsGet, None)?;
    let found = reach::point(&mut reach::reading(engine, grant).await?, point).await?;
    if grant.sees_category(Operation::IntegrationPointsGet, found.connector) { Ok(found) } else { Err(Problem::not_found(IntegrationPointId::NOUN, point)) }
}

/// Points by id, for lists that expand them.
///
/// # Errors
/// Problems of the store.
pub async fn of_ids(engine: &Engine, grant: &ManagementGrant, ids: &[IntegrationPointId]) -> Result<Vec<IntegrationPoint>, Problem> {
    Ok(reach::reading(engine, grant).await?.points_of(ids).await?)
}

//! What a delete of an integration point takes along.

use patchbay_model::{Operation, Problem};
use patchbay_store::Affected;

use crate::deletion::{Impact, today};
use crate::{Engine, ManagementGrant, reach};

/// What a delete of an integration point takes along, and which integrations forbid it.
///
/// # Errors
/// `not_found`, `permission_denied`, problems of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, point: &str) -> Result<Impact, Problem> {
    grant.require(Operation::IntegrationPointsImpact, None)?;
    let mut tx = reach::reading(engine, grant).await?;
    let point = reach::point(&mut tx, point).await?;
    let users = tx.point_users(point.id).await?.resources();
    let used_today = tx.used_since(Affected::IntegrationPoint(point.id), today(engine)).await?;
    Ok(Impact { users, used_today, ..tx.point_impact(point.id).await?.into() })
}

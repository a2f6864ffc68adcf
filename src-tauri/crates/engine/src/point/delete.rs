//! Deletes an integration point.

use patchbay_model::{Operation, Problem};

use crate::audit::record::{Done, record};
use crate::deletion::Deletion;
use crate::{Engine, ManagementGrant, reach};

/// Deletes an integration point that nothing uses; it can be undone for some minutes.
///
/// # Errors
/// `in_use` with the integrations under it; `not_found`, `permission_denied`, problems of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, point: &str) -> Result<Deletion, Problem> {
    grant.require(Operation::IntegrationPointsDelete, None)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let point = reach::point(&mut tx, point).await?;
    let deletion = Deletion::new(engine);
    tx.delete_point(point.id, deletion.id, engine.now()).await?;
    record(engine, &mut tx, grant, Done::deleted(Operation::IntegrationPointsDelete).before(&point).deletion(deletion.id).giving(point.id, point.name.as_str())).await?;
    tx.commit().await?;
    Ok(deletion)
}

//! Changes an integration point.

use patchbay_model::point::IntegrationPoint;
use patchbay_model::{Fullname, Name, Operation, Problem};

use super::UpdatePoint;
use super::create::{allowed, description};
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Changes an integration point. Integrations under it that use a provider no longer allowed stay, and their calls are
/// refused until it is allowed again.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_field`, `name_taken`, `update_conflict`; problems of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, point: &str, change: UpdatePoint) -> Result<IntegrationPoint, Problem> {
    grant.require(Operation::IntegrationPointsUpdate, None)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let mut point = reach::point(&mut tx, point).await?;
    let before = point.clone();
    reach::unchanged(change.expected, point.updated_at, "integration_point", point.id)?;
    if change.connector.as_deref().is_some_and(|connector| connector != point.connector.as_str()) {
        return Err(Problem::field(
            "/connector",
            format!("The connector of an integration point cannot change; `{}` governs `{}`. Make another point.", point.name, point.connector.as_str()),
        ));
    }
    if let Some(name) = change.name.filter(|name| *name != point.name.as_str()) {
        point.name = Name::parse(&name)?;
    }
    if let Some(fullname) = change.fullname {
        point.fullname = Fullname::parse(&fullname)?;
    }
    point.description = description(change.description)?;
    point.environments = allowed(engine, point.connector, change.environments)?;
    point.updated_at = engine.now();
    tx.update_point(&point).await?;
    record(engine, &mut tx, grant, Done::changed(Operation::IntegrationPointsUpdate).before(&before).after(&point).giving(point.id, point.name.as_str())).await?;
    tx.commit().await?;
    Ok(point)
}

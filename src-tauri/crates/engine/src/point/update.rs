//! Changes an integration point.

use patchbay_model::connector::Connector;
use patchbay_model::point::IntegrationPoint;
use patchbay_model::{Fullname, Name, Operation, Problem};

use super::create::{allowed, connector_of, description};
use super::{UpdatePoint, policy};
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Changes an integration point. Integrations under it that contradict it then stay, and their calls are refused until they or
/// the point are changed; [`super::preview`] tells which.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_field`, `invalid_config`, `name_taken`, `update_conflict`; problems of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, point: &str, change: UpdatePoint) -> Result<IntegrationPoint, Problem> {
    grant.require(Operation::IntegrationPointsUpdate, None)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let mut point = reach::point(&mut tx, point).await?;
    let before = point.clone();
    reach::unchanged(change.expected, point.updated_at, "integration_point", point.id)?;
    fixed_connector(&point, change.connector.as_deref().map(connector_of).transpose()?)?;
    if let Some(name) = change.name.filter(|name| *name != point.name.as_str()) {
        point.name = Name::parse(&name)?;
    }
    if let Some(fullname) = change.fullname {
        point.fullname = Fullname::parse(&fullname)?;
    }
    point.description = description(change.description)?;
    point.environments = allowed(&*engine.catalog_of(&mut tx).await?, point.connector, change.environments)?;
    // One that is sent back as it was read is good, even if the provider's definition has moved on.
    if let Some(policy) = change.policy.filter(|policy| *policy != point.policy) {
        point.policy = policy::checked(engine, &mut tx, point.connector, policy).await?;
    }
    point.updated_at = engine.now();
    tx.update_point(&point).await?;
    record(engine, &mut tx, grant, Done::changed(Operation::IntegrationPointsUpdate).before(&before).after(&point).giving(point.id, point.name.as_str())).await?;
    tx.commit().await?;
    Ok(point)
}

/// The connector of a point is for good.
///
/// # Errors
/// `invalid_field` for another one.
pub(super) fn fixed_connector(point: &IntegrationPoint, wanted: Option<Connector>) -> Result<(), Problem> {
    if wanted.is_none_or(|wanted| wanted == point.connector) {
        return Ok(());
    }
    Err(Problem::field("/connector", format!("The connector of an integration point cannot change; `{}` governs `{}`. Make another point.", point.name, point.connector.as_str())))
}

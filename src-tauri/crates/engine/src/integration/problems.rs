//! In what integrations contradict the points that govern them now: computed when it is asked, since points change.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use patchbay_model::integration::Integration;
use patchbay_model::point::Violation;
use patchbay_model::{IntegrationId, Problem};

use crate::governance::{self, Subject};
use crate::{Engine, ManagementGrant, definition, reach};

/// What stands in the way of each of these integrations; those without anything are left out.
///
/// # Errors
/// Problems of the store.
pub async fn violations(engine: &Engine, grant: &ManagementGrant, integrations: &[Integration]) -> Result<HashMap<IntegrationId, Vec<Violation>>, Problem> {
    let governed: Vec<&Integration> = integrations.iter().filter(|integration| integration.integration_point_id.is_some()).collect();
    if governed.is_empty() {
        return Ok(HashMap::new());
    }
    let mut tx = reach::reading(engine, grant).await?;
    let points = tx.points_of(&distinct(governed.iter().filter_map(|integration| integration.integration_point_id))).await?;
    let points: HashMap<_, _> = points.into_iter().map(|point| (point.id, point)).collect();
    let accounts = tx.accounts_of(&distinct(governed.iter().map(|integration| integration.account_id))).await?;
    let environments: HashMap<_, _> = accounts.into_iter().map(|account| (account.id, account.environment)).collect();
    let mut found = HashMap::new();
    for integration in governed {
        // A point in use cannot be deleted, so a missing one is on its way: the next look tells.
        let (Some(point), Some(environment)) = (integration.integration_point_id.and_then(|id| points.get(&id)), environments.get(&integration.account_id)) else { continue };
        let definition = definition::pinned(engine, &mut tx, integration.definition).await?;
        let violations = governance::violations(point, &Subject { environment: *environment, definition: &definition, config: &integration.config });
        if !violations.is_empty() {
            found.insert(integration.id, violations);
        }
    }
    Ok(found)
}

fn distinct<T: Eq + Hash>(ids: impl Iterator<Item = T>) -> Vec<T> {
    ids.collect::<HashSet<_>>().into_iter().collect()
}

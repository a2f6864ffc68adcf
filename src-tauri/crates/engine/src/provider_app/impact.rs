//! What a delete of a provider app takes along.

use patchbay_model::{Operation, Problem};

use super::get::find;
use super::users::{used_since, users};
use crate::deletion::{Impact, today};
use crate::{Engine, ManagementGrant, reach};

/// What a delete of a provider app takes along: nothing but itself. Integrations that were authorized through it, and those whose roles
/// it assumes, forbid it.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, app: &str) -> Result<Impact, Problem> {
    grant.require(Operation::ProviderAppsImpact, None)?;
    let mut tx = reach::reading(engine, grant).await?;
    let app = find(&mut tx, app).await?;
    let users = users(engine, &mut tx, &app).await?.resources();
    Ok(Impact { users, used_today: used_since(engine, &mut tx, &app, today(engine)).await?, ..Impact::default() })
}

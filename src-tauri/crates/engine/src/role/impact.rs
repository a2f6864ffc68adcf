//! What a delete of a role takes along.

use patchbay_model::{Operation, Problem, Scope};

use super::get::find;
use crate::deletion::Impact;
use crate::{Engine, ManagementGrant};

/// What a delete of a role takes along, which is nothing but itself, and which members forbid it.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, role: &str) -> Result<Impact, Problem> {
    grant.require(Operation::RolesImpact, None)?;
    let mut tx = engine.store().read(Scope::Organization(grant.organization())).await?;
    let role = find(&mut tx, role).await?;
    let users = tx.role_members(&role.name).await?.resources();
    Ok(Impact { users, ..Impact::default() })
}

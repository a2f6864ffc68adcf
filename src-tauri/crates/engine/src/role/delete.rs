//! Deletes a role.

use patchbay_model::{Operation, Problem};

use super::get::find;
use super::own;
use crate::audit::record::{Done, record};
use crate::deletion::Deletion;
use crate::{Engine, ManagementGrant, reach};

/// Deletes a role that no member has; it can be undone for some minutes.
///
/// # Errors
/// `in_use` with the members that have it; `invalid_request` for a built-in one; `not_found`, `permission_denied`; problems
/// of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, role: &str) -> Result<Deletion, Problem> {
    grant.require(Operation::RolesDelete, None)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let role = find(&mut tx, role).await?;
    own(&role)?;
    let deletion = Deletion::new(engine);
    tx.delete_role(&role, deletion.id, engine.now()).await?;
    record(engine, &mut tx, grant, Done::deleted(Operation::RolesDelete).before(&role).deletion(deletion.id).giving(role.id, role.name.as_str())).await?;
    tx.commit().await?;
    Ok(deletion)
}

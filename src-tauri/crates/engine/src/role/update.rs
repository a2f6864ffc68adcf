//! Changes a role.

use patchbay_model::permission::{Role, RoleName};
use patchbay_model::{Fullname, Name, Operation, Problem};

use super::get::find;
use super::{UpdateRole, own};
use crate::audit::record::{Done, record};
use crate::point::description;
use crate::{Engine, ManagementGrant, reach};

/// Changes a role; it acts at once on everybody who has it, whatever they hold that came from a logon.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_field`, `name_taken`, `update_conflict`; `invalid_request` for a built-in role;
/// problems of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, role: &str, change: UpdateRole) -> Result<(Role, u64), Problem> {
    grant.require(Operation::RolesUpdate, None)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let before = find(&mut tx, role).await?;
    own(&before)?;
    reach::unchanged(change.expected, before.updated_at, "role", before.id)?;
    let mut after =
        Role { description: description(change.description)?, resources: change.resources, permission_set: change.permission_set, updated_at: engine.now(), ..before.clone() };
    if let Some(name) = change.name.filter(|name| *name != before.name.as_str()) {
        after.name = RoleName::from_name(&Name::parse(&name)?);
    }
    if let Some(fullname) = change.fullname {
        after.fullname = Fullname::parse(&fullname)?;
    }
    tx.update_role(&after).await?;
    if after.name != before.name {
        tx.rename_role_binding(&before.name, &after.name).await?;
    }
    record(engine, &mut tx, grant, Done::changed(Operation::RolesUpdate).before(&before).after(&after).giving(after.id, after.name.as_str())).await?;
    let members = tx.role_members(&after.name).await?.count;
    tx.commit().await?;
    Ok((after, members))
}

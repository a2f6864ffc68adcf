//! Makes a role.

use patchbay_model::name::name_and_fullname;
use patchbay_model::permission::{Role, RoleName};
use patchbay_model::{Operation, Problem, RoleId};

use super::CreateRole;
use crate::audit::record::{Done, record};
use crate::point::description;
use crate::{Engine, ManagementGrant, reach};

/// Makes a role.
///
/// # Errors
/// `permission_denied`, `invalid_field`; `name_taken`, also for the name of a built-in role; problems of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, new: CreateRole) -> Result<Role, Problem> {
    grant.require(Operation::RolesCreate, None)?;
    let now = engine.now();
    let id = RoleId::from_uuid(engine.context().new_uuid());
    let (name, fullname) = name_and_fullname(new.name.as_deref(), new.fullname.as_deref(), id.uuid())?;
    let role = Role {
        id,
        organization_id: grant.organization(),
        name: RoleName::from_name(&name),
        fullname,
        description: description(new.description)?,
        resources: new.resources,
        permission_set: new.permission_set,
        created_at: now,
        updated_at: now,
    };
    let mut tx = reach::writing_organization(engine, grant).await?;
    tx.insert_role(&role).await?;
    record(engine, &mut tx, grant, Done::created(Operation::RolesCreate).after(&role).giving(id, role.name.as_str())).await?;
    tx.commit().await?;
    Ok(role)
}

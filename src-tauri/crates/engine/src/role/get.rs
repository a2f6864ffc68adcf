//! Reads a role.

use patchbay_model::permission::Role;
use patchbay_model::{Operation, Problem, RoleId, Scope};
use patchbay_store::ReadTx;

use crate::{Engine, ManagementGrant};

/// Reads a role by id or name, with how many members have it.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, role: &str) -> Result<(Role, u64), Problem> {
    grant.require(Operation::RolesGet, None)?;
    let mut tx = engine.store().read(Scope::Organization(grant.organization())).await?;
    let role = find(&mut tx, role).await?;
    let members = tx.role_members(&role.name).await?.count;
    Ok((role, members))
}

/// The role of this id or name.
pub(super) async fn find(tx: &mut ReadTx, reference: &str) -> Result<Role, Problem> {
    tx.find_role(reference).await?.ok_or_else(|| Problem::not_found(RoleId::NOUN, reference))
}

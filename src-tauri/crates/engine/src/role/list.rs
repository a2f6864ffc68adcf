//! Lists roles.

use std::collections::HashMap;

use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::permission::Role;
use patchbay_model::{Operation, Problem, Scope};

use crate::{Engine, ManagementGrant, reach};

/// Lists the roles of the organization, the built-in ones among them.
///
/// # Errors
/// `permission_denied`; problems of the query and the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<Role>, Problem> {
    Ok(reach::paging(engine, grant, Operation::RolesList, &query).await?.roles(&query).await?)
}

/// How many members have each role, by its name; roles that nobody has are missing.
///
/// # Errors
/// `permission_denied`; problems of the store.
pub async fn member_counts(engine: &Engine, grant: &ManagementGrant) -> Result<HashMap<String, u64>, Problem> {
    grant.require(Operation::RolesList, None)?;
    Ok(engine.store().read(Scope::Organization(grant.organization())).await?.count_role_members().await?)
}

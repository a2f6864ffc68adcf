//! Lists members.

use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::member::Member;
use patchbay_model::{Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// Lists the members of the organization.
///
/// # Errors
/// `permission_denied`; problems of the query and the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<Member>, Problem> {
    Ok(reach::paging(engine, grant, Operation::MembersList, &query).await?.members(&query).await?)
}

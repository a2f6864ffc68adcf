//! Reads a member.

use patchbay_model::Problem;
use patchbay_model::member::Member;

use crate::{Engine, ManagementGrant};

/// Reads a member by id or name.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, member: &str) -> Result<Member, Problem> {
    let _ = (grant, member,);
    Err(crate::pending(engine))
}

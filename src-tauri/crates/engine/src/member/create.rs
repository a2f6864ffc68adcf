//! Makes a member.

use patchbay_model::Problem;
use patchbay_model::member::Member;

use super::CreateMember;
use crate::{Engine, ManagementGrant};

/// Makes a member.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, new: CreateMember) -> Result<Member, Problem> {
    let _ = (grant, new,);
    Err(crate::pending(engine))
}

//! Changes a member.

use patchbay_model::Problem;
use patchbay_model::member::Member;

use super::UpdateMember;
use crate::{Engine, ManagementGrant};

/// Changes a member.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, member: &str, change: UpdateMember) -> Result<Member, Problem> {
    let _ = (grant, member, change,);
    Err(crate::pending(engine))
}

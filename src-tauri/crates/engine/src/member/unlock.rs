//! Unlocks a member.

use patchbay_model::member::{Member, MemberMove, MemberState};
use patchbay_model::{Operation, Origin, Problem, Scope};

use super::get::find;
use crate::audit::record::{Done, record};
use crate::background::surely;
use crate::contention::again;
use crate::{Engine, ManagementGrant, reach};

/// Unlocks a member, whether wrong passwords or an administrator locked it, and forgets its failed logons. A member in
/// another state stays in it; its password is looked at again.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn unlock(engine: &Engine, grant: &ManagementGrant, member: &str) -> Result<Member, Problem> {
    grant.require(Operation::MembersUnlock, None)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let before = find(&mut tx, member).await?;
    let mut after = before.clone();
    let step = if before.locked_until.is_some() { MemberMove::LockOver } else { MemberMove::Enable { has_password: before.has_password } };
    let enabled = after.state == MemberState::Locked && after.make(step);
    after.failed_logons = 0;
    after.locked_until = None;
    if enabled {
        after.updated_at = engine.now();
    }
    tx.update_member(&after).await?;
    record(engine, &mut tx, grant, Done::changed(Operation::MembersUnlock).before(&before).after(&after).giving(after.id, after.name.as_str())).await?;
    tx.commit().await?;
    Ok(after)
}

/// Lets members in again whose lock for wrong passwords is over, in all organizations, so that lists show them as they are.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn release_locks(engine: &Engine) -> Result<(), Problem> {
    for organization in engine.organizations().await? {
        again!(engine, {
            let mut tx = engine.store().write(Scope::Organization(organization.id), Origin::Background).await?;
            let now = surely(engine, &mut tx).await?;
            tx.release_locks(now).await?;
            tx.commit().await?;
            Ok(())
        });
    }
    Ok(())
}

//! Changes a member.

use patchbay_model::list::ListQuery;
use patchbay_model::member::{Member, MemberState};
use patchbay_model::permission::RoleName;
use patchbay_model::{Code, Fullname, Operation, Problem};
use patchbay_store::ReadTx;

use super::UpdateMember;
use super::create::{member_name, nickname, roles, token_ttl};
use super::get::find;
use crate::audit::record::{Done, record};
use crate::organization::picture;
use crate::{Engine, ManagementGrant, reach};

/// Changes a member. A change of state or roles acts at once on its tokens and sessions.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_field`, `name_taken`, `update_conflict`; `in_use` when no root administrator
/// would be left; problems of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, member: &str, change: UpdateMember) -> Result<Member, Problem> {
    grant.require(Operation::MembersUpdate, None)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let before = find(&mut tx, member).await?;
    reach::unchanged(change.expected, before.updated_at, "member", before.id)?;
    let mut after = before.clone();
    if let Some(name) = change.name.filter(|name| *name != before.name.as_str()) {
        after.name = member_name(before.member_type, &name)?;
    }
    if let Some(fullname) = change.fullname {
        after.fullname = Fullname::parse(&fullname)?;
    }
    after.nickname = nickname(change.nickname)?;
    after.picture = picture(change.picture)?;
    if let Some(texts) = change.role_binding {
        after.role_binding = roles(&mut tx, &texts).await?;
    }
    if let Some(text) = change.token_ttl {
        after.token_ttl = token_ttl(before.member_type, Some(&text))?;
    }
    if let Some(state) = change.state.filter(|state| *state != before.state) {
        if state == MemberState::Enabled && tx.member_password_hash(before.id).await?.is_none() {
            return Err(Problem::field("/state", format!("`{}` has no password yet and cannot be enabled. Pass an invitation on.", before.name)));
        }
        if state == MemberState::Locked || state == MemberState::Forgotten || state == MemberState::Invited {
            return Err(Problem::field("/state", "The state can be set to `enabled` or `disabled`; the others come about by themselves."));
        }
        after.state = state;
        if state == MemberState::Enabled {
            after.failed_logons = 0;
        }
    }
    let keeps = is_root(&after) && after.state == MemberState::Enabled;
    if is_root(&before) && !keeps {
        another_root(&mut tx, &before).await?;
    }
    after.updated_at = engine.now();
    tx.update_member(&after).await?;
    record(engine, &mut tx, grant, Done::changed(Operation::MembersUpdate).before(&before).after(&after).giving(after.id, after.name.as_str())).await?;
    tx.commit().await?;
    Ok(after)
}

fn is_root(member: &Member) -> bool {
    member.role_binding.iter().any(|role| role.as_str() == RoleName::ROOT_ADMINISTRATOR)
}

/// Refuses when `member` is the last one who can do everything.
///
/// # Errors
/// `in_use`.
pub(super) async fn another_root(tx: &mut ReadTx, member: &Member) -> Result<(), Problem> {
    if !is_root(member) {
        return Ok(());
    }
    let mut query = ListQuery { limit: Some(ListQuery::MAX_LIMIT), ..ListQuery::default() };
    loop {
        let page = tx.members(&query).await?;
        if page.items.iter().any(|other| other.id != member.id && is_root(other) && other.state == MemberState::Enabled) {
            return Ok(());
        }
        if page.next.is_none() {
            return Err(Problem::new(
                Code::InUse,
                format!(
                    "`{}` is the last root administrator, without whom nobody could administer the organization. Give another member the role root_administrator first.",
                    member.name
                ),
            )
            .with_resource("member", member.id, "affected"));
        }
        query.start_after = page.next;
    }
}

//! Changes a member.

use patchbay_model::list::ListQuery;
use patchbay_model::member::{Member, MemberMove, MemberState};
use patchbay_model::{Code, Fullname, Operation, Problem};
use patchbay_store::ReadTx;

use super::UpdateMember;
use super::create::{life, member_name, nickname, roles, token_ttl};
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
    let now = engine.now();
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
        after.token_ttl = token_ttl(before.member_type, Some(&text), "/token_ttl")?;
    }
    if let Some(ttl) = change.ttl.map(|text| text.map(|text| life(&text, "/ttl")).transpose()).transpose()?.filter(|ttl| *ttl != before.ttl) {
        after.ttl = ttl;
        after.expires = ttl.map(|ttl| now.plus(ttl));
    }
    // Of an explicit end and a new lifetime in one change, the end holds.
    if let Some(expires) = change.expires.filter(|expires| *expires != before.expires) {
        after.expires = expires;
    }
    if let Some(pin_expires) = change.pin_expires {
        after.pin_expires = pin_expires;
    }
    if let Some(state) = change.state.filter(|state| *state != before.state) {
        moved(&mut after, state)?;
    }
    if before.is_root() && available(&before) && !(after.is_root() && available(&after)) {
        another_root(&mut tx, &before).await?;
    }
    if !matches!(after.state, MemberState::Invited | MemberState::Forgotten) {
        tx.remove_password_links_of(after.id).await?;
    }
    if !after.acts() {
        tx.remove_web_sessions_of(after.id, None).await?;
    }
    after.updated_at = now;
    tx.update_member(&after).await?;
    record(engine, &mut tx, grant, Done::changed(Operation::MembersUpdate).before(&before).after(&after).giving(after.id, after.name.as_str())).await?;
    tx.commit().await?;
    Ok(after)
}

/// Puts a member into the state that an administrator asks for.
fn moved(member: &mut Member, wanted: MemberState) -> Result<(), Problem> {
    let step = match wanted {
        MemberState::Enabled if !member.has_password => {
            return Err(Problem::field("/state", format!("`{}` has no password yet and cannot be enabled. Make an invitation and pass its link on.", member.name)));
        }
        MemberState::Enabled => MemberMove::Enable { has_password: true },
        MemberState::Disabled => MemberMove::Disable,
        MemberState::Invited => MemberMove::Invite,
        MemberState::Locked => MemberMove::Lock,
        MemberState::Forgotten => MemberMove::Forget,
    };
    let from = member.state.as_str();
    if member.make(step) {
        return Ok(());
    }
    Err(Problem::field("/state", format!("A member that is `{from}` cannot become `{}`. Enable or disable it first.", wanted.as_str())))
}

/// Whether a root administrator can take care of the organization: it may sign in, now or when a lock for wrong passwords is over.
fn available(member: &Member) -> bool {
    member.state == MemberState::Enabled || (member.state == MemberState::Locked && member.locked_until.is_some())
}

/// Whether a member is a root administrator without whom nobody could administer the organization.
///
/// # Errors
/// Problems of the store.
pub(super) async fn is_last_root(tx: &mut ReadTx, member: &Member) -> Result<bool, Problem> {
    if !member.is_root() {
        return Ok(false);
    }
    let mut query = ListQuery { limit: Some(ListQuery::MAX_LIMIT), ..ListQuery::default() };
    loop {
        let page = tx.members(&query).await?;
        if page.items.iter().any(|other| other.id != member.id && other.is_root() && available(other)) {
            return Ok(false);
        }
        if page.next.is_none() {
            return Ok(true);
        }
        query.start_after = page.next;
    }
}

/// Refuses when `member` is the last one who can do everything.
///
/// # Errors
/// `in_use`.
pub(super) async fn another_root(tx: &mut ReadTx, member: &Member) -> Result<(), Problem> {
    if !is_last_root(tx, member).await? {
        return Ok(());
    }
    Err(Problem::new(
        Code::InUse,
        format!("`{}` is the last root administrator, without whom nobody could administer the organization. Give another member the role root_administrator first.", member.name),
    )
    .with_resource("member", member.id, "affected"))
}

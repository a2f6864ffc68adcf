//! Signs a member in.

use patchbay_model::change::ChangeKind;
use patchbay_model::member::{Member, MemberState, MemberType};
use patchbay_model::organization::Organization;
use patchbay_model::token::{Authority, TokenOwner, TokenType};
use patchbay_model::{Code, Operation, Problem, Scope, Secret};
use patchbay_store::WriteTx;

use super::Logon;
use crate::audit::record::{Done, record_for};
use crate::token::issue::{NewContainer, issue};
use crate::token::lifetime;
use crate::{CallerInfo, Engine};

/// Failed logons in a row after which a member is locked.
pub const LOCK_AFTER: u32 = 5;
/// How long a lock lasts: enough that guessing leads nowhere, little enough that nobody can be shut out for good by it.
pub const LOCK_LASTS: std::time::Duration = std::time::Duration::from_secs(15 * 60);

/// The least time that a failed logon takes, whatever its reason.
const FAILURE_TAKES: std::time::Duration = std::time::Duration::from_millis(250);

/// Signs a member in by name and password. `organization` is an id or name. An unknown organization or member takes as
/// long and answers the same as a wrong password.
///
/// # Errors
/// `logon_failed`; when the password is right but the member may not sign in, with the reason. Problems of the store.
pub async fn logon(engine: &Engine, organization: &str, name: &str, secret: Secret, caller: CallerInfo) -> Result<Logon, Problem> {
    let begun = tokio::time::Instant::now();
    let outcome = attempt(engine, organization, name, secret, caller).await;
    if outcome.is_err() {
        // Counting a failure takes a write that an unknown name does not need; the wait hides which it was.
        tokio::time::sleep_until(begun + FAILURE_TAKES).await;
    }
    outcome
}

async fn attempt(engine: &Engine, organization: &str, name: &str, secret: Secret, caller: CallerInfo) -> Result<Logon, Problem> {
    let mut tx = engine.store().read(Scope::System).await?;
    let organization = tx.find_organization(organization).await?;
    let (member, hash) = match &organization {
        Some(organization) => {
            tx.enter(Scope::Organization(organization.id))?;
            match tx.find_member(name).await? {
                Some(member) => (Some(member.clone()), tx.member_password_hash(member.id).await?),
                None => (None, None),
            }
        }
        None => (None, None),
    };
    drop(tx);
    // Hashing takes its time outside of any transaction, and for unknown names too.
    let good = super::password::verify(secret, hash).await?;
    let (Some(organization), Some(member)) = (organization, member) else { return Err(failed()) };
    let now = engine.now();
    let mut tx = engine.store().write(Scope::Organization(organization.id), caller.origin).await?;
    // Read again: another try may have locked or disabled the member meanwhile.
    let Some(mut member) = tx.member(member.id).await? else { return Err(failed()) };
    let lock_over = member.state == MemberState::Locked && now.since(member.updated_at) >= LOCK_LASTS;
    if !good || (member.state == MemberState::Locked && !lock_over) {
        // While it is locked, tries are not counted: they must not prolong the lock.
        if member.state == MemberState::Enabled || lock_over {
            member.failed_logons = if lock_over { 1 } else { member.failed_logons.saturating_add(1) };
            member.state = if member.failed_logons >= LOCK_AFTER { MemberState::Locked } else { MemberState::Enabled };
            member.updated_at = now;
            tx.update_member(&member).await?;
            tx.commit().await?;
        }
        return Err(if good { may_not("is locked after several failed logons. Wait 15 minutes, or ask an administrator to enable the member") } else { failed() });
    }
    match member.state {
        MemberState::Enabled | MemberState::Locked => {}
        MemberState::Disabled => return Err(may_not("is disabled. Ask an administrator")),
        MemberState::Invited => return Err(may_not("has not accepted its invitation yet. Open the invitation's link")),
        MemberState::Forgotten => return Err(may_not("has a reset link waiting. Open the link")),
    }
    if member.expires.is_some_and(|expires| expires <= now) {
        return Err(may_not("has expired. Ask an administrator"));
    }
    member.state = MemberState::Enabled;
    member.failed_logons = 0;
    member.last_logon = Some(now);
    tx.update_member(&member).await?;
    let signed_in = sign_in(engine, &mut tx, organization, member).await?;
    let done = Done::changed(Operation::AuthLogon).object(ChangeKind::Member, signed_in.member.id.uuid()).giving(signed_in.member.id, signed_in.member.name.as_str());
    record_for(engine, &mut tx, signed_in.organization.id, Some(signed_in.member.id), &caller, done).await?;
    tx.commit().await?;
    Ok(signed_in)
}

/// Makes the container of a logon.
pub(super) async fn sign_in(engine: &Engine, tx: &mut WriteTx, organization: Organization, member: Member) -> Result<Logon, Problem> {
    let refresh_ttl = match member.member_type {
        MemberType::Personal => lifetime::LONGEST_PERSONAL_LOGON,
        MemberType::Service => lifetime::LONGEST,
    };
    let container = NewContainer {
        owner: TokenOwner::Organization(organization.id),
        member: member.id,
        name: None,
        fullname: Some(format!("Logon of {}", member.name)),
        fullname_given: false,
        token_type: TokenType::Logon,
        authority: Authority::Roles(member.role_binding.clone()),
        access_ttl: member.token_ttl,
        refresh_ttl: Some(refresh_ttl.max(member.token_ttl)),
    };
    let token = issue(engine, tx, organization.id, container).await?;
    Ok(Logon { token, organization, member })
}

/// The one answer to a wrong name and to a wrong password.
fn failed() -> Problem {
    Problem::new(Code::LogonFailed, "Name or password are wrong. Check both; after several failures the member is locked for 15 minutes.")
}

/// Only said to somebody who knows the password.
fn may_not(why: &str) -> Problem {
    Problem::new(Code::LogonFailed, format!("The member {why}."))
}

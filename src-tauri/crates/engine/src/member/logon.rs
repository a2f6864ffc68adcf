//! Signs a member in.

use patchbay_model::audit::AuditObject;
use patchbay_model::change::ChangeKind;
use patchbay_model::member::{Member, MemberState, MemberType};
use patchbay_model::organization::Organization;
use patchbay_model::token::{Authority, TokenOwner, TokenType};
use patchbay_model::{Code, Operation, Problem, Scope, Secret};
use patchbay_store::WriteTx;

use super::Logon;
use crate::audit::record::{Done, event, record_for};
use crate::contention::again;
use crate::token::issue::{NewContainer, issue};
use crate::token::lifetime;
use crate::{CallerInfo, Engine};

/// Failed logons in a row after which no password of the member is looked at for a while.
pub const LOCK_AFTER: u32 = 5;
/// How long that lasts: with [`LOCK_AFTER`] it leaves a guesser 20 tries in an hour, and a stranger cannot shut anybody out
/// for longer than he keeps at it. Tokens and sessions of the member keep working meanwhile, an administrator can unlock at
/// once, and the holder of the store's key always comes in.
pub const LOCK_LASTS: std::time::Duration = std::time::Duration::from_secs(15 * 60);

/// Failed logons take a whole number of this long, whatever their reason.
const FAILURE_TAKES: std::time::Duration = std::time::Duration::from_millis(250);

/// Signs a member in by name and password. `organization` is an id or name. An unknown organization or member takes as
/// long and answers the same as a wrong password; so does a member that was locked for wrong passwords, since whoever is
/// told then that the password was right has guessed it.
///
/// # Errors
/// `logon_failed`; `member_disabled`, `member_invited` or `member_locked` when the password is right and the member may not
/// sign in. Problems of the store.
pub async fn logon(engine: &Engine, organization: &str, name: &str, secret: Secret, caller: CallerInfo) -> Result<Logon, Problem> {
    let begun = tokio::time::Instant::now();
    let outcome = tried(engine, organization, name, &secret, &caller).await;
    if outcome.is_err() {
        // Counting a failure takes a write that an unknown name does not need; the wait hides which it was. Under load it
        // goes on to the next step instead of ending early.
        let steps = begun.elapsed().as_millis() / FAILURE_TAKES.as_millis() + 1;
        tokio::time::sleep_until(begun + FAILURE_TAKES * u32::try_from(steps).unwrap_or(1)).await;
    }
    outcome
}

async fn tried(engine: &Engine, organization: &str, name: &str, secret: &Secret, caller: &CallerInfo) -> Result<Logon, Problem> {
    Ok(again!(engine, { attempt(engine, organization, name, secret.clone(), caller.clone()).await }))
}

async fn attempt(engine: &Engine, organization: &str, name: &str, secret: Secret, caller: CallerInfo) -> Result<Logon, Problem> {
    let mut tx = engine.store().read(Scope::System).await?;
    let organization = tx.find_organization(organization).await?;
    let (member, hash) = match &organization {
        Some(organization) => {
            tx.enter(Scope::Organization(organization.id))?;
            match tx.find_member(name).await? {
                Some(member) => (Some(member.id), tx.member_password_hash(member.id).await?),
                None => (None, None),
            }
        }
        None => (None, None),
    };
    drop(tx);
    // Hashing takes its time outside of any transaction, and for unknown names too.
    let good = super::password::verify(secret, hash.clone()).await?;
    let (Some(organization), Some(member)) = (organization, member) else { return Err(failed()) };
    let now = engine.now();
    let mut tx = engine.store().write(Scope::Organization(organization.id), caller.origin).await?;
    // Read again: other tries may have locked the member meanwhile, or the password may be another by now.
    let Some(mut member) = tx.member(member).await? else { return Err(failed()) };
    let good = good && tx.member_password_hash(member.id).await? == hash;
    if member.locked_out(now) {
        return Err(failed());
    }
    if member.locked_until.take().is_some() {
        member.failed_logons = 0;
        if member.state == MemberState::Locked {
            member.state = MemberState::Enabled;
        }
        tx.update_member(&member).await?;
    }
    // Where there is no password, there is nothing to guess and nobody to lock.
    if hash.is_none() {
        return Err(failed());
    }
    // A password that was declared forgotten is worth nothing.
    if !good || member.state == MemberState::Forgotten {
        if tx.count_failed_logon(member.id, LOCK_AFTER, now.plus(LOCK_LASTS)).await? {
            let mut alarm = event(engine, organization.id, Some(member.id), &caller, Operation::AuthLogon.id());
            alarm.audit_type = "ALARM".to_owned();
            alarm.status = Code::MemberLocked.status();
            alarm.code = Code::MemberLocked.as_str().to_owned();
            alarm.object = Some(AuditObject { kind: ChangeKind::Member, id: member.id.uuid() });
            alarm.response =
                Some(serde_json::json!({ "id": member.id, "name": member.name, "message": "Too many wrong passwords in a row. The member is locked for 15 minutes." }));
            tx.insert_audit(&alarm).await?;
        }
        tx.commit().await?;
        return Err(failed());
    }
    match member.state {
        MemberState::Enabled => {}
        MemberState::Forgotten => return Err(failed()),
        MemberState::Locked => return Err(Problem::new(Code::MemberLocked, "The member was locked by an administrator. Ask one to unlock it.")),
        MemberState::Disabled => return Err(Problem::new(Code::MemberDisabled, "The member is disabled. Ask an administrator to enable it.")),
        MemberState::Invited => {
            return Err(Problem::new(Code::MemberInvited, "The member has not accepted its invitation yet. Open the link of the invitation and choose a password."));
        }
    }
    member.failed_logons = 0;
    member.last_logon = Some(now);
    tx.update_member(&member).await?;
    let signed_in = sign_in(engine, &mut tx, organization, member).await?;
    let member = &signed_in.member;
    let done = Done::changed(Operation::AuthLogon).object(ChangeKind::Member, member.id.uuid()).giving(member.id, member.name.as_str());
    record_for(engine, &mut tx, signed_in.organization.id, Some(member.id), &caller, done).await?;
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

/// The one answer to a wrong name, to a wrong password, and to any password while none is looked at.
fn failed() -> Problem {
    Problem::new(Code::LogonFailed, "Name or password are wrong. Check both; after several failures the member is locked for 15 minutes.")
}

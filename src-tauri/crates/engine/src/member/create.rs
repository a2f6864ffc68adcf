//! Makes a member.

use std::time::Duration;

use patchbay_model::member::{Member, MemberOption, MemberState, MemberType};
use patchbay_model::permission::{PermissionSet, RoleName};
use patchbay_model::{Fullname, MemberId, Name, Operation, Problem, Scope};
use patchbay_store::ReadTx;

use super::{CreateMember, rules};
use crate::audit::record::{Done, record};
use crate::organization::picture;
use crate::token::lifetime;
use crate::{Engine, ManagementGrant, reach};

/// The longest time that a member may be given, and what it gets where nothing is said: 10 years (`MemberOptions` of the SDK).
const LONGEST_LIFE: Duration = Duration::from_secs(3650 * 86_400);
/// The shortest.
const SHORTEST_LIFE: Duration = Duration::from_secs(86_400);
/// The shortest time for tokens of a logon.
const SHORTEST_TOKEN: Duration = Duration::from_secs(60);

/// Makes a member. Without a password, or with the option `invited`, it is invited and cannot sign in yet.
///
/// # Errors
/// `permission_denied`, `invalid_field`, `weak_password`, `name_taken`; problems of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, new: CreateMember) -> Result<Member, Problem> {
    grant.require(Operation::MembersCreate, None)?;
    let now = engine.now();
    let name = member_name(new.member_type, &new.name)?;
    let fullname = match new.fullname.filter(|text| !text.is_empty()) {
        Some(text) => Fullname::parse(&text)?,
        None => Fullname::cut(name.as_str())?,
    };
    let ttl = match new.ttl.as_deref() {
        Some(text) => life(text, "/options/ttl")?,
        None => LONGEST_LIFE,
    };
    let mut member = Member {
        id: MemberId::from_uuid(engine.context().new_uuid()),
        organization_id: grant.organization(),
        name,
        fullname,
        nickname: nickname(new.nickname)?,
        picture: picture(new.picture)?,
        member_type: new.member_type,
        state: state(&new.options, new.secret.is_some())?,
        role_binding: Vec::new(),
        ttl: Some(ttl),
        token_ttl: token_ttl(new.member_type, new.token_ttl.as_deref(), "/options/token_ttl")?,
        expires: Some(now.plus(ttl)),
        pin_expires: None,
        failed_logons: 0,
        locked_until: None,
        has_password: new.secret.is_some(),
        last_logon: None,
        created_at: now,
        updated_at: now,
    };
    let mut tx = engine.store().read(Scope::Organization(grant.organization())).await?;
    let organization = tx.organization().await?;
    member.role_binding = roles(&mut tx, &new.role_binding).await?;
    drop(tx);
    let hash = match new.secret {
        Some(secret) => {
            rules::check_for(&secret, &organization, &member, "/secret")?;
            let expired = new.options.contains(&MemberOption::Expired);
            member.pin_expires = Some(if expired { now } else { now.plus(organization.options.password_lasts()) });
            Some(super::password::hash(engine, secret).await?)
        }
        None => None,
    };
    let mut tx = reach::writing_organization(engine, grant).await?;
    tx.insert_member(&member).await?;
    if let Some(hash) = hash {
        tx.set_member_password_hash(member.id, Some(&hash), now).await?;
    }
    record(engine, &mut tx, grant, Done::created(Operation::MembersCreate).after(&member).giving(member.id, member.name.as_str())).await?;
    tx.commit().await?;
    Ok(member)
}

/// The state in which a new member begins.
fn state(options: &[MemberOption], has_password: bool) -> Result<MemberState, Problem> {
    let mut state = None;
    for option in options.iter().copied() {
        let Some(wanted) = option.state() else { continue };
        if state.is_some_and(|state| state != wanted) {
            return Err(Problem::field("/options/options", "A new member begins in one state. Give at most one of `disabled`, `forgotten`, `invited` and `locked`."));
        }
        state = Some(wanted);
    }
    Ok(match state {
        // There is no password to be forgotten yet.
        Some(MemberState::Forgotten) if !has_password => MemberState::Invited,
        Some(state) => state,
        None if has_password => MemberState::Enabled,
        None => MemberState::Invited,
    })
}

/// Reads the lifetime of a member.
pub(super) fn life(text: &str, pointer: &str) -> Result<Duration, Problem> {
    let life = lifetime::parse(Some(text), LONGEST_LIFE, LONGEST_LIFE, pointer)?;
    if life < SHORTEST_LIFE {
        return Err(Problem::field(pointer, format!("{pointer} must be at least 24h, one day. Give a longer lifetime.")));
    }
    Ok(life)
}

/// Reads the name of a person or a program.
pub(super) fn member_name(member_type: MemberType, text: &str) -> Result<Name, Problem> {
    match member_type {
        MemberType::Personal => Name::parse_email(text),
        MemberType::Service => Name::parse(text),
    }
}

/// Reads a short name.
pub(super) fn nickname(text: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > 100 || text.chars().any(char::is_control) {
        return Err(Problem::field("/nickname", "The nickname must be at most 100 characters. Shorten it."));
    }
    Ok(Some(text))
}

/// Reads the lifetime of a logon's tokens.
pub(super) fn token_ttl(member_type: MemberType, text: Option<&str>, pointer: &str) -> Result<Duration, Problem> {
    let longest = match member_type {
        MemberType::Personal => lifetime::LONGEST_PERSONAL_LOGON,
        MemberType::Service => lifetime::LONGEST,
    };
    let ttl = lifetime::parse(text, lifetime::LOGON, longest, pointer)?;
    if ttl < SHORTEST_TOKEN {
        return Err(Problem::field(pointer, format!("{pointer} must be at least 1m, one minute. Give a longer lifetime.")));
    }
    Ok(ttl)
}

/// Reads roles; each must exist. `member` where none is given.
pub(super) async fn roles(tx: &mut ReadTx, texts: &[String]) -> Result<Vec<RoleName>, Problem> {
    let mut roles: Vec<RoleName> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let role = RoleName::parse(text)?;
        if role.builtin_permission_set().is_none() && tx.role(&role).await?.is_none() {
            return Err(Problem::field(&format!("/role_binding/{index}"), format!("There is no role `{role}`. Use root_administrator, administrator, viewer or member.")));
        }
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    if roles.is_empty() {
        roles.push(RoleName::builtin(PermissionSet::Member));
    }
    Ok(roles)
}

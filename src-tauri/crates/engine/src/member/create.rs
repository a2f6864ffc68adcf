//! Makes a member.

use patchbay_model::member::{Member, MemberState, MemberType};
use patchbay_model::permission::{PermissionSet, RoleName};
use patchbay_model::{Fullname, MemberId, Name, Operation, Problem, Scope};
use patchbay_store::ReadTx;

use super::{CreateMember, rules};
use crate::audit::record::{Done, record};
use crate::organization::picture;
use crate::token::lifetime;
use crate::{Engine, ManagementGrant, reach};

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
        None => Fullname::parse(name.as_str())?,
    };
    for option in &new.options {
        if !matches!(option.as_str(), "expired" | "invited") {
            return Err(Problem::field("/options/options", "The options of a new member can be `expired` and `invited`. Leave others out."));
        }
    }
    let ttl = match new.ttl.as_deref() {
        Some(text) => Some(lifetime::parse(Some(text), lifetime::LONGEST, std::time::Duration::from_secs(10 * 366 * 86_400), "/options/ttl")?),
        None => None,
    };
    let member = Member {
        id: MemberId::from_uuid(engine.context().new_uuid()),
        organization_id: grant.organization(),
        name,
        fullname,
        nickname: nickname(new.nickname)?,
        picture: picture(new.picture)?,
        member_type: new.member_type,
        state: if new.secret.is_none() || new.options.iter().any(|option| option == "invited") { MemberState::Invited } else { MemberState::Enabled },
        role_binding: Vec::new(),
        ttl,
        token_ttl: token_ttl(new.member_type, new.token_ttl.as_deref())?,
        expires: ttl.map(|ttl| now.plus(ttl)),
        pin_expires: None,
        failed_logons: 0,
        last_logon: None,
        created_at: now,
        updated_at: now,
    };
    let mut tx = engine.store().read(Scope::Organization(grant.organization())).await?;
    let organization = tx.organization().await?;
    let role_binding = roles(&mut tx, &new.role_binding).await?;
    drop(tx);
    let pin_expires = if new.options.iter().any(|option| option == "expired") { Some(now) } else { organization.options.password_duration.map(|duration| now.plus(duration)) };
    let member = Member { role_binding, pin_expires, ..member };
    let hash = match new.secret {
        Some(secret) => {
            let related = [member.name.as_str(), member.fullname.as_str(), organization.name.as_str(), organization.fullname.as_str()];
            rules::check(&secret, organization.options.minimum_password_length, &related, "/secret")?;
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
pub(super) fn token_ttl(member_type: MemberType, text: Option<&str>) -> Result<std::time::Duration, Problem> {
    let longest = match member_type {
        MemberType::Personal => lifetime::LONGEST_PERSONAL_LOGON,
        MemberType::Service => lifetime::LONGEST,
    };
    lifetime::parse(text, lifetime::LOGON, longest, "/token_ttl")
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

//! Invitations and resets: one-time links that an administrator passes on, and what the person at the other end does with
//! them (product.md section 3). A link's secret is stored as a keyed hash and shown once.

use patchbay_model::change::ChangeKind;
use patchbay_model::member::{Member, MemberMove};
use patchbay_model::organization::Organization;
use patchbay_model::token::SecretKind;
use patchbay_model::web::{LinkPurpose, OneTimeLink};
use patchbay_model::{Code, Operation, Problem, Scope, Secret, Timestamp};
use patchbay_store::ReadTx;
use patchbay_vault::mint_token;

use super::get::find;
use super::logon::sign_in;
use super::{Logon, password, rules};
use crate::audit::record::{Done, record, record_for};
use crate::contention::again;
use crate::session::hash;
use crate::{CallerInfo, Engine, ManagementGrant, reach};

/// A link just made.
#[derive(Clone)]
pub struct MemberLink {
    /// What stands in the link; shown once.
    pub secret: Secret,
    /// What it is for.
    pub purpose: LinkPurpose,
    /// Until when it works.
    pub expires: Timestamp,
}

/// What a link's holder is told before choosing a password.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkOffer {
    /// What it is for.
    pub purpose: LinkPurpose,
    /// In which organization.
    pub organization: Organization,
    /// For whom.
    pub member: Member,
    /// Until when it works.
    pub expires: Timestamp,
}

/// Makes an invitation or a reset link; earlier ones of the member die. An invited member stays invited until it has
/// chosen its password; with a reset link the old password is worth nothing from this moment on.
///
/// # Errors
/// `not_found`, `permission_denied`; `invalid_field` when the member's state does not go with the purpose; problems of the store.
pub async fn create_link(engine: &Engine, grant: &ManagementGrant, member: &str, purpose: LinkPurpose) -> Result<MemberLink, Problem> {
    grant.require(Operation::MembersCreateLink, None)?;
    let now = engine.now();
    let mut tx = reach::writing_organization(engine, grant).await?;
    let options = tx.organization().await?.options;
    let before = find(&mut tx, member).await?;
    let (step, lasts) = match purpose {
        LinkPurpose::Invitation => (MemberMove::Invite, options.invitation_lasts()),
        LinkPurpose::Reset => (MemberMove::Forget, options.reset_lasts()),
        LinkPurpose::Setup => return Err(Problem::field("/purpose", "The purpose must be `invitation` or `reset`. A set-up link is printed where the program starts.")),
    };
    let mut after = before.clone();
    if !after.make(step) {
        let name = &before.name;
        return Err(Problem::field(
            "/purpose",
            match purpose {
                LinkPurpose::Invitation => format!("`{name}` can sign in already and needs no invitation. Make a reset link for a new password."),
                _ => format!("`{name}` is {} and can get no reset link. Invite or enable it first.", before.state.as_str()),
            },
        ));
    }
    if after.state != before.state {
        after.updated_at = now;
    }
    tx.update_member(&after).await?;
    let secret = mint_token(SecretKind::SetupLink, engine.context().entropy());
    let hash = hash(engine, secret.expose(), SecretKind::SetupLink).ok_or_else(|| Problem::internal("a link just made has no good shape"))?;
    let expires = now.plus(lasts);
    tx.insert_one_time_link(&OneTimeLink { organization_id: grant.organization(), member_id: after.id, purpose, expires, created_at: now }, &hash).await?;
    let done = Done::created(Operation::MembersCreateLink).before(&before).after(&after).secret_replaced(true);
    record(engine, &mut tx, grant, done.giving(after.id, after.name.as_str())).await?;
    tx.commit().await?;
    Ok(MemberLink { secret, purpose, expires })
}

/// Tells the holder of an invitation or reset link what it is for, without using it.
///
/// # Errors
/// `token_invalid` when it is unknown, used, too old, or replaced, which of these is not told.
pub async fn look_at_link(engine: &Engine, secret: &Secret) -> Result<LinkOffer, Problem> {
    let hash = hash(engine, secret.expose().trim(), SecretKind::SetupLink).ok_or_else(gone)?;
    let mut tx = engine.store().read(Scope::System).await?;
    let link = tx.one_time_link(&hash, engine.now()).await?.ok_or_else(gone)?;
    offer(&mut tx, link).await
}

/// Takes an invitation or reset link: the member gets its new password and is signed in. The link works once; a password
/// that is refused does not use it up.
///
/// # Errors
/// `token_invalid` as for [`look_at_link`], `weak_password`; problems of the store.
pub async fn redeem_link(engine: &Engine, secret: &Secret, new: Secret, caller: CallerInfo) -> Result<Logon, Problem> {
    let offered = look_at_link(engine, secret).await?;
    rules::check_for(&new, &offered.organization, &offered.member, "/secret")?;
    let phc = password::hash(engine, new).await?;
    let hash = hash(engine, secret.expose().trim(), SecretKind::SetupLink).ok_or_else(gone)?;
    Ok(again!(engine, { redeem(engine, &hash, &phc, &caller).await }))
}

async fn redeem(engine: &Engine, hash: &[u8; 32], phc: &str, caller: &CallerInfo) -> Result<Logon, Problem> {
    let mut tx = engine.store().write(Scope::System, caller.origin).await?;
    let link = tx.use_one_time_link(hash, engine.now()).await?.ok_or_else(gone)?;
    // What was offered may have been changed by an administrator meanwhile.
    let LinkOffer { purpose, organization, mut member, .. } = offer(&mut tx, link).await?;
    let step = MemberMove::Redeem(purpose);
    if !member.make(step) {
        return Err(gone());
    }
    let now = engine.now();
    password::set(engine, &mut tx, &organization, &mut member, phc, None).await?;
    member.last_logon = Some(now);
    tx.update_member(&member).await?;
    let logon = sign_in(engine, &mut tx, organization, member).await?;
    let member = &logon.member;
    let done = Done::changed(Operation::AuthLogon).object(ChangeKind::Member, member.id.uuid()).secret_replaced(true).giving(member.id, member.name.as_str());
    record_for(engine, &mut tx, logon.organization.id, Some(member.id), caller, done).await?;
    tx.commit().await?;
    Ok(logon)
}

/// What a link offers, as long as its member waits for it.
async fn offer(tx: &mut ReadTx, link: OneTimeLink) -> Result<LinkOffer, Problem> {
    tx.enter(Scope::Organization(link.organization_id))?;
    let organization = tx.organization().await?;
    let member = tx.member(link.member_id).await?.filter(|member| member.state.after(MemberMove::Redeem(link.purpose)).is_some()).ok_or_else(gone)?;
    Ok(LinkOffer { purpose: link.purpose, organization, member, expires: link.expires })
}

/// The one answer to a link that does not work.
fn gone() -> Problem {
    Problem::new(Code::TokenInvalid, "The link is unknown, was used already, is too old or was replaced by a newer one. Ask an administrator for a new one.")
}

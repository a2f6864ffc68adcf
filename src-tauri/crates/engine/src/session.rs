//! Web sessions: handles of signed-in browsers, and the one-time link that opens the first one. They are no tokens:
//! no route takes them, the server exchanges its cookie here for a grant at every request.

use std::time::Duration;

use patchbay_model::token::{Authority, SecretKind, TokenType};
use patchbay_model::web::{LinkPurpose, OneTimeLink, WebSession};
use patchbay_model::{Code, OrganizationId, Problem, Scope, Secret, Timestamp, WebSessionId};
use patchbay_vault::{mint_token, parse_token};

use crate::contention::again;
use crate::token::verify::{acting_member, adhoc_permits, live_member, role_permits};
use crate::{CallerInfo, Engine, ManagementGrant};

/// How long a session lasts.
const SESSION_LASTS: Duration = Duration::from_secs(12 * 3600);
/// How long a set-up link works.
const LINK_LASTS: Duration = Duration::from_secs(15 * 60);

/// A session just made.
#[derive(Clone)]
pub struct NewSession {
    /// The handle for the cookie, shown once.
    pub handle: Secret,
    /// When it ends.
    pub expires: Timestamp,
    /// What it may do.
    pub grant: ManagementGrant,
}

/// Opens a session for a caller that showed an organization token or signed in. It ends with that token.
///
/// # Errors
/// Problems of the store.
pub async fn begin(engine: &Engine, grant: &ManagementGrant) -> Result<NewSession, Problem> {
    let handle = mint_token(SecretKind::WebSession, engine.context().entropy());
    let hash = hash(engine, handle.expose(), SecretKind::WebSession).ok_or_else(|| Problem::internal("a handle just made has no good shape"))?;
    let expires = again!(engine, { store(engine, grant, &hash).await });
    Ok(NewSession { handle, expires, grant: grant.clone() })
}

async fn store(engine: &Engine, grant: &ManagementGrant, hash: &[u8; 32]) -> Result<Timestamp, Problem> {
    let now = engine.now();
    let mut tx = engine.store().write(Scope::Organization(grant.organization()), grant.caller().origin).await?;
    let authority = match grant.container() {
        Some(container) => tx.token(container).await?.map(|container| container.authority).ok_or_else(crate::token::verify::dead)?,
        None => Authority::Roles(Vec::new()),
    };
    let session = WebSession {
        id: WebSessionId::from_uuid(engine.context().new_uuid()),
        organization_id: grant.organization(),
        member_id: grant.member(),
        token_id: grant.container(),
        authority,
        user_agent: grant.caller().user_agent.chars().take(200).collect(),
        expires: now.plus(SESSION_LASTS),
        last_seen_at: now,
        created_at: now,
    };
    tx.insert_web_session(&session, hash).await?;
    tx.commit().await?;
    Ok(session.expires)
}

/// The grant of a session's handle. It ends with the token or member that it came from.
///
/// # Errors
/// `token_invalid` when it is not a live session.
pub async fn resume(engine: &Engine, handle: &str, caller: CallerInfo) -> Result<ManagementGrant, Problem> {
    let hash = hash(engine, handle, SecretKind::WebSession).ok_or_else(ended)?;
    let now = engine.now();
    let mut tx = engine.store().read(Scope::System).await?;
    let session = tx.web_session_by_hash(&hash).await?.filter(|session| session.expires > now).ok_or_else(ended)?;
    tx.enter(Scope::Organization(session.organization_id))?;
    let member = acting_member(&mut tx, session.member_id).await.map_err(|_| ended())?;
    let mut password_expired = false;
    if let Some(token) = session.token_id {
        let container = tx.token(token).await?.filter(|container| container.expires > now).ok_or_else(ended)?;
        password_expired = container.token_type == TokenType::Logon && member.must_change_password(now);
    }
    // One who signed in with a password can make an expired member live again by changing it; others cannot.
    if member.expired(now) && !password_expired {
        return Err(ended());
    }
    let permits = match &session.authority {
        Authority::Adhoc { resources, permission_set } => adhoc_permits(&mut tx, &member, *permission_set, resources).await?,
        Authority::Roles(_) => role_permits(&mut tx, &member).await?,
    };
    Ok(ManagementGrant { organization: session.organization_id, member: session.member_id, container: session.token_id, permits, password_expired, caller, undoing: None })
}

/// Ends a session, and the logon that it came from. Ending one that is not there is no error.
///
/// # Errors
/// Problems of the store.
pub async fn end(engine: &Engine, handle: &str) -> Result<(), Problem> {
    let Some(hash) = hash(engine, handle, SecretKind::WebSession) else { return Ok(()) };
    again!(engine, { remove(engine, &hash).await });
    Ok(())
}

async fn remove(engine: &Engine, hash: &[u8; 32]) -> Result<(), Problem> {
    let mut tx = engine.store().write(Scope::System, engine.origin()).await?;
    if let Some(session) = tx.web_session_by_hash(hash).await? {
        tx.enter(Scope::Organization(session.organization_id))?;
        tx.remove_web_session(session.id).await?;
        if let Some(token) = session.token_id
            && tx.token(token).await?.is_some_and(|container| container.token_type == TokenType::Logon)
        {
            crate::token::end(engine, &mut tx, token).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Makes a one-time set-up link's secret, for the holder of the key: whoever opens it within 15 minutes acts as the first
/// member.
///
/// # Errors
/// Problems of the store.
pub async fn create_setup_link(engine: &Engine, organization: OrganizationId) -> Result<(Secret, Timestamp), Problem> {
    let member = engine.first_member(organization).await?;
    let secret = mint_token(SecretKind::SetupLink, engine.context().entropy());
    let hash = hash(engine, secret.expose(), SecretKind::SetupLink).ok_or_else(|| Problem::internal("a link just made has no good shape"))?;
    let now = engine.now();
    let expires = now.plus(LINK_LASTS);
    again!(engine, {
        let mut tx = engine.store().write(Scope::Organization(organization), engine.origin()).await?;
        tx.insert_one_time_link(&OneTimeLink { organization_id: organization, member_id: member.id, purpose: LinkPurpose::Setup, expires, created_at: now }, &hash).await?;
        tx.commit().await?;
        Ok(())
    });
    Ok((secret, expires))
}

/// Redeems a set-up link once.
///
/// # Errors
/// `token_invalid` when it is unknown, used or too old.
pub async fn redeem_setup_link(engine: &Engine, secret: &str, caller: CallerInfo) -> Result<NewSession, Problem> {
    let used = || Problem::new(Code::TokenInvalid, "The link is unknown, was used already or is older than 15 minutes. Start the program again for a new one.");
    let hash = hash(engine, secret, SecretKind::SetupLink).ok_or_else(used)?;
    let now = engine.now();
    let link = again!(engine, {
        let mut tx = engine.store().write(Scope::System, caller.origin).await?;
        let link = tx.use_one_time_link(&hash, now).await?.filter(|link| link.purpose == LinkPurpose::Setup).ok_or_else(used)?;
        tx.commit().await?;
        Ok(link)
    });
    let mut tx = engine.store().read(Scope::Organization(link.organization_id)).await?;
    let member = live_member(&mut tx, link.member_id, now).await.map_err(|_| used())?;
    let permits = role_permits(&mut tx, &member).await?;
    drop(tx);
    begin(engine, &ManagementGrant { organization: link.organization_id, member: member.id, container: None, permits, password_expired: false, caller, undoing: None }).await
}

pub(crate) fn hash(engine: &Engine, text: &str, kind: SecretKind) -> Option<[u8; 32]> {
    parse_token(text).ok().filter(|parsed| parsed.kind() == kind).map(|parsed| engine.vault().token_hash(&parsed))
}

fn ended() -> Problem {
    Problem::new(Code::TokenInvalid, "The session has ended. Sign in again.")
}

/// Whether a member can be acted as by the holder of the key.
pub(crate) fn is_root(member: &patchbay_model::member::Member) -> bool {
    // Wrong passwords, which anybody can send, must not shut the holder of the key out.
    member.acts() && member.is_root()
}

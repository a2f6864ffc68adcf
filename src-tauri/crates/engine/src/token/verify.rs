//! Tells what a secret is good for.

use patchbay_model::member::Member;
use patchbay_model::permission::{PermissionSet, ResourceScope};
use patchbay_model::token::{Authority, SecretKind, TokenContainer, TokenOwner, TokenType};
use patchbay_model::{Code, MemberId, Problem, Scope, Timestamp};
use patchbay_store::{FoundToken, ReadTx};
use patchbay_vault::parse_token;

use super::narrow;
use crate::account::FIRST;
use crate::grant::Permit;
use crate::{CallerInfo, ConnectorGrant, Engine, Grant, ManagementGrant, RefreshGrant, permission};

impl Engine {
    /// Tells what a bearer secret is good for.
    ///
    /// # Errors
    /// `token_invalid` for anything that is not a live secret of a live container, without telling which of these it is.
    pub async fn verify(&self, secret: &str, caller: CallerInfo) -> Result<Grant, Problem> {
        let parsed = parse_token(secret).map_err(|shape| Problem::new(Code::TokenInvalid, format!("The token is not valid: {shape}. Send a token that was issued here.")))?;
        if matches!(parsed.kind(), SecretKind::WebSession | SecretKind::SetupLink | SecretKind::ConnectLink | SecretKind::ReceiptLink | SecretKind::CalendarLink) {
            return Err(Problem::new(Code::TokenInvalid, format!("A {} is not a token and opens no API. Send an access token.", parsed.kind().words())));
        }
        let mut tx = self.store().look(Scope::System).await?;
        let found = tx.token_by_hash(&self.vault().token_hash(&parsed)).await?;
        let FoundToken { container, secret, member } = found.ok_or_else(dead)?;
        let now = self.now();
        // The kind stands in the row too: a prefix that was changed does not make another kind of it.
        if secret.kind != parsed.kind() || secret.expires <= now {
            return Err(dead());
        }
        tx.enter(Scope::Organization(container.organization_id))?;
        // One who signed in with a password can make an expired member live again by changing it; until then the token does
        // nothing else.
        let logon = container.token_type == TokenType::Logon;
        let member = member.filter(Member::acts).filter(|member| logon || !member.expired(now)).ok_or_else(dead)?;
        self.note_token(container.id);
        match secret.kind {
            SecretKind::Refresh => Ok(Grant::Refresh(RefreshGrant { organization: container.organization_id, container: container.id, member: container.member_id, caller })),
            SecretKind::IntegrationAccess => match container.owner {
                TokenOwner::Integration(account, integration) => {
                    Ok(Grant::Connector(ConnectorGrant { organization: container.organization_id, account, integration, member: container.member_id, caller }))
                }
                TokenOwner::Organization(_) => Err(dead()),
            },
            SecretKind::OrganizationAccess => match container.owner {
                TokenOwner::Organization(_) => {
                    let permits = permits(&mut tx, &container, &member).await?;
                    let password_expired = logon && member.must_change_password(now);
                    Ok(Grant::Management(ManagementGrant {
                        organization: container.organization_id,
                        member: container.member_id,
                        container: Some(container.id),
                        permits,
                        password_expired,
                        caller,
                        undoing: None,
                    }))
                }
                TokenOwner::Integration(..) => Err(dead()),
            },
            SecretKind::WebSession | SecretKind::SetupLink | SecretKind::ConnectLink | SecretKind::ReceiptLink | SecretKind::CalendarLink => Err(dead()),
        }
    }
}

/// The one answer to every token that does not work, so that nothing is told about those that do.
pub(crate) fn dead() -> Problem {
    Problem::new(Code::TokenInvalid, "The token is unknown, has expired or was revoked. Get a new one.")
}

/// The member behind a token, as long as it may act.
pub(crate) async fn live_member(tx: &mut ReadTx, member: MemberId, now: Timestamp) -> Result<Member, Problem> {
    let member = acting_member(tx, member).await?;
    if member.expired(now) { Err(dead()) } else { Ok(member) }
}

/// The member behind a token, as long as its state lets it act, its own time over or not.
pub(crate) async fn acting_member(tx: &mut ReadTx, member: MemberId) -> Result<Member, Problem> {
    tx.member(member).await?.filter(Member::acts).ok_or_else(dead)
}

async fn permits(tx: &mut ReadTx, container: &TokenContainer, member: &Member) -> Result<Vec<Permit>, Problem> {
    match &container.authority {
        Authority::Adhoc { resources, permission_set } => adhoc_permits(tx, member, *permission_set, resources).await,
        Authority::Roles(_) => role_permits(tx, member).await,
    }
}

/// What a token of fixed authority allows. It never exceeds the member who minted it, at this moment either: when a role was
/// taken away or narrowed since, what it no longer covers is dead.
///
/// # Errors
/// `token_invalid`; problems of the store.
pub(crate) async fn adhoc_permits(tx: &mut ReadTx, member: &Member, permission_set: PermissionSet, resources: &ResourceScope) -> Result<Vec<Permit>, Problem> {
    let covered = role_permits(tx, member).await?.iter().any(|permit| {
        let set = permission::within(permission_set, permit.permission_set) || (permit.permission_set == PermissionSet::AccountProvisioner && FIRST.contains(&permission_set));
        set && narrow::covers(resources, &permit.resources)
    });
    if !covered {
        return Err(Problem::new(Code::TokenInvalid, "The roles of the member who minted this token no longer cover it. Mint a new one."));
    }
    Ok(Permit::new(member.organization_id, permission_set, resources.clone()).into_iter().collect())
}

/// What the roles of a member allow, at this moment. A role that is gone allows nothing.
pub(crate) async fn role_permits(tx: &mut ReadTx, member: &Member) -> Result<Vec<Permit>, Problem> {
    let mut permits = Vec::new();
    for role in &member.role_binding {
        if let Some(permission_set) = role.builtin_permission_set() {
            permits.push(Permit { permission_set, resources: ResourceScope::default() });
        } else if let Some(role) = tx.role(role).await? {
            permits.extend(Permit::new(member.organization_id, role.permission_set, role.resources));
        }
    }
    Ok(permits)
}

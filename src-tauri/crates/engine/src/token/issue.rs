//! Makes containers and pairs of secrets. A secret is stored as a keyed hash and leaves in clear once.

use std::time::Duration;

use patchbay_model::name::name_and_fullname;
use patchbay_model::token::{Authority, SecretKind, Slot, TokenContainer, TokenOwner, TokenSecret, TokenType};
use patchbay_model::{Fullname, MemberId, OrganizationId, Problem, Timestamp, TokenId};
use patchbay_store::WriteTx;
use patchbay_vault::{mint_token, parse_token};

use super::{ContainerState, LiveSecret, Pair};
use crate::Engine;

/// A container that is about to be made.
pub(crate) struct NewContainer {
    pub(crate) owner: TokenOwner,
    pub(crate) member: MemberId,
    pub(crate) name: Option<String>,
    pub(crate) fullname: Option<String>,
    /// Whether the full name is the caller's, so that a name can be derived from it. One that is ours is no source of a
    /// name: two logons would take each other's.
    pub(crate) fullname_given: bool,
    pub(crate) token_type: TokenType,
    pub(crate) authority: Authority,
    pub(crate) access_ttl: Duration,
    pub(crate) refresh_ttl: Option<Duration>,
}

/// Makes a container with its primary pair.
///
/// # Errors
/// `invalid_field`, `name_taken`; problems of the store.
pub(crate) async fn issue(engine: &Engine, tx: &mut WriteTx, organization: OrganizationId, new: NewContainer) -> Result<ContainerState, Problem> {
    let id = TokenId::from_uuid(engine.context().new_uuid());
    issue_as(engine, tx, organization, id, new).await
}

/// Makes a container whose id is known before, because its owner refers to it.
///
/// # Errors
/// As [`issue`].
pub(crate) async fn issue_as(engine: &Engine, tx: &mut WriteTx, organization: OrganizationId, id: TokenId, new: NewContainer) -> Result<ContainerState, Problem> {
    let now = engine.now();
    let (name, fullname) = name_and_fullname(new.name.as_deref(), new.fullname.as_deref().filter(|_| new.fullname_given), id.uuid())?;
    let fullname = match new.fullname.filter(|text| !text.is_empty()) {
        Some(text) => Fullname::parse(&text)?,
        None => fullname,
    };
    let container = TokenContainer {
        id,
        organization_id: organization,
        owner: new.owner,
        member_id: new.member,
        name,
        fullname,
        token_type: new.token_type,
        authority: new.authority,
        access_ttl: new.access_ttl,
        refresh_ttl: new.refresh_ttl,
        expires: now.plus(new.refresh_ttl.unwrap_or(new.access_ttl)),
        created_at: now,
        updated_at: now,
    };
    tx.insert_token(&container).await?;
    let primary = mint_pair(engine, tx, &container).await?;
    Ok(ContainerState { container, primary: Some(primary), secondary: None })
}

/// Makes a pair in the primary slot; what was there is the caller's to move or end before.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn mint_pair(engine: &Engine, tx: &mut WriteTx, container: &TokenContainer) -> Result<Pair, Problem> {
    let access = match container.owner {
        TokenOwner::Organization(_) => SecretKind::OrganizationAccess,
        TokenOwner::Integration(..) => SecretKind::IntegrationAccess,
    };
    let (access, access_row) = mint_secret(engine, access, container.access_ttl)?;
    let refresh = container.refresh_ttl.map(|ttl| mint_secret(engine, SecretKind::Refresh, ttl)).transpose()?;
    let (refresh, refresh_row) = refresh.unzip();
    let rows: Vec<_> = std::iter::once(access_row).chain(refresh_row).collect();
    tx.insert_token_secrets(container.id, &rows).await?;
    Ok(Pair { access, refresh })
}

/// A secret, and what is stored of it.
fn mint_secret(engine: &Engine, kind: SecretKind, ttl: Duration) -> Result<(LiveSecret, (Vec<u8>, TokenSecret)), Problem> {
    let secret = mint_token(kind, engine.context().entropy());
    let parsed = parse_token(secret.expose()).map_err(|_| Problem::internal("a token just made has no good shape"))?;
    let expires = engine.now().plus(ttl);
    let row = (engine.vault().token_hash(&parsed).to_vec(), TokenSecret { kind, slot: Slot::Primary, expires });
    Ok((LiveSecret { secret: Some(secret), expires }, row))
}

/// A container with its live pairs as any later read shows them: without secrets. A pair lives as long as either of its
/// halves does; of an access half that has ended, and whose row may be gone, the end is told.
pub(crate) fn without_secrets(container: TokenContainer, secrets: &[TokenSecret], now: Timestamp) -> ContainerState {
    let pair = |slot: Slot| {
        let of = |refresh: bool| {
            secrets
                .iter()
                .find(|secret| secret.slot == slot && (secret.kind == SecretKind::Refresh) == refresh && secret.expires > now)
                .map(|secret| LiveSecret { secret: None, expires: secret.expires })
        };
        match (of(false), of(true)) {
            (Some(access), refresh) => Some(Pair { access, refresh }),
            (None, Some(refresh)) => {
                let minted = refresh.expires.minus(container.refresh_ttl.unwrap_or_default());
                Some(Pair { access: LiveSecret { secret: None, expires: minted.plus(container.access_ttl) }, refresh: Some(refresh) })
            }
            (None, None) => None,
        }
    };
    let (primary, secondary) = (pair(Slot::Primary), pair(Slot::Secondary));
    ContainerState { container, primary, secondary }
}

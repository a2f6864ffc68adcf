//! Refreshes a container.

use patchbay_model::change::ChangeKind;
use patchbay_model::token::TokenContainer;
use patchbay_model::{Operation, Problem, Scope, TokenId};
use patchbay_store::WriteTx;

use super::issue::{mint_pair, without_secrets};
use super::{Bearer, ContainerState, governed};
use crate::Engine;
use crate::audit::record::{Done, record_for};

/// Makes a new primary pair; the old one becomes the secondary and keeps working, the one before that ends. Nothing is
/// lost when the answer gets lost: the old refresh secret still works.
///
/// # Errors
/// `not_found` for a refresh secret of another container; `permission_denied`; problems of the store.
pub async fn refresh(engine: &Engine, bearer: Bearer<'_>, token: &str) -> Result<ContainerState, Problem> {
    let mut tx = begin(engine, bearer).await?;
    let container = find(&mut tx, bearer, Operation::TokensRefresh, token).await?;
    let state = replace_primary(engine, &mut tx, container, true).await?;
    finish(engine, tx, bearer, Operation::TokensRefresh, state).await
}

/// A transaction for either kind of bearer.
pub(super) async fn begin(engine: &Engine, bearer: Bearer<'_>) -> Result<WriteTx, Problem> {
    let origin = match bearer {
        Bearer::Management(grant) => grant.caller().origin,
        Bearer::Refresh(grant) => grant.caller().origin,
    };
    Ok(engine.store().write(Scope::Organization(bearer.organization()), origin).await?)
}

/// The container, when the bearer may run the operation on it.
pub(super) async fn find(tx: &mut WriteTx, bearer: Bearer<'_>, operation: Operation, token: &str) -> Result<TokenContainer, Problem> {
    match bearer {
        Bearer::Management(grant) => governed::container(tx, grant, operation, token).await,
        Bearer::Refresh(grant) => {
            let container = tx.find_token(token).await?.filter(|container| container.id == grant.container());
            container.ok_or_else(|| Problem::not_found(TokenId::NOUN, token))
        }
    }
}

/// Mints a new primary pair. The old primary becomes the secondary if `keep`, else it ends; an old secondary always ends.
pub(super) async fn replace_primary(engine: &Engine, tx: &mut WriteTx, mut container: TokenContainer, keep: bool) -> Result<ContainerState, Problem> {
    let now = engine.now();
    if keep {
        tx.demote_token_secrets(container.id).await?;
    } else {
        tx.remove_token_secrets(container.id, None).await?;
    }
    let primary = mint_pair(engine, tx, &container).await?;
    container.expires = now.plus(container.refresh_ttl.unwrap_or(container.access_ttl));
    container.updated_at = now;
    tx.update_token(&container).await?;
    let secrets = tx.token_secrets(container.id).await?;
    let state = without_secrets(container, &secrets, now);
    Ok(ContainerState { primary: Some(primary), ..state })
}

/// Writes the audit row and commits.
pub(super) async fn finish(engine: &Engine, mut tx: WriteTx, bearer: Bearer<'_>, operation: Operation, state: ContainerState) -> Result<ContainerState, Problem> {
    let (member, caller) = match bearer {
        Bearer::Management(grant) => (grant.member(), grant.caller()),
        Bearer::Refresh(grant) => (grant.member, grant.caller()),
    };
    let mut done = Done::changed(operation).object(ChangeKind::Token, state.container.id.uuid()).secret_replaced(true).giving(state.container.id, state.container.name.as_str());
    if let patchbay_model::token::TokenOwner::Integration(account, integration) = state.container.owner {
        done = done.in_account(account).on_integration(integration);
    }
    record_for(engine, &mut tx, bearer.organization(), Some(member), caller, done).await?;
    tx.commit().await?;
    Ok(state)
}

//! Reads token containers.

use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{Operation, Problem, Scope};
use patchbay_store::ReadTx;

use super::issue::without_secrets;
use super::{ContainerState, governed};
use crate::{Engine, ManagementGrant};

/// Lists the containers that the caller governs, without secrets.
///
/// # Errors
/// `permission_denied`; problems of the query and the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<ContainerState>, Problem> {
    grant.require(Operation::TokensList, None)?;
    // Containers of the organization are outside of every account's scope; those over reachable accounts are listed all the same.
    let mut tx = engine.store().read(Scope::Organization(grant.organization())).await?;
    tx.narrow_lists(grant.scopes(Operation::TokensList));
    let listed = tx.tokens(None, &query).await?;
    let mut items = Vec::with_capacity(listed.items.len());
    for container in listed.items {
        items.push(live(engine, &mut tx, container).await?);
    }
    Ok(Listed { items, total: listed.total, next: listed.next })
}

/// Reads one container, without secrets.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, token: &str) -> Result<ContainerState, Problem> {
    let mut tx = engine.store().read(Scope::Organization(grant.organization())).await?;
    let container = governed::container(&mut tx, grant, Operation::TokensGet, token).await?;
    live(engine, &mut tx, container).await
}

async fn live(engine: &Engine, tx: &mut ReadTx, container: patchbay_model::token::TokenContainer) -> Result<ContainerState, Problem> {
    let secrets = tx.token_secrets(container.id).await?;
    Ok(without_secrets(container, &secrets, engine.now()))
}

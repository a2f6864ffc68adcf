//! Rotates a container.

use patchbay_model::{Operation, Problem};

use super::refresh::{begin, find, finish, replace_primary};
use super::{Bearer, ContainerState, governed};
use crate::{Engine, ManagementGrant};

/// Drops the secondary pair, makes the primary the secondary and a new primary. It cannot be undone.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn rotate(engine: &Engine, grant: &ManagementGrant, owner: &str, token: &str) -> Result<ContainerState, Problem> {
    let bearer = Bearer::Management(grant);
    let mut tx = begin(engine, bearer).await?;
    let container = find(&mut tx, bearer, Operation::TokensRotate, token).await?;
    governed::owned_by(&container, owner)?;
    let state = replace_primary(engine, &mut tx, container, true).await?;
    finish(engine, tx, bearer, Operation::TokensRotate, state).await
}

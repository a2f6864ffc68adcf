//! Resets a container.

use patchbay_model::{Code, Operation, Problem};

use super::refresh::{begin, find, finish, replace_primary};
use super::{Bearer, ContainerState, governed};
use crate::Engine;

/// Makes a new primary pair; everything earlier dies at once. It cannot be undone.
///
/// # Errors
/// `wrong_token_kind` for a refresh secret, which is good for a refresh and nothing else (product.md section 3);
/// `not_found`, `permission_denied`; problems of the store.
pub async fn reset(engine: &Engine, bearer: Bearer<'_>, owner: &str, token: &str) -> Result<ContainerState, Problem> {
    if bearer.own_container().is_some() {
        return Err(Problem::new(Code::WrongTokenKind, "A refresh token can refresh its container and nothing else. Send an organization access token to reset it."));
    }
    let mut tx = begin(engine, bearer).await?;
    let container = find(&mut tx, bearer, Operation::TokensReset, token).await?;
    governed::owned_by(&container, owner)?;
    let state = replace_primary(engine, &mut tx, container, false).await?;
    finish(engine, tx, bearer, Operation::TokensReset, state).await
}

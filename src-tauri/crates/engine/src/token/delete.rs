//! Deletes a container.

use patchbay_model::{DeletionId, Operation, Problem, TokenId};
use patchbay_store::WriteTx;

use super::governed;
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Ends a container for good: its secrets are removed at once, so that an undo of anything cannot bring them back.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn end(engine: &Engine, tx: &mut WriteTx, token: TokenId) -> Result<(), Problem> {
    tx.remove_token_secrets(token, None).await?;
    tx.delete_token(token, DeletionId::from_uuid(engine.context().new_uuid()), engine.now()).await?;
    Ok(())
}

/// Deletes a container; all its secrets die at once and nothing brings them back.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, token: &str) -> Result<(), Problem> {
    let mut tx = reach::writing_organization(engine, grant).await?;
    let container = governed::container(&mut tx, grant, Operation::TokensDelete, token).await?;
    crate::token::end(engine, &mut tx, container.id).await?;
    record(engine, &mut tx, grant, Done::deleted(Operation::TokensDelete).before(&container).giving(container.id, container.name.as_str())).await?;
    tx.commit().await?;
    Ok(())
}

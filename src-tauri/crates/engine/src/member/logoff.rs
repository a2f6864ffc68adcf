//! Signs a member out.

use patchbay_model::change::ChangeKind;
use patchbay_model::token::TokenType;
use patchbay_model::{Operation, Problem};

use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Ends the caller's own token container, if it came from a logon. Other tokens are ended by `tokens.delete`.
///
/// # Errors
/// Problems of the store.
pub async fn logoff(engine: &Engine, grant: &ManagementGrant) -> Result<(), Problem> {
    let mut tx = reach::writing_organization(engine, grant).await?;
    if let Some(id) = grant.container()
        && let Some(container) = tx.token(id).await?
        && container.token_type == TokenType::Logon
    {
        crate::token::end(engine, &mut tx, id).await?;
    }
    record(engine, &mut tx, grant, Done::deleted(Operation::AuthLogoff).object(ChangeKind::Member, grant.member().uuid())).await?;
    tx.commit().await?;
    Ok(())
}

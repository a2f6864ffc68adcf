//! Ends the secondary pair.

use patchbay_model::change::ChangeKind;
use patchbay_model::token::Slot;
use patchbay_model::{Operation, Problem};

use super::governed;
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Ends the secondary pair at once. One that is not there is no error.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn remove_secondary(engine: &Engine, grant: &ManagementGrant, token: &str) -> Result<(), Problem> {
    let mut tx = reach::writing_organization(engine, grant).await?;
    let mut container = governed::container(&mut tx, grant, Operation::TokensRemoveSecondary, token).await?;
    tx.remove_token_secrets(container.id, Some(Slot::Secondary)).await?;
    container.updated_at = engine.now();
    tx.update_token(&container).await?;
    record(
        engine,
        &mut tx,
        grant,
        Done::deleted(Operation::TokensRemoveSecondary).object(ChangeKind::Token, container.id.uuid()).secret_replaced(true).giving(container.id, container.name.as_str()),
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

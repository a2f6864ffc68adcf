//! Deletes an organization webhook.

use patchbay_model::{Operation, Problem};

use super::get::find;
use crate::audit::record::{Done, record};
use crate::deletion::Deletion;
use crate::{Engine, ManagementGrant, reach};

/// Deletes an organization webhook with its credentials; it can be undone for some minutes. Nothing more is sent to it; what
/// was waiting goes on after an undo, and is removed with it otherwise.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, webhook: &str) -> Result<Deletion, Problem> {
    grant.require_whole(Operation::OrganizationWebhooksDelete)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let webhook = find(&mut tx, webhook).await?;
    let deletion = Deletion::new(engine);
    tx.delete_webhook(webhook.id, deletion.id, engine.now()).await?;
    record(engine, &mut tx, grant, Done::deleted(Operation::OrganizationWebhooksDelete).before(&webhook).deletion(deletion.id).giving(webhook.id, webhook.name.as_str())).await?;
    tx.commit().await?;
    Ok(deletion)
}

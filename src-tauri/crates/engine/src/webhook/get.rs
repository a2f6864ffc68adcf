//! Reads an organization webhook.

use patchbay_model::webhook::OrganizationWebhook;
use patchbay_model::{Operation, Problem, WebhookId};
use patchbay_store::ReadTx;

use crate::{Engine, ManagementGrant, reach};

/// Reads an organization webhook by id or name.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, webhook: &str) -> Result<OrganizationWebhook, Problem> {
    grant.require_whole(Operation::OrganizationWebhooksGet)?;
    find(&mut reach::reading(engine, grant).await?, webhook).await
}

/// The webhook of this id or name.
pub(super) async fn find(tx: &mut ReadTx, reference: &str) -> Result<OrganizationWebhook, Problem> {
    tx.find_webhook(reference).await?.ok_or_else(|| Problem::not_found(WebhookId::NOUN, reference))
}

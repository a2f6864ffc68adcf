//! Changes an organization webhook.

use patchbay_model::credential::{CredentialKind, CredentialOwner};
use patchbay_model::webhook::OrganizationWebhook;
use patchbay_model::{CredentialId, Fullname, Name, Operation, Problem};
use patchbay_store::ReadTx;

use super::UpdateWebhook;
use super::create::{filters, target};
use super::get::find;
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Changes an organization webhook. What is on its way goes to the new URL, signed with the new secret.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_field`, `name_taken`, `update_conflict`; problems of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, webhook: &str, change: UpdateWebhook) -> Result<OrganizationWebhook, Problem> {
    grant.require_whole(Operation::OrganizationWebhooksUpdate)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let before = find(&mut tx, webhook).await?;
    let mut webhook = before.clone();
    reach::unchanged(change.expected, webhook.updated_at, "organization_webhook", webhook.id)?;
    if let Some(name) = change.name.filter(|name| *name != webhook.name.as_str()) {
        webhook.name = Name::parse(&name)?;
    }
    if let Some(fullname) = change.fullname {
        webhook.fullname = Fullname::parse(&fullname)?;
    }
    webhook.environment = change.environment.unwrap_or(webhook.environment);
    webhook.filters = filters(change.filters)?;
    webhook.url = target(change.url)?;
    if let Some(credential) = change.credential.filter(|credential| *credential != webhook.credential_id.to_string()) {
        webhook.credential_id = own_credential(&mut tx, &webhook, &credential).await?;
    }
    webhook.updated_at = engine.now();
    tx.update_webhook(&webhook).await?;
    record(engine, &mut tx, grant, Done::changed(Operation::OrganizationWebhooksUpdate).before(&before).after(&webhook).giving(webhook.id, webhook.name.as_str())).await?;
    tx.commit().await?;
    Ok(webhook)
}

/// A credential that the webhook owns and that can sign.
async fn own_credential(tx: &mut ReadTx, webhook: &OrganizationWebhook, reference: &str) -> Result<CredentialId, Problem> {
    let found = tx.find_credential(CredentialOwner::OrganizationWebhook(webhook.id), reference).await?;
    match found.filter(|credential| matches!(credential.kind, CredentialKind::Secret | CredentialKind::Token)) {
        Some(credential) => Ok(credential.id),
        None => Err(Problem::field(
            "/credential_id",
            format!("/credential_id must be a credential of type `secret` that belongs to this webhook. Make one with POST /v1/credentials/{}, or leave it as it is.", webhook.id),
        )),
    }
}

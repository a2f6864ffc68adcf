//! Who owns a credential: an account, an integration, a point or an organization webhook, told by the id (or the name) in the
//! path.

use patchbay_model::account::Account;
use patchbay_model::credential::{Credential, CredentialOwner};
use patchbay_model::{AccountId, CredentialId, IntegrationId, Operation, Problem, WebhookId};
use patchbay_store::ReadTx;

use crate::grant::ManagementGrant;

/// An owner within the caller's reach, for an operation that the caller may run there.
pub(super) struct Owner {
    /// The owner.
    pub(super) owner: CredentialOwner,
    /// Its account; none for a point or a webhook.
    pub(super) account: Option<Account>,
}

impl Owner {
    /// The account's id, for sealing and the audit row.
    pub(super) fn account_id(&self) -> Option<AccountId> {
        self.account.as_ref().map(|account| account.id)
    }
}

/// Finds an owner: an account, an integration, a point or a webhook by id, else an account, a point or a webhook by name, in
/// this order.
///
/// # Errors
/// `not_found`, also for what is out of reach; `permission_denied`; problems of the store.
pub(super) async fn find(tx: &mut ReadTx, grant: &ManagementGrant, operation: Operation, reference: &str) -> Result<Owner, Problem> {
    if let Some(account) = tx.find_account(reference).await?.filter(|account| grant.reaches(account)) {
        grant.require(operation, Some(&account))?;
        return Ok(Owner { owner: CredentialOwner::Account(account.id), account: Some(account) });
    }
    if let Ok(id) = reference.parse::<IntegrationId>()
        && let Some(integration) = tx.integration(id).await?
    {
        return of(tx, grant, operation, CredentialOwner::Integration(integration.account_id, id)).await;
    }
    if let Some(point) = tx.find_point(reference).await? {
        return of(tx, grant, operation, CredentialOwner::IntegrationPoint(point.id)).await;
    }
    // In an account's scope there are no webhooks.
    if tx.scope().account().is_none()
        && grant.require_whole(Operation::OrganizationWebhooksGet).is_ok()
        && let Some(webhook) = tx.find_webhook(reference).await?
    {
        return of(tx, grant, operation, CredentialOwner::OrganizationWebhook(webhook.id)).await;
    }
    Err(Problem::not_found("account, integration, integration point or organization webhook", reference))
}

/// Checks an owner that is known.
///
/// # Errors
/// As [`find`].
pub(super) async fn of(tx: &mut ReadTx, grant: &ManagementGrant, operation: Operation, owner: CredentialOwner) -> Result<Owner, Problem> {
    match owner.account() {
        Some(id) => {
            let account = tx.account(id).await?.filter(|account| grant.reaches(account)).ok_or_else(|| Problem::not_found("account", id))?;
            grant.require(operation, Some(&account))?;
            Ok(Owner { owner, account: Some(account) })
        }
        None => {
            let reads = matches!(operation, Operation::CredentialsGet | Operation::CredentialsImpact | Operation::CredentialsList | Operation::CredentialsLookup);
            if let CredentialOwner::OrganizationWebhook(webhook) = owner {
                // Its secret is for those who may see the webhook, and for those who may change it.
                grant.require_whole(Operation::OrganizationWebhooksGet).map_err(|_| Problem::not_found(WebhookId::NOUN, webhook))?;
                grant.require_whole(operation)?;
                if !reads {
                    grant.require_whole(Operation::OrganizationWebhooksUpdate)?;
                }
            } else if reads {
                grant.require(operation, None)?;
            } else {
                // What all accounts share is not for a caller that is narrowed to some.
                grant.require_whole(operation)?;
            }
            Ok(Owner { owner, account: None })
        }
    }
}

/// The credential of this id or name with its owner.
///
/// # Errors
/// As [`find`].
pub(super) async fn credential(tx: &mut ReadTx, grant: &ManagementGrant, operation: Operation, owner: &str, reference: &str) -> Result<(Owner, Credential), Problem> {
    let owner = find(tx, grant, operation, owner).await?;
    if let Some(credential) = tx.find_credential(owner.owner, reference).await? {
        return Ok((owner, credential));
    }
    // An integration's own credential is found under its account too: there it was made from an inline secret.
    if let (CredentialOwner::Account(account), Ok(id)) = (owner.owner, reference.parse::<CredentialId>())
        && let Some(credential) = tx.credential(id).await?.filter(|credential| credential.owner.account() == Some(account))
    {
        return Ok((Owner { owner: credential.owner, account: owner.account }, credential));
    }
    Err(Problem::not_found(CredentialId::NOUN, reference))
}

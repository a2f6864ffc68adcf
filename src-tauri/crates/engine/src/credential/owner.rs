//! Who owns a credential: an account, an integration, a point or an organization webhook, told by the id (or the name) in the
//! path.

use patchbay_model::account::Account;
use patchbay_model::credential::{Credential, CredentialOwner};
use patchbay_model::{AccountId, Code, CredentialId, IntegrationId, Operation, Problem, WebhookId};
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
    let owner = located(tx, grant, reference).await?;
    of(tx, grant, operation, owner).await
}

/// The owner of this id or name, when it is within reach for anything at all.
async fn located(tx: &mut ReadTx, grant: &ManagementGrant, reference: &str) -> Result<CredentialOwner, Problem> {
    if let Some(account) = tx.find_account(reference).await?.filter(|account| grant.reaches(account)) {
        return Ok(CredentialOwner::Account(account.id));
    }
    if let Ok(id) = reference.parse::<IntegrationId>()
        && let Some(integration) = tx.integration(id).await?
    {
        return Ok(CredentialOwner::Integration(integration.account_id, id));
    }
    if let Some(point) = tx.find_point(reference).await? {
        return Ok(CredentialOwner::IntegrationPoint(point.id));
    }
    // In an account's scope there are no webhooks.
    if tx.scope().account().is_none()
        && grant.require_whole(Operation::OrganizationWebhooksGet).is_ok()
        && let Some(webhook) = tx.find_webhook(reference).await?
    {
        return Ok(CredentialOwner::OrganizationWebhook(webhook.id));
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
            match owner {
                CredentialOwner::Integration(_, integration) => {
                    let missing = || Problem::not_found("integration", integration);
                    let found = tx.integration(integration).await?.filter(|found| grant.reaches_category(&account, found.connector)).ok_or_else(missing)?;
                    grant.require_in(operation, &account, found.connector)?;
                }
                _ => grant.require(operation, Some(&account))?,
            }
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
    let owner = located(tx, grant, owner).await?;
    let credential = match tx.find_credential(owner, reference).await? {
        Some(credential) => Some(credential),
        // An integration's own credential is found under its account too: there it was made from an inline secret.
        None => match (owner, reference.parse::<CredentialId>()) {
            (CredentialOwner::Account(account), Ok(id)) => tx.credential(id).await?.filter(|credential| credential.owner.account() == Some(account)),
            _ => None,
        },
    };
    match credential {
        Some(credential) => {
            let unknown = |problem: Problem| if problem.code == Code::NotFound { Problem::not_found(CredentialId::NOUN, reference) } else { problem };
            Ok((of(tx, grant, operation, credential.owner).await.map_err(unknown)?, credential))
        }
        None => {
            // Whether it is there is told to nobody who may not ask.
            of(tx, grant, operation, owner).await?;
            Err(Problem::not_found(CredentialId::NOUN, reference))
        }
    }
}

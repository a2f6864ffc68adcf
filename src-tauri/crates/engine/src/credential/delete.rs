//! Deletes a credential.

use patchbay_model::credential::{Credential, CredentialOwner};
use patchbay_model::{Code, Operation, Problem};
use patchbay_store::ReadTx;

use super::owner;
use crate::audit::record::{Done, record};
use crate::deletion::{Deletion, tell_credential};
use crate::{Engine, ManagementGrant, reach};

/// Deletes a credential; it can be undone for some minutes. Integrations that refer to it need attention from then on.
///
/// # Errors
/// `in_use` for the credential with which a webhook signs; `not_found`, `permission_denied`; problems of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, owner: &str, credential: &str) -> Result<Deletion, Problem> {
    let mut tx = reach::writing_organization(engine, grant).await?;
    let (owner, credential) = owner::credential(&mut tx, grant, Operation::CredentialsDelete, owner, credential).await?;
    not_signing(&mut tx, &credential).await?;
    let deletion = Deletion::new(engine);
    let users = tx.credential_user_ids(credential.id).await?;
    tx.delete_credential(credential.id, deletion.id, engine.now()).await?;
    for integration in users {
        tell_credential(engine, &mut tx, integration).await?;
    }
    let mut done = Done::deleted(Operation::CredentialsDelete).before(&credential).deletion(deletion.id).giving(credential.id, credential.name.as_str());
    if let Some(account) = owner.account_id() {
        done = done.in_account(account);
    }
    record(engine, &mut tx, grant, done).await?;
    tx.commit().await?;
    Ok(deletion)
}

/// A webhook that cannot sign would send nothing.
async fn not_signing(tx: &mut ReadTx, credential: &Credential) -> Result<(), Problem> {
    let CredentialOwner::OrganizationWebhook(webhook) = credential.owner else { return Ok(()) };
    let signs = tx.webhook(webhook).await?.filter(|webhook| webhook.credential_id == credential.id);
    signs.map_or(Ok(()), |webhook| {
        Err(Problem::new(
            Code::InUse,
            format!("The webhook `{}` signs with this credential. Change its secret, give the webhook another credential, or delete the webhook.", webhook.name),
        )
        .with_resource("organization_webhook", webhook.id, "cause"))
    })
}

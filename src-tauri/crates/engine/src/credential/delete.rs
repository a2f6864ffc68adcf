//! Deletes a credential.

use patchbay_model::integration::{AttentionCause, IntegrationStatus};
use patchbay_model::{Operation, Problem};

use super::owner;
use crate::audit::record::{Done, record};
use crate::call::status::LIVE;
use crate::deletion::Deletion;
use crate::{Engine, ManagementGrant, reach};

/// Deletes a credential; it can be undone for some minutes. Integrations that refer to it need attention from then on.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, owner: &str, credential: &str) -> Result<Deletion, Problem> {
    let mut tx = reach::writing_organization(engine, grant).await?;
    let (owner, credential) = owner::credential(&mut tx, grant, Operation::CredentialsDelete, owner, credential).await?;
    let deletion = Deletion::new(engine);
    let users = tx.credential_users(credential.id).await?;
    tx.delete_credential(credential.id, deletion.id, engine.now()).await?;
    let missing = IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialMissing };
    for user in users.integrations {
        tx.set_integration_status(user.id, &LIVE, missing, engine.now(), false).await?;
    }
    let mut done = Done::deleted(Operation::CredentialsDelete).before(&credential).deletion(deletion.id).giving(credential.id, credential.name.as_str());
    if let Some(account) = owner.account_id() {
        done = done.in_account(account);
    }
    record(engine, &mut tx, grant, done).await?;
    tx.commit().await?;
    Ok(deletion)
}

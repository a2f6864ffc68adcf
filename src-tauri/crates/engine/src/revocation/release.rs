//! What was deleted can be brought back for a while. When nobody can do that any more, what it had authorized is taken back at the
//! provider, before the purge removes it.

use patchbay_model::revocation::RevocationReason;
use patchbay_model::{OrganizationId, Problem, Scope, Timestamp};
use patchbay_store::SecretWriteTx;

use super::{Taking, begin};
use crate::Engine;
use crate::call::sealed;

/// Turns what the purge of deletions from before `before` would drop into revocations. In the purge's own transaction, which began in
/// the system's scope and is in it again afterwards. Gives their number.
///
/// # Errors
/// `key_unavailable` when nothing can be sealed; problems of the store.
pub(crate) async fn release(engine: &Engine, tx: &mut SecretWriteTx, before: Timestamp) -> Result<u64, Problem> {
    let mut organizations: Vec<OrganizationId> = tx.due_deletions(before).await?.into_iter().map(|(organization, _)| organization).collect();
    organizations.sort_by_key(|organization| organization.uuid());
    organizations.dedup();
    let mut number = 0;
    for organization in organizations {
        tx.visit(Scope::Organization(organization))?;
        for (credential, integration, envelope) in tx.secrets().sealed_sets_deleted(before).await? {
            let (Some(credential), Some(integration)) = (tx.credential_even_deleted(credential).await?, tx.integration_even_deleted(integration).await?) else { continue };
            let plain = match sealed::open_in(engine, tx, &credential, &envelope).await {
                Ok(plain) => Some(plain),
                // What cannot be opened cannot be sent, and must not keep everything else from being purged.
                Err(problem) => {
                    tracing::warn!(integration = %integration.id, code = problem.code.as_str(), "what a deleted integration had authorized cannot be opened");
                    None
                }
            };
            let receipt = tx.receipts_of_integration(integration.id).await?.pop().map(|receipt| receipt.id);
            begin(engine, tx, Taking { integration: &integration, credential: &credential, plain, reason: RevocationReason::Deleted, receipt }).await?;
            number += 1;
        }
    }
    tx.visit(Scope::System)?;
    Ok(number)
}

//! Brings a withdrawn manifest back: what undoes a withdrawal.

use patchbay_model::definition::DefinitionStatus;
use patchbay_model::{Code, Operation, Problem};

use super::found;
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Brings a withdrawn manifest back into the state that it had, under the permission to add one.
///
/// # Errors
/// `update_conflict` where it is not withdrawn; `not_found`, `permission_denied`; problems of the store.
pub(crate) async fn restore(engine: &Engine, grant: &ManagementGrant, reference: &str, status: DefinitionStatus) -> Result<(), Problem> {
    grant.require(Operation::ManifestsAdd, None)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let before = found(&mut tx, reference).await?;
    if before.status != DefinitionStatus::Withdrawn {
        return Err(Problem::new(Code::UpdateConflict, format!("Version {} of the manifest of {} is not withdrawn any more.", before.version, before.provider)));
    }
    let now = engine.now();
    if status == DefinitionStatus::Active {
        for other in tx.own_definitions().await? {
            if other.provider == before.provider && other.status == DefinitionStatus::Active {
                tx.set_own_definition_status(other.id, DefinitionStatus::Deprecated, now).await?;
            }
        }
    }
    let mut after = before;
    (after.status, after.updated_at) = (status, now);
    tx.set_own_definition_status(after.id, status, now).await?;
    record(engine, &mut tx, grant, Done::created(Operation::ManifestsAdd).after(&after).giving(after.id, after.provider.as_str())).await?;
    tx.commit().await?;
    Ok(())
}

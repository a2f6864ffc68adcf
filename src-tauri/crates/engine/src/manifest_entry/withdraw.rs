//! Withdraws a manifest of the organization's own.

use patchbay_model::definition::DefinitionStatus;
use patchbay_model::{Code, Operation, Problem};

use super::{ManifestEntry, found};
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Withdraws a manifest, by its id or its provider's. New integrations go by the organization's manifest before it, or by what the
/// program knows; those that pin it go on with it.
///
/// # Errors
/// `not_found`, `definition_withdrawn` where it was withdrawn already, `permission_denied`; problems of the store.
pub async fn withdraw(engine: &Engine, grant: &ManagementGrant, reference: &str) -> Result<ManifestEntry, Problem> {
    grant.require(Operation::ManifestsWithdraw, None)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let before = found(&mut tx, reference).await?;
    if before.status == DefinitionStatus::Withdrawn {
        return Err(Problem::new(Code::DefinitionWithdrawn, format!("Version {} of the manifest of {} was withdrawn already.", before.version, before.provider)));
    }
    let now = engine.now();
    let mut after = before.clone();
    (after.status, after.updated_at) = (DefinitionStatus::Withdrawn, now);
    tx.set_own_definition_status(before.id, DefinitionStatus::Withdrawn, now).await?;
    if before.status == DefinitionStatus::Active {
        // The newest of those that were deprecated by it comes into force again.
        let earlier = tx.own_definitions().await?.into_iter().find(|other| other.provider == before.provider && other.status == DefinitionStatus::Deprecated);
        if let Some(earlier) = earlier {
            tx.set_own_definition_status(earlier.id, DefinitionStatus::Active, now).await?;
        }
    }
    record(engine, &mut tx, grant, Done::deleted(Operation::ManifestsWithdraw).before(&before).giving(before.id, before.provider.as_str())).await?;
    let entry = ManifestEntry::of(engine, &mut tx, after).await?;
    tx.commit().await?;
    Ok(entry)
}

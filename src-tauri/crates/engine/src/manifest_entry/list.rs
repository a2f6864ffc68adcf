//! Lists the manifests of the organization's own.

use patchbay_model::{Operation, Problem};

use super::ManifestEntry;
use crate::{Engine, ManagementGrant, reach};

/// Every manifest that the organization ever added, the newest first.
///
/// # Errors
/// `permission_denied`; problems of the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant) -> Result<Vec<ManifestEntry>, Problem> {
    let mut tx = reach::listing(engine, grant, Operation::ManifestsList).await?;
    let mut all = Vec::new();
    for definition in tx.own_definitions().await? {
        all.push(ManifestEntry::of(engine, &mut tx, definition).await?);
    }
    Ok(all)
}

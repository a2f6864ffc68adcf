//! Adds a manifest of the organization's own.

use patchbay_model::definition::{Definition, DefinitionStatus};
use patchbay_model::{Code, DefinitionId, Operation, Problem};
use patchbay_providers::UserManifest;

use super::ManifestEntry;
use super::check::{Checked, checked};
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Adds a manifest. From now on new integrations of its provider go by it; those that pin another version stay with that one until
/// they are moved. An earlier one of the organization's own is deprecated.
///
/// # Errors
/// `manifest_invalid` with every line that is wrong, `permission_denied`; problems of the store.
pub async fn add(engine: &Engine, grant: &ManagementGrant, text: &str) -> Result<ManifestEntry, Problem> {
    grant.require(Operation::ManifestsAdd, None)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let judged = checked(engine, &mut tx, grant, text).await?;
    let Checked { manifest: Some(manifest), version: Some(version), findings, .. } = &judged else { return Err(invalid(&judged)) };
    if !findings.is_empty() {
        return Err(invalid(&judged));
    }
    let given = UserManifest { id: manifest.id.clone(), version: version.clone(), text: text.to_owned() };
    let provider = engine.catalog().own(&given).map_err(|error| Problem::new(Code::ManifestInvalid, error.to_string()).at_body("/manifest"))?;
    let now = engine.now();
    let definition = Definition {
        id: DefinitionId::from_uuid(engine.context().new_uuid()),
        provider: provider.id().clone(),
        connector: provider.connector(),
        version: version.clone(),
        auth_type: provider.auth_type(),
        docs_url: provider.manifest().docs_url.clone(),
        organization: Some(grant.organization()),
        manifest: Some(text.to_owned()),
        config_schema: provider.settings_schema(),
        credentials_schema: provider.credentials_schema(),
        status: DefinitionStatus::Active,
        created_at: now,
        updated_at: now,
    };
    for before in tx.own_definitions().await? {
        if before.provider == definition.provider && before.status == DefinitionStatus::Active {
            tx.set_own_definition_status(before.id, DefinitionStatus::Deprecated, now).await?;
        }
    }
    tx.insert_definition(&definition).await?;
    record(engine, &mut tx, grant, Done::created(Operation::ManifestsAdd).after(&definition).giving(definition.id, definition.provider.as_str())).await?;
    let entry = ManifestEntry::of(engine, &mut tx, definition).await?;
    tx.commit().await?;
    Ok(entry)
}

/// What is wrong with a manifest, as one problem.
fn invalid(judged: &Checked) -> Problem {
    let lines: Vec<String> = judged.findings.iter().take(20).map(ToString::to_string).collect();
    let more = if judged.findings.len() > lines.len() { format!(" and {} more", judged.findings.len() - lines.len()) } else { String::new() };
    Problem::new(Code::ManifestInvalid, format!("The manifest cannot be added. Correct it, line and column in front: {}{more}.", lines.join("; "))).at_body("/manifest")
}

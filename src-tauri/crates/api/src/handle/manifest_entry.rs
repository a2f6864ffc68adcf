//! `manifests.*`: the manifests of an organization's own.

use patchbay_engine::manifest_entry::{self, Checked};
use patchbay_model::Problem;

use super::{Bare, With};
use crate::request::Json;
use crate::wire::envelope::{Answer, Listed};
use crate::wire::manifest_entry::{ManifestCheck, ManifestEntry, ManifestText};

pub(crate) async fn list(call: Bare<'_>) -> Result<Listed<ManifestEntry>, Problem> {
    let all = manifest_entry::list(call.engine, call.grant).await?;
    Ok(Listed { result: all.into_iter().map(view).collect(), total: None, next: None })
}

pub(crate) async fn check(call: With<'_, Json<ManifestText>>) -> Result<Answer<ManifestCheck>, Problem> {
    let checked = manifest_entry::check(call.engine, call.grant, &call.body.0.manifest).await?;
    Ok(Answer::of(judged(checked)))
}

pub(crate) async fn add(call: With<'_, Json<ManifestText>>) -> Result<Answer<ManifestEntry>, Problem> {
    Ok(Answer::of(view(manifest_entry::add(call.engine, call.grant, &call.body.0.manifest).await?)))
}

pub(crate) async fn withdraw(call: Bare<'_>) -> Result<Answer<ManifestEntry>, Problem> {
    Ok(Answer::of(view(manifest_entry::withdraw(call.engine, call.grant, call.path("manifest_id")?).await?)))
}

fn judged(checked: Checked) -> ManifestCheck {
    let manifest = checked.manifest.as_ref();
    ManifestCheck {
        good: checked.findings.is_empty(),
        provider: manifest.map(|manifest| manifest.id.clone()),
        fullname: manifest.map(|manifest| manifest.fullname.clone()),
        facts: manifest.map_or(0, |manifest| manifest.facts().len()),
        unverified: manifest.map_or(0, patchbay_providers::Manifest::unverified),
        findings: checked.findings.into_iter().map(Into::into).collect(),
        version: checked.version,
        overrides: checked.overrides,
        differences: checked.differences.into_iter().map(Into::into).collect(),
        destinations: checked.destinations.into_iter().map(Into::into).collect(),
    }
}

fn view(entry: manifest_entry::ManifestEntry) -> ManifestEntry {
    let definition = &entry.definition;
    let provider = entry.provider.as_ref();
    ManifestEntry {
        id: definition.id,
        provider: definition.provider.clone(),
        fullname: provider.map_or_else(|| definition.provider.to_string(), |provider| provider.fullname().to_owned()),
        connector: definition.connector,
        version: definition.version.clone(),
        status: definition.status,
        overrides: entry.overrides,
        integrations: entry.integrations,
        destinations: provider.map(|provider| provider.manifest().destinations().into_iter().map(Into::into).collect()).unwrap_or_default(),
        manifest: definition.manifest.clone().unwrap_or_default(),
        created_at: definition.created_at,
        updated_at: definition.updated_at,
    }
}

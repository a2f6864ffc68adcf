//! `definitions.*`, and the versions of an integration.

use patchbay_engine::integration::version::{self, Preview, Target};
use patchbay_engine::{Engine, definition};
use patchbay_model::Problem;

use super::integration::updated;
use super::{Bare, Call, With, page};
use crate::request::{Json, ListOf, NoBody};
use crate::wire::definition::{ChangeWord, Definition, IntegrationVersion, SchemaChange, SetVersion, VersionPreview};
use crate::wire::envelope::{Answer, Listed};
use crate::wire::integration::IntegrationUpdated;
use crate::wire::problem;

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<Definition>, Problem> {
    let mut rows = definition::list(call.engine, call.grant, call.query.list).await?;
    let items = std::mem::take(&mut rows.items);
    Ok(page(rows, items.into_iter().map(|counted| view(call.engine, counted))))
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<Definition>, Problem> {
    let counted = definition::get(call.engine, call.grant, call.path("definition_id")?).await?;
    Ok(Answer::of(view(call.engine, counted)))
}

pub(crate) async fn list_versions(call: Bare<'_>) -> Result<Listed<IntegrationVersion>, Problem> {
    let versions = version::list(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await?;
    let result = versions
        .into_iter()
        .map(|version::Version { definition, pinned, rollback }| IntegrationVersion {
            definition_id: definition.id,
            version: definition.version,
            status: definition.status,
            created_at: definition.created_at,
            pinned,
            rollback,
        })
        .collect();
    Ok(Listed { result, total: None, next: None })
}

pub(crate) async fn preview_version(call: With<'_, Json<SetVersion>>) -> Result<Answer<VersionPreview>, Problem> {
    let target = target(call.body.0);
    let preview = version::preview(call.engine, call.grant, call.request.path("account_id")?, call.request.path("integration_id")?, target).await?;
    Ok(Answer::of(preview_view(call.engine, preview)))
}

pub(crate) async fn set_version(call: With<'_, Json<SetVersion>>) -> Result<IntegrationUpdated, Problem> {
    let target = target(call.body.0);
    let outcome = version::set(call.engine, call.grant, call.request.path("account_id")?, call.request.path("integration_id")?, target).await?;
    updated(call.engine, call.grant, outcome).await
}

pub(crate) async fn rollback_version(call: Bare<'_>) -> Result<IntegrationUpdated, Problem> {
    let outcome = version::rollback(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await?;
    updated(call.engine, call.grant, outcome).await
}

fn view(engine: &Engine, counted: definition::Counted) -> Definition {
    let provider = engine.provider_of(&counted.definition);
    let fullname = provider.map_or_else(|| counted.definition.provider.to_string(), |provider| provider.fullname().to_owned());
    Definition::view(counted.definition, fullname, counted.integrations)
}

fn target(body: SetVersion) -> Target {
    Target { definition: body.definition_id, version: body.version, config: body.config, expected: body.expected_updated_at }
}

fn preview_view(engine: &Engine, preview: Preview) -> VersionPreview {
    VersionPreview {
        possible: preview.problems.is_empty(),
        problems: preview.problems.iter().map(|problem| problem::Problem::new(problem, engine.now(), engine.context().new_uuid())).collect(),
        from: preview.from.into(),
        to: preview.to.into(),
        schema_changes: preview.schema.into_iter().map(change_view).collect(),
        credential_changes: preview.credentials.into_iter().map(change_view).collect(),
        config_before: preview.config_before,
        config_after: preview.config_after,
    }
}

fn change_view(change: version::SchemaChange) -> SchemaChange {
    let word = match (&change.before, &change.after) {
        (None, _) => ChangeWord::Added,
        (Some(_), None) => ChangeWord::Removed,
        (Some(_), Some(_)) => ChangeWord::Changed,
    };
    SchemaChange { member: change.member, change: word, required_before: change.required.0, required_after: change.required.1, before: change.before, after: change.after }
}

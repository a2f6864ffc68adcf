//! `integrations.*`

use std::collections::HashMap;

use patchbay_engine::integration::{self, IntegrationOutcome};
use patchbay_engine::{Engine, ManagementGrant, account, definition, point};
use patchbay_model::credential::CredentialKind;
use patchbay_model::integration::Integration as Row;
use patchbay_model::list;
use patchbay_model::{Problem, Timestamp};
use patchbay_providers::Provider;

use super::{Bare, Call, With, array, deleted, given, messages, not_offered, page};
use crate::handle::overview::impact_view;
use crate::handle::token::pair;
use crate::patch::{self, Writable};
use crate::reply::Deleted;
use crate::request::{Expand, Json, ListOf, MaybeJson, NoBody, Patch, Revoking, from_value};
use crate::wire::account::Account;
use crate::wire::envelope::{Answer, Listed};
use crate::wire::integration::{
    CreateIntegration, Integration, IntegrationConfig, IntegrationContext, IntegrationCreated, IntegrationUpdated, UpdateIntegration, Verified, VerifyIntegration,
};
use crate::wire::overview::Impact;
use crate::wire::point::IntegrationPoint;
use crate::wire::refresh::RefreshAttempt;
use crate::wire::revocation::{DisconnectPreview, Disconnected};

const WRITABLE: Writable = Writable {
    fields: &[
        "name",
        "fullname",
        "provider_config",
        "integration_point_id",
        "bridge_selector",
        "webhook_config",
        "mappings",
        "additional_mappings",
        "scheduled_operations",
        "x_patchbay.config",
    ],
    lists: &["mappings", "additional_mappings", "scheduled_operations"],
};

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<Integration>, Problem> {
    let rows = integration::list(call.engine, call.grant, call.query.list).await?;
    shown(call.engine, call.grant, rows, &call.query.expand).await
}

pub(crate) async fn list_account(call: Call<'_, ListOf, NoBody>) -> Result<Listed<Integration>, Problem> {
    let rows = integration::list_account(call.engine, call.grant, call.request.path("account_id")?, call.query.list).await?;
    shown(call.engine, call.grant, rows, &call.query.expand).await
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<Integration>, Problem> {
    let row = integration::get(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await?;
    one(call.engine, call.grant, row).await.map(Answer::of)
}

pub(crate) async fn create(call: With<'_, Json<CreateIntegration>>) -> Result<Answer<IntegrationCreated>, Problem> {
    let new = new(call.body.0)?;
    let outcome = integration::create(call.engine, call.grant, call.request.path("account_id")?, new).await?;
    let messages = messages(call.engine, outcome.problems);
    let token = outcome.token.ok_or_else(|| Problem::internal("an integration was made without its token"))?;
    let result = IntegrationCreated {
        integration: one(call.engine, call.grant, outcome.integration).await?,
        token: pair(&token.container, token.primary),
        credentials_created: outcome.credentials_created.into_iter().map(Into::into).collect(),
    };
    Ok(Answer { result, messages })
}

pub(crate) async fn verify(call: With<'_, Json<VerifyIntegration>>) -> Result<Verified, Problem> {
    let new = new(call.body.0.integration)?;
    let problems = integration::verify(call.engine, call.grant, call.request.path("account_id")?, new).await?;
    Ok(Verified { messages: messages(call.engine, problems) })
}

pub(crate) async fn verify_existing(call: With<'_, MaybeJson<UpdateIntegration>>) -> Result<Verified, Problem> {
    let change = call.body.0.map(|body| change(body, None)).transpose()?;
    let problems = integration::verify_existing(call.engine, call.grant, call.request.path("account_id")?, call.request.path("integration_id")?, change).await?;
    Ok(Verified { messages: messages(call.engine, problems) })
}

pub(crate) async fn update(call: With<'_, Json<UpdateIntegration>>) -> Result<IntegrationUpdated, Problem> {
    let expected = call.body.0.x_patchbay.as_ref().and_then(|extra| extra.expected_updated_at);
    let change = change(call.body.0, expected)?;
    let outcome = integration::update(call.engine, call.grant, call.request.path("account_id")?, call.request.path("integration_id")?, change).await?;
    updated(call.engine, call.grant, outcome).await
}

pub(crate) async fn patch(call: With<'_, Patch>) -> Result<IntegrationUpdated, Problem> {
    let row = integration::get(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await?;
    let (account, id, expected) = (row.account_id.to_string(), row.id.to_string(), row.updated_at);
    let current = one(call.engine, call.grant, row).await?;
    let change = change(from_value(patch::apply(&current, call.body, &WRITABLE)?)?, Some(expected))?;
    let outcome = integration::update(call.engine, call.grant, &account, &id, change).await?;
    updated(call.engine, call.grant, outcome).await
}

pub(crate) async fn delete(call: Call<'_, Revoking, NoBody>) -> Result<Deleted, Problem> {
    let (account, id) = (call.path("account_id")?, call.path("integration_id")?);
    if call.query.now {
        return integration::delete_and_revoke(call.engine, call.grant, account, id).await.map(deleted);
    }
    integration::delete(call.engine, call.grant, account, id).await.map(deleted)
}

pub(crate) async fn preview_disconnect(call: Bare<'_>) -> Result<Answer<DisconnectPreview>, Problem> {
    let preview = integration::preview_disconnect(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await?;
    Ok(Answer::of(preview.into()))
}

pub(crate) async fn disconnect(call: Bare<'_>) -> Result<Answer<Disconnected>, Problem> {
    let done = integration::disconnect(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await?;
    let integration = one(call.engine, call.grant, done.integration).await?;
    Ok(Answer::of(Disconnected { integration, revocation: done.revocation.map(Into::into) }))
}

pub(crate) async fn impact(call: Bare<'_>) -> Result<Answer<Impact>, Problem> {
    integration::impact(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await.map(impact_view)
}

pub(crate) async fn pause(call: Bare<'_>) -> Result<Answer<Integration>, Problem> {
    let row = integration::pause(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await?;
    one(call.engine, call.grant, row).await.map(Answer::of)
}

pub(crate) async fn resume(call: Bare<'_>) -> Result<Answer<Integration>, Problem> {
    let row = integration::resume(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await?;
    one(call.engine, call.grant, row).await.map(Answer::of)
}

fn offered(mut body: CreateIntegration) -> Result<CreateIntegration, Problem> {
    not_offered(&[
        ("bridge_selector", body.bridge_selector.take().as_ref()),
        ("webhook_config", body.webhook_config.take().as_ref()),
        ("mappings", array(body.mappings.take()).as_ref()),
        ("additional_mappings", array(body.additional_mappings.take()).as_ref()),
        ("scheduled_operations", array(body.scheduled_operations.take()).as_ref()),
    ])?;
    Ok(body)
}

/// What is to be made.
pub(crate) fn new(body: CreateIntegration) -> Result<integration::CreateIntegration, Problem> {
    let body = offered(body)?;
    Ok(integration::CreateIntegration {
        name: body.name,
        fullname: body.fullname,
        provider_config: body.provider_config,
        integration_point: body.integration_point_id.filter(|point| !point.is_empty()),
        webhook_config: None,
        runtime: body.x_patchbay.and_then(|extra| extra.config).unwrap_or_default().members(),
    })
}

fn change(body: UpdateIntegration, expected: Option<Timestamp>) -> Result<integration::UpdateIntegration, Problem> {
    let body = offered(body)?;
    Ok(integration::UpdateIntegration {
        name: given(body.name),
        fullname: given(body.fullname),
        provider_config: body.provider_config,
        integration_point: body.integration_point_id.filter(|point| !point.is_empty()),
        webhook_config: None,
        runtime: body.x_patchbay.and_then(|extra| extra.config).map(IntegrationConfig::members),
        expected,
    })
}

pub(super) async fn updated(engine: &Engine, grant: &ManagementGrant, outcome: IntegrationOutcome) -> Result<IntegrationUpdated, Problem> {
    Ok(IntegrationUpdated {
        messages: messages(engine, outcome.problems),
        credentials_created: outcome.credentials_created.into_iter().map(Into::into).collect(),
        result: one(engine, grant, outcome.integration).await?,
    })
}

async fn shown(engine: &Engine, grant: &ManagementGrant, mut rows: list::Listed<Row>, expand: &Expand) -> Result<Listed<Integration>, Problem> {
    let items = std::mem::take(&mut rows.items);
    let views = views(engine, grant, items, expand).await?;
    Ok(page(rows, views))
}

async fn one(engine: &Engine, grant: &ManagementGrant, row: Row) -> Result<Integration, Problem> {
    let views = views(engine, grant, vec![row], &Expand::default()).await?;
    views.into_iter().next().ok_or_else(|| Problem::internal("an integration has no view"))
}

/// Views of integrations; what was asked for beside them is read in one query per kind.
pub(crate) async fn views(engine: &Engine, grant: &ManagementGrant, rows: Vec<Row>, expand: &Expand) -> Result<Vec<Integration>, Problem> {
    let definitions = definition::of_ids(engine, &distinct(rows.iter().map(|row| row.definition))).await?;
    let mut violations = integration::violations(engine, grant, &rows).await?;
    let mut accounts = HashMap::new();
    if expand.has("account") {
        let found = account::of_ids(engine, grant, &distinct(rows.iter().map(|row| row.account_id))).await?;
        accounts.extend(found.into_iter().map(|account| (account.id, Account::view(account, None))));
    }
    let mut points = HashMap::new();
    if expand.has("integration_point") {
        let found = point::of_ids(engine, grant, &distinct(rows.iter().filter_map(|row| row.integration_point_id))).await?;
        points.extend(found.into_iter().map(|point| (point.id, IntegrationPoint::view(point, None))));
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let provider = definitions.get(&row.definition).and_then(|definition| engine.provider_of(definition));
            let context = IntegrationContext {
                provider_fullname: provider.as_ref().map_or_else(|| row.provider.to_string(), |provider| provider.fullname().to_owned()),
                definition_version: definitions.get(&row.definition).map(|definition| definition.version.clone()),
                credential_kind: credential_kind(provider.as_deref(), &row),
                violations: violations.remove(&row.id).unwrap_or_default(),
                account: accounts.get(&row.account_id).cloned(),
                integration_point: row.integration_point_id.and_then(|id| points.get(&id).cloned()),
            };
            Integration::view(row, context)
        })
        .collect())
}

/// The kind of an integration's credential, told by the reference in its configuration.
fn credential_kind(provider: Option<&Provider>, row: &Row) -> Option<CredentialKind> {
    let word = row.config.get("credential")?.get("type")?.as_str()?;
    let inline = word.strip_suffix("_id").unwrap_or(word);
    provider.and_then(|provider| provider.credential(inline)).map(|option| option.kind).or_else(|| CredentialKind::from_word(inline))
}

pub(crate) fn distinct<T: Eq + std::hash::Hash + Copy>(ids: impl Iterator<Item = T>) -> Vec<T> {
    ids.collect::<std::collections::HashSet<_>>().into_iter().collect()
}

pub(crate) async fn journal(call: Bare<'_>) -> Result<Listed<RefreshAttempt>, Problem> {
    let attempts = integration::journal(call.engine, call.grant, call.path("account_id")?, call.path("integration_id")?).await?;
    Ok(Listed { result: attempts.into_iter().map(RefreshAttempt::from).collect(), total: None, next: None })
}

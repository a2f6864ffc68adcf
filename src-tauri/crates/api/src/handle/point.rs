//! `integration_points.*`

use patchbay_engine::point;
use patchbay_model::point::{AllowedProviders, PointEnvironments, ViolationReason};
use patchbay_model::{Environment, Problem, ProviderId, Timestamp};

use super::{Bare, Call, With, array, deleted, given, not_offered, page};
use crate::handle::overview::impact_view;
use crate::patch::{self, Writable};
use crate::reply::Deleted;
use crate::request::{Json, ListOf, NoBody, Patch, from_value};
use crate::wire::envelope::{Answer, Listed};
use crate::wire::governance::{AffectedIntegration, PointEffect, PointEffects, PointPreview};
use crate::wire::overview::Impact;
use crate::wire::point::{self as wire, CreateIntegrationPoint, IntegrationPoint, UpdateIntegrationPoint};
use crate::wire::problem as wire_problem;

const WRITABLE: Writable = Writable {
    fields: &["name", "fullname", "description", "environments", "mappings", "additional_mappings", "scheduled_operations", "x_patchbay.policy"],
    lists: &["mappings", "additional_mappings", "scheduled_operations"],
};

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<IntegrationPoint>, Problem> {
    let mut rows = point::list(call.engine, call.grant, call.query.list).await?;
    let points = std::mem::take(&mut rows.items);
    Ok(page(rows, points.into_iter().map(|point| IntegrationPoint::view(point, None))))
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<IntegrationPoint>, Problem> {
    point::get(call.engine, call.grant, call.path("integration_point_id")?).await.map(view)
}

pub(crate) async fn create(call: With<'_, Json<CreateIntegrationPoint>>) -> Result<Answer<IntegrationPoint>, Problem> {
    let body = offered(call.body.0)?;
    let environments = environments(&body.environments)?;
    let policy = body.x_patchbay.and_then(|extra| extra.policy).unwrap_or_default();
    let new = point::CreatePoint { name: body.name, fullname: body.fullname, description: body.description, connector: body.connector.as_str().to_owned(), environments, policy };
    point::create(call.engine, call.grant, new).await.map(view)
}

pub(crate) async fn update(call: With<'_, Json<UpdateIntegrationPoint>>) -> Result<Answer<IntegrationPoint>, Problem> {
    let expected = call.body.0.x_patchbay.as_ref().and_then(|extra| extra.expected_updated_at);
    let change = change(call.body.0, expected)?;
    point::update(call.engine, call.grant, call.request.path("integration_point_id")?, change).await.map(view)
}

pub(crate) async fn patch(call: With<'_, Patch>) -> Result<Answer<IntegrationPoint>, Problem> {
    let row = point::get(call.engine, call.grant, call.path("integration_point_id")?).await?;
    let (id, expected) = (row.id.to_string(), row.updated_at);
    let change = change(from_value(patch::apply(&IntegrationPoint::view(row, None), call.body, &WRITABLE)?)?, Some(expected))?;
    point::update(call.engine, call.grant, &id, change).await.map(view)
}

pub(crate) async fn delete(call: Bare<'_>) -> Result<Deleted, Problem> {
    point::delete(call.engine, call.grant, call.path("integration_point_id")?).await.map(deleted)
}

pub(crate) async fn impact(call: Bare<'_>) -> Result<Answer<Impact>, Problem> {
    point::impact(call.engine, call.grant, call.path("integration_point_id")?).await.map(impact_view)
}

pub(crate) async fn preview(call: With<'_, Json<UpdateIntegrationPoint>>) -> Result<Answer<PointPreview>, Problem> {
    let change = change(call.body.0, None)?;
    let preview = point::preview(call.engine, call.grant, call.request.path("integration_point_id")?, change).await?;
    let effect = |environment| preview.environments.get(&environment).map(effect).unwrap_or_default();
    let refused = preview.refused.as_ref().map(|problem| wire_problem::Problem::new(problem, call.engine.now(), call.engine.context().new_uuid()));
    Ok(Answer::of(PointPreview {
        affected: preview.affected,
        mended: preview.mended,
        environments: PointEffects { test: effect(Environment::Test), prod: effect(Environment::Prod) },
        refused,
        integrations: preview.integrations.into_iter().map(affected).collect(),
    }))
}

fn effect(effect: &point::Effect) -> PointEffect {
    let of = |reason| effect.reasons.get(&reason).copied().unwrap_or_default();
    PointEffect {
        affected: effect.affected,
        connector: of(ViolationReason::Connector),
        provider_no_longer_allowed: of(ViolationReason::ProviderNoLongerAllowed),
        locked_value_differs: of(ViolationReason::LockedValueDiffers),
    }
}

fn affected(integration: point::Affected) -> AffectedIntegration {
    AffectedIntegration {
        id: integration.id,
        name: integration.name,
        account_id: integration.account_id,
        account_name: integration.account_name,
        environment: integration.environment,
        provider_type: integration.provider,
        violations: integration.violations,
        already: integration.already,
    }
}

fn view(point: patchbay_model::point::IntegrationPoint) -> Answer<IntegrationPoint> {
    Answer::of(IntegrationPoint::view(point, None))
}

fn offered(mut body: CreateIntegrationPoint) -> Result<CreateIntegrationPoint, Problem> {
    not_offered(&[
        ("mappings", array(body.mappings.take()).as_ref()),
        ("additional_mappings", array(body.additional_mappings.take()).as_ref()),
        ("scheduled_operations", array(body.scheduled_operations.take()).as_ref()),
    ])?;
    Ok(body)
}

fn change(body: UpdateIntegrationPoint, expected: Option<Timestamp>) -> Result<point::UpdatePoint, Problem> {
    let body = offered(body)?;
    let environments = environments(&body.environments)?;
    let (connector, policy) = (Some(body.connector.as_str().to_owned()), body.x_patchbay.and_then(|extra| extra.policy));
    Ok(point::UpdatePoint { name: given(body.name), fullname: given(body.fullname), description: body.description, connector, environments, policy, expected })
}

fn environments(body: &wire::PointEnvironments) -> Result<PointEnvironments, Problem> {
    Ok(PointEnvironments { test: allowed(body.test.as_deref(), "test")?, prod: allowed(body.prod.as_deref(), "prod")? })
}

fn allowed(words: Option<&[String]>, environment: &str) -> Result<Option<AllowedProviders>, Problem> {
    let Some(words) = words else { return Ok(None) };
    let provider = |(index, word): (usize, &String)| ProviderId::parse(word).map_err(|problem| problem.at_body(&format!("/environments/{environment}/{index}")));
    // Beside `*` the others say nothing more, but what is no provider id is none there either.
    let providers = words.iter().enumerate().filter(|(_, word)| *word != "*").map(provider).collect::<Result<Vec<_>, _>>()?;
    let all = words.iter().any(|word| word == "*");
    Ok(Some(if all { AllowedProviders::All } else { AllowedProviders::These(providers) }))
}

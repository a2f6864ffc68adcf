//! `organization_webhooks.*`

use patchbay_engine::webhook;
use patchbay_model::{Problem, Timestamp};

use super::{Bare, Call, With, deleted, listed};
use crate::handle::overview::impact_view;
use crate::patch::{self, Writable};
use crate::reply::Deleted;
use crate::request::{Json, ListOf, NoBody, Patch, from_value};
use crate::wire::envelope::{Answer, Listed};
use crate::wire::overview::Impact;
use crate::wire::webhook::{CreateOrganizationWebhook, OrganizationWebhook, UpdateOrganizationWebhook, WebhookDelivery, WebhookDeliveryDetail};

const WRITABLE: Writable = Writable { fields: &["name", "fullname", "environment", "filters", "url", "credential_id"], lists: &["filters"] };

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<OrganizationWebhook>, Problem> {
    webhook::list(call.engine, call.grant, call.query.list).await.map(listed)
}

pub(crate) async fn get(call: Bare<'_>) -> Result<Answer<OrganizationWebhook>, Problem> {
    webhook::get(call.engine, call.grant, call.path("webhook_id")?).await.map(|webhook| Answer::of(webhook.into()))
}

pub(crate) async fn create(call: With<'_, Json<CreateOrganizationWebhook>>) -> Result<Answer<OrganizationWebhook>, Problem> {
    let body = call.body.0;
    let new = webhook::CreateWebhook {
        name: body.name,
        fullname: body.fullname,
        environment: body.environment,
        filters: body.filters,
        url: body.url,
        secret: body.secret.value,
        expires: body.secret.expires,
    };
    webhook::create(call.engine, call.grant, new).await.map(|webhook| Answer::of(webhook.into()))
}

pub(crate) async fn update(call: With<'_, Json<UpdateOrganizationWebhook>>) -> Result<Answer<OrganizationWebhook>, Problem> {
    let expected = call.body.0.x_patchbay.as_ref().and_then(|extra| extra.expected_updated_at);
    let change = change(call.body.0, expected);
    webhook::update(call.engine, call.grant, call.request.path("webhook_id")?, change).await.map(|webhook| Answer::of(webhook.into()))
}

pub(crate) async fn patch(call: With<'_, Patch>) -> Result<Answer<OrganizationWebhook>, Problem> {
    let row = webhook::get(call.engine, call.grant, call.path("webhook_id")?).await?;
    let (id, expected) = (row.id.to_string(), row.updated_at);
    let change = change(from_value(patch::apply(&OrganizationWebhook::from(row), call.body, &WRITABLE)?)?, Some(expected));
    webhook::update(call.engine, call.grant, &id, change).await.map(|webhook| Answer::of(webhook.into()))
}

pub(crate) async fn delete(call: Bare<'_>) -> Result<Deleted, Problem> {
    webhook::delete(call.engine, call.grant, call.path("webhook_id")?).await.map(deleted)
}

pub(crate) async fn impact(call: Bare<'_>) -> Result<Answer<Impact>, Problem> {
    webhook::impact(call.engine, call.grant, call.path("webhook_id")?).await.map(impact_view)
}

pub(crate) async fn list_deliveries(call: Call<'_, ListOf, NoBody>) -> Result<Listed<WebhookDelivery>, Problem> {
    webhook::list_deliveries(call.engine, call.grant, call.request.path("webhook_id")?, call.query.list).await.map(listed)
}

pub(crate) async fn get_delivery(call: Bare<'_>) -> Result<Answer<WebhookDeliveryDetail>, Problem> {
    webhook::get_delivery(call.engine, call.grant, call.path("webhook_id")?, call.path("delivery_id")?).await.map(|record| Answer::of(record.into()))
}

pub(crate) async fn redeliver(call: Bare<'_>) -> Result<Answer<WebhookDeliveryDetail>, Problem> {
    webhook::redeliver(call.engine, call.grant, call.path("webhook_id")?, call.path("delivery_id")?).await.map(|record| Answer::of(record.into()))
}

pub(crate) async fn test(call: Bare<'_>) -> Result<Answer<WebhookDeliveryDetail>, Problem> {
    webhook::rehearse(call.engine, call.grant, call.path("webhook_id")?).await.map(|record| Answer::of(record.into()))
}

fn change(body: UpdateOrganizationWebhook, expected: Option<Timestamp>) -> webhook::UpdateWebhook {
    webhook::UpdateWebhook {
        name: body.name,
        fullname: Some(body.fullname),
        environment: body.environment,
        filters: body.filters,
        url: body.url,
        credential: body.credential_id.filter(|credential| !credential.is_empty()),
        expected,
    }
}

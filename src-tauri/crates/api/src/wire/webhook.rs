//! Organization webhooks on the wire, and the log of their deliveries.
#![expect(missing_docs, reason = "fields are those of synqly-wire.md section 7")]

use patchbay_engine::webhook::DeliveryRecord;
use patchbay_model::schema::{NewFullname, NewName};
use patchbay_model::webhook::{self, DeliveryState, WebhookFilter};
use patchbay_model::{AccountId, CredentialId, DeliveryId, Environment, Fullname, IntegrationId, Name, Secret, Timestamp, WebhookId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::query::UpdateExtra;

/// Who is told of changes of accounts and integrations.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct OrganizationWebhook {
    pub id: WebhookId,
    pub name: Name,
    pub fullname: Fullname,
    /// It is told of accounts of this environment alone.
    pub environment: Environment,
    pub filters: Vec<WebhookFilter>,
    pub url: String,
    /// The credential whose secret signs what is sent: `X-Synqly-Signature: sha256=` and the hex HMAC-SHA256 of the body.
    pub credential_id: CredentialId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Body of `organization_webhooks.create`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct CreateOrganizationWebhook {
    #[schemars(with = "Option<NewName>")]
    pub name: Option<String>,
    #[schemars(with = "Option<NewFullname>")]
    pub fullname: Option<String>,
    /// `prod` when left out.
    pub environment: Option<Environment>,
    /// `operation_complete` may be named and is never sent: there are no asynchronous operations yet.
    #[schemars(length(min = 1))]
    pub filters: Vec<WebhookFilter>,
    #[schemars(length(max = 2000), regex(pattern = r"^https?://[^\s@#\x00-\x1f]+$"))]
    pub url: String,
    #[serde(deserialize_with = "crate::request::object")]
    pub secret: WebhookSecret,
}

/// The secret of a new webhook; it is sealed and never given back.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct WebhookSecret {
    #[ts(type = "string")]
    #[schemars(length(min = 1, max = 4096), regex(pattern = r"^[^\x00]+$"))]
    pub value: Secret,
    /// From then on nothing is sent until it is replaced.
    pub expires: Option<Timestamp>,
}

/// PUT of a webhook: the whole object; what is read-only in it is ignored. The secret is changed through its credential.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct UpdateOrganizationWebhook {
    #[schemars(with = "Option<Name>")]
    pub name: Option<String>,
    #[schemars(with = "Fullname")]
    pub fullname: String,
    pub environment: Option<Environment>,
    #[schemars(length(min = 1))]
    pub filters: Vec<WebhookFilter>,
    #[schemars(length(max = 2000), regex(pattern = r"^https?://[^\s@#\x00-\x1f]+$"))]
    pub url: String,
    /// Another credential of this webhook, to sign with from now on.
    pub credential_id: Option<String>,
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub x_patchbay: Option<UpdateExtra>,
}

/// One event on its way to a webhook.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct WebhookDelivery {
    /// Sent along as `X-Patchbay-Delivery`, the same with every attempt.
    pub id: DeliveryId,
    pub webhook_id: WebhookId,
    pub event: WebhookFilter,
    pub state: DeliveryState,
    /// Attempts begun so far.
    pub attempts: u32,
    /// When it is tried next; absent when it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub next_attempt_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub delivered_at: Option<Timestamp>,
    /// The receiver's last HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_status: Option<u16>,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_error: Option<String>,
    /// The delivery that this one repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub redelivery_of: Option<DeliveryId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account_id: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub integration_id: Option<IntegrationId>,
    /// When the event happened.
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A delivery with what is sent and what came of it.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct WebhookDeliveryDetail {
    #[serde(flatten)]
    #[ts(flatten)]
    pub delivery: WebhookDelivery,
    /// The body, byte for byte as it is sent and signed: JSON of `{event, account?, integration?, nonce}`.
    pub payload: String,
    /// Every attempt, in order.
    pub log: Vec<WebhookAttempt>,
}

/// One try of a delivery.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct WebhookAttempt {
    /// Counted from 1.
    pub number: u32,
    /// When it ended.
    pub created_at: Timestamp,
    /// The receiver's HTTP status, where it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub status: Option<u16>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub error: Option<String>,
    /// The beginning of what the receiver answered, at most 1 kB.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub response: Option<String>,
    pub duration_ms: u64,
}

impl From<webhook::OrganizationWebhook> for OrganizationWebhook {
    fn from(webhook: webhook::OrganizationWebhook) -> Self {
        Self {
            id: webhook.id,
            name: webhook.name,
            fullname: webhook.fullname,
            environment: webhook.environment,
            filters: webhook.filters,
            url: webhook.url,
            credential_id: webhook.credential_id,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

impl From<webhook::Delivery> for WebhookDelivery {
    fn from(delivery: webhook::Delivery) -> Self {
        Self {
            id: delivery.id,
            webhook_id: delivery.webhook_id,
            event: delivery.event,
            state: delivery.state,
            attempts: delivery.attempts,
            next_attempt_at: (delivery.state == DeliveryState::Pending).then_some(delivery.next_attempt_at),
            delivered_at: delivery.delivered_at,
            last_status: delivery.last_status,
            last_error: delivery.last_error,
            redelivery_of: delivery.redelivery_of,
            account_id: delivery.account_id,
            integration_id: delivery.integration_id,
            created_at: delivery.created_at,
            updated_at: delivery.updated_at,
        }
    }
}

impl From<webhook::Attempt> for WebhookAttempt {
    fn from(attempt: webhook::Attempt) -> Self {
        Self { number: attempt.number, created_at: attempt.created_at, status: attempt.status, error: attempt.error, response: attempt.response, duration_ms: attempt.duration_ms }
    }
}

impl From<DeliveryRecord> for WebhookDeliveryDetail {
    fn from(record: DeliveryRecord) -> Self {
        Self { delivery: record.delivery.into(), payload: record.payload, log: record.attempts.into_iter().map(Into::into).collect() }
    }
}

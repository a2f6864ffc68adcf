//! Organization webhooks, and the deliveries of events to them (synqly-wire.md sections 7 and 17).

use serde::{Deserialize, Serialize};

use crate::{AccountId, CredentialId, DeliveryId, Environment, Fullname, IntegrationId, Name, OrganizationId, Timestamp, WebhookId};

/// What a webhook is told of, and the name of one such event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFilter {
    /// Every event; never the name of one.
    All,
    /// An account was made, or brought back.
    AccountCreate,
    /// An account was changed.
    AccountUpdate,
    /// An account was deleted.
    AccountDelete,
    /// An integration was made, or brought back.
    IntegrationCreate,
    /// An integration was changed, connected, paused or resumed.
    IntegrationUpdate,
    /// An integration was deleted, alone or with its account.
    IntegrationDelete,
    /// An asynchronous operation ended. It may be subscribed to, and is never sent until there are such operations.
    OperationComplete,
}

impl WebhookFilter {
    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::AccountCreate => "account_create",
            Self::AccountUpdate => "account_update",
            Self::AccountDelete => "account_delete",
            Self::IntegrationCreate => "integration_create",
            Self::IntegrationUpdate => "integration_update",
            Self::IntegrationDelete => "integration_delete",
            Self::OperationComplete => "operation_complete",
        }
    }

    /// Whether a webhook with this filter is told of `event`.
    pub fn covers(self, event: Self) -> bool {
        self == Self::All || self == event
    }
}

/// An organization webhook as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct OrganizationWebhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose webhook.
    pub organization_id: OrganizationId,
    /// Its slug, unique in the organization.
    pub name: Name,
    /// Its name for people.
    pub fullname: Fullname,
    /// It is told of accounts of this environment alone.
    pub environment: Environment,
    /// What it is told of; sorted, without doubles.
    pub filters: Vec<WebhookFilter>,
    /// Where events are sent.
    pub url: String,
    /// The credential, owned by this webhook, whose secret signs what is sent.
    pub credential_id: CredentialId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl OrganizationWebhook {
    /// Whether it is told of `event` in an account of `environment`.
    pub fn wants(&self, event: WebhookFilter, environment: Environment) -> bool {
        self.environment == environment && self.filters.iter().any(|filter| filter.covers(event))
    }
}

/// How far a delivery has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its next attempt.
    Pending,
    /// Under way, under a lease.
    Sending,
    /// The receiver took it.
    Delivered,
    /// Given up after its last attempt.
    Failed,
}

impl DeliveryState {
    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// One event on its way to one webhook, as stored. What is sent lies beside it: lists do not need it.
#[derive(Clone, PartialEq, Debug)]
pub struct Delivery {
    /// Its id, which every attempt sends along.
    pub id: DeliveryId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// To which webhook.
    pub webhook_id: WebhookId,
    /// The account that the event is about.
    pub account_id: Option<AccountId>,
    /// The integration that the event is about.
    pub integration_id: Option<IntegrationId>,
    /// The event.
    pub event: WebhookFilter,
    /// How far it has come.
    pub state: DeliveryState,
    /// Attempts begun so far.
    pub attempts: u32,
    /// When the next attempt is due; while it is sent, when its lease ends.
    pub next_attempt_at: Timestamp,
    /// The receiver's last status.
    pub last_status: Option<u16>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// The delivery that this one repeats.
    pub redelivery_of: Option<DeliveryId>,
    /// When the receiver took it.
    pub delivered_at: Option<Timestamp>,
    /// When the event happened.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

/// One try of a delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// Counted from 1.
    pub number: u32,
    /// When it ended.
    pub created_at: Timestamp,
    /// The receiver's status, where it answered.
    pub status: Option<u16>,
    /// Why it failed.
    pub error: Option<String>,
    /// The beginning of what the receiver answered.
    pub response: Option<String>,
    /// Milliseconds from the first byte to the last.
    pub duration_ms: u64,
}

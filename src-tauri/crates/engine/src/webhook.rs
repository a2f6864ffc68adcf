//! Organization webhooks: who is told of changes of accounts and integrations, and the log of what they were told.
//!
//! A delivery is written in the transaction of the change (`outbox`) and sent by whichever process has the store open
//! (`worker`). `operation_complete` can be subscribed to and is never sent: there are no asynchronous operations yet.

mod create;
mod delete;
mod deliveries;
mod get;
mod impact;
mod list;
pub(crate) mod outbox;
mod payload;
mod rehearse;
mod send;
mod update;
pub(crate) mod worker;

use patchbay_model::webhook::{Attempt, Delivery, WebhookFilter};
use patchbay_model::{Environment, Secret, Timestamp};

pub use create::create;
pub use delete::delete;
pub use deliveries::{get_delivery, list_deliveries, redeliver};
pub use get::get;
pub use impact::impact;
pub use list::list;
pub use rehearse::rehearse;
pub use update::update;
pub use worker::deliver_due;

/// A new organization webhook.
#[derive(Clone)]
pub struct CreateWebhook {
    /// Slug; derived where missing.
    pub name: Option<String>,
    /// Name for people; the name where missing.
    pub fullname: Option<String>,
    /// Production where missing.
    pub environment: Option<Environment>,
    /// What it is told of.
    pub filters: Vec<WebhookFilter>,
    /// Where events are sent.
    pub url: String,
    /// What signs them; sealed as a credential of the webhook.
    pub secret: Secret,
    /// When the secret ends; nothing is sent with an ended one.
    pub expires: Option<Timestamp>,
}

/// The whole webhook as it shall be. Its secret is changed through its credential.
#[derive(Clone, PartialEq, Debug)]
pub struct UpdateWebhook {
    /// Slug; unchanged where missing.
    pub name: Option<String>,
    /// Name for people; unchanged where missing.
    pub fullname: Option<String>,
    /// Unchanged where missing.
    pub environment: Option<Environment>,
    /// What it is told of.
    pub filters: Vec<WebhookFilter>,
    /// Where events are sent.
    pub url: String,
    /// Another credential of this webhook that signs from now on; unchanged where missing.
    pub credential: Option<String>,
    /// The `updated_at` that the change was made from; a different one is an `update_conflict`.
    pub expected: Option<Timestamp>,
}

/// A delivery with all that is known about it.
#[derive(Clone, PartialEq, Debug)]
pub struct DeliveryRecord {
    /// How far it has come.
    pub delivery: Delivery,
    /// What is sent, byte for byte.
    pub payload: String,
    /// What came of it so far.
    pub attempts: Vec<Attempt>,
}

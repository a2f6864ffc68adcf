//! Deadlines, ours alone.

use patchbay_model::deadline::{self, Actor, DeadlineKind};
use patchbay_model::{AccountId, IntegrationId, ProviderId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Query of `deadlines.list`.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct DeadlineParams {
    /// How far ahead is looked: `30d`, `12h` or `8w`, at most 999 of them; 90 days when left out.
    #[schemars(regex(pattern = "^[1-9][0-9]{0,2}[hdw]$"))]
    pub within: Option<String>,
    /// Of these kinds alone; of all when left out.
    pub kind: Option<Vec<DeadlineKind>>,
    /// Only what this one has to see to.
    pub who: Option<Actor>,
    /// Of this customer alone.
    pub account_id: Option<AccountId>,
    /// Most rows, 1 to 1000; 1000 when left out.
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
}

/// Something that ends by itself.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Deadline {
    /// The same at every reading, and the UID of its event in the calendar.
    pub id: String,
    /// What ends.
    pub kind: DeadlineKind,
    /// What ends, in words.
    pub what: String,
    /// Of what.
    pub object: DeadlineObject,
    /// When. One that has passed is overdue.
    pub at: Timestamp,
    /// When Patchbay acts by itself, where it does so before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub renew_at: Option<Timestamp>,
    /// Who has to act.
    pub who_acts: Actor,
    /// What is to be done, in words.
    pub next_step: String,
}

/// What a deadline is of.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct DeadlineObject {
    /// `credential`, `provider_app`, `token`, `member` or `provider`.
    #[ts(type = "\"credential\" | \"provider_app\" | \"token\" | \"member\" | \"provider\"")]
    #[schemars(regex(pattern = "^(credential|provider_app|token|member|provider)$"))]
    pub r#type: String,
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The customer that it belongs to, if to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account_id: Option<AccountId>,
    /// The customer's name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account_name: Option<String>,
    /// The integration that it belongs to, if to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub integration_id: Option<IntegrationId>,
    /// The integration's name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub integration_name: Option<String>,
    /// At which provider, if at one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub provider: Option<ProviderId>,
}

/// Result of `deadlines.list`.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Deadlines {
    /// The earliest first.
    pub deadlines: Vec<Deadline>,
    /// Whether there are more than were asked for.
    pub more: bool,
}

/// Result of `deadlines.feed` as a command. Over HTTP the calendar itself is the body.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ExportedCalendar {
    /// A name to save it under.
    pub file_name: String,
    /// Media type of the content.
    pub content_type: String,
    /// iCalendar (RFC 5545).
    pub content: String,
}

impl From<deadline::Deadline> for Deadline {
    fn from(deadline: deadline::Deadline) -> Self {
        let deadline::Deadline { id, kind, what, object, at, renew_at, who, next_step } = deadline;
        Self { id, kind, what, object: object.into(), at, renew_at, who_acts: who, next_step }
    }
}

impl From<deadline::DeadlineObject> for DeadlineObject {
    fn from(object: deadline::DeadlineObject) -> Self {
        let (account_id, account_name) = object.account.unzip();
        let (integration_id, integration_name) = object.integration.unzip();
        Self { r#type: object.noun.to_owned(), id: object.id, name: object.name, account_id, account_name, integration_id, integration_name, provider: object.provider }
    }
}

impl From<patchbay_engine::deadline::Deadlines> for Deadlines {
    fn from(deadlines: patchbay_engine::deadline::Deadlines) -> Self {
        Self { deadlines: deadlines.items.into_iter().map(Deadline::from).collect(), more: deadlines.more }
    }
}

//! Rehearsals on the wire: a provider played on this computer, with which a consent, a call and a renewal are tried.
#![expect(missing_docs, reason = "what a member is says its type; the others have words")]

use patchbay_model::{ProviderId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What to rehearse.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct StartRehearsal {
    pub provider: ProviderId,
    /// The `type` of the credential; the recommended one where left out.
    pub credential: Option<String>,
}

/// Which rehearsal.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
pub struct RehearsalId {
    pub id: String,
}

/// The next step of a rehearsal.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct StepRehearsal {
    pub id: String,
    pub action: RehearsalAction,
    /// For the action `fault`.
    pub fault: Option<RehearsalFault>,
}

/// What is done next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RehearsalAction {
    /// A person is taken to the provider's page, signs in and agrees.
    Agree,
    /// The same, and refuses.
    Refuse,
    /// Whoever sits here does it, in a browser on the machine where Patchbay runs.
    Browser,
    /// A key is made at the provider and entered.
    Key,
    /// A call is made with the credential.
    Call,
    /// Something goes wrong at the provider.
    Fault,
}

/// What goes wrong at the provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RehearsalFault {
    /// The access token ends.
    Expiry,
    /// Somebody else uses the refresh token first.
    Reuse,
    /// The answer of the next renewal is lost on the way.
    LostAnswer,
    /// The next call is answered with 429.
    RateLimit,
    /// The provider is out for a minute of the rehearsal's clock.
    Outage,
    /// The next answer takes two seconds.
    Slow,
    /// The next page refuses to be shown in a window of an application.
    RefuseWindow,
    /// The person takes the grant back at the provider.
    Revoke,
    /// An hour passes.
    Hour,
    /// Ninety days pass.
    Quarter,
}

/// Who did something in a rehearsal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RehearsalActor {
    Patchbay,
    Provider,
    Person,
    /// Whoever rehearses.
    Director,
    /// A step of the journal of renewals.
    Journal,
}

/// Something that happened in a rehearsal.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct RehearsalStep {
    /// From 1.
    pub number: usize,
    /// By the rehearsal's clock.
    pub at: Timestamp,
    pub by: RehearsalActor,
    pub words: String,
    /// Whether it went well.
    pub good: bool,
    /// More, for whoever wants to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub detail: Option<String>,
}

/// How a rehearsal stands.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Rehearsal {
    pub id: String,
    pub provider: ProviderId,
    pub fullname: String,
    pub version: String,
    /// The `type` of the credential.
    pub credential: String,
    /// Whether a person authorizes it; otherwise a key is entered.
    pub consent: bool,
    /// Whether its tokens are renewed.
    pub renews: bool,
    /// Whom the simulated provider takes for a person: login and password.
    pub login: String,
    pub password: String,
    /// The status of the integration.
    pub status: String,
    /// Why it needs attention, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cause: Option<String>,
    /// Where the person sets out, as long as a consent in a browser is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub open: Option<String>,
    pub steps: Vec<RehearsalStep>,
    /// When it ends by itself.
    pub expires: Timestamp,
}

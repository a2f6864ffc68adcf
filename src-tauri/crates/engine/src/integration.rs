//! Integrations: the connection of an account with a provider.

pub(crate) mod config;
mod connector_grant;
pub(crate) mod create;
mod credential;
mod delete;
pub(crate) mod disconnect;
mod get;
mod governed;
mod impact;
mod journal;
mod list;
mod pause;
mod problems;
mod update;
mod verify;
pub mod version;

use patchbay_model::credential::Credential;
use patchbay_model::integration::Integration;
use patchbay_model::{Problem, Timestamp};
use serde_json::{Map, Value};

pub use connector_grant::connector_grant;
pub use create::create;
pub use delete::{delete, delete_and_revoke};
pub use disconnect::{DisconnectPreview, Disconnected, disconnect, preview_disconnect};
pub use get::{get, of_ids};
pub use impact::impact;
pub use journal::{JournalAttempt, journal};
pub use list::{list, list_account};
pub use pause::{pause, resume};
pub use problems::violations;
pub use update::update;
pub use verify::{verify, verify_existing};

use crate::token::ContainerState;

/// A new integration.
#[derive(Clone, Default)]
pub struct CreateIntegration {
    /// Slug; derived where missing.
    pub name: Option<String>,
    /// Name for people; the name where missing.
    pub fullname: Option<String>,
    /// `provider_config` as on the wire, with `type` and perhaps an inline secret in `credential`.
    pub provider_config: Value,
    /// Id or name of the point that governs it.
    pub integration_point: Option<String>,
    /// `webhook_config` as on the wire.
    pub webhook_config: Option<Value>,
    /// `x_patchbay.config`: the knobs that every definition has ([`patchbay_model::integration::RUNTIME_MEMBERS`]).
    pub runtime: Map<String, Value>,
}

/// The whole integration as it shall be. Account and provider cannot change.
#[derive(Clone, Default)]
pub struct UpdateIntegration {
    /// Slug; unchanged where missing.
    pub name: Option<String>,
    /// Name for people; unchanged where missing.
    pub fullname: Option<String>,
    /// `provider_config` as on the wire; an inline secret replaces the sealed one.
    pub provider_config: Value,
    /// Id or name of the point that governs it.
    pub integration_point: Option<String>,
    /// `webhook_config` as on the wire.
    pub webhook_config: Option<Value>,
    /// `x_patchbay.config`; unchanged where missing.
    pub runtime: Option<Map<String, Value>>,
    /// The `updated_at` that the change was made from; a different one is an `update_conflict`.
    pub expected: Option<Timestamp>,
}

/// What a creation or change gave.
#[derive(Clone)]
pub struct IntegrationOutcome {
    /// The integration.
    pub integration: Integration,
    /// The container of its tokens, with secrets; only from a creation.
    pub token: Option<ContainerState>,
    /// Credentials made from inline secrets.
    pub credentials_created: Vec<Credential>,
    /// Troubles with the provider, for `messages.problems`; the integration is made all the same.
    pub problems: Vec<Problem>,
}

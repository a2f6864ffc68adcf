//! Integrations on the wire.
#![expect(missing_docs, reason = "fields are those of synqly-wire.md section 7")]

use patchbay_model::connector::Connector;
use patchbay_model::credential::CredentialKind;
use patchbay_model::integration::{self, AttentionCause, IntegrationStatus};
use patchbay_model::point::Violation;
use patchbay_model::schema::{NewFullname, NewName};
use patchbay_model::{AccountId, DefinitionId, Fullname, IntegrationId, IntegrationPointId, Name, ProviderId, Timestamp, TokenId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::account::Account;
use super::credential::Credential;
use super::envelope::Messages;
use super::point::IntegrationPoint;
use super::token::TokenPair;

/// The live connection of an account with a provider.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Integration {
    pub id: IntegrationId,
    pub name: Name,
    pub fullname: Fullname,
    pub refresh_token_id: TokenId,
    pub account_id: AccountId,
    /// Only with `expand=account`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account: Option<Account>,
    pub category: Connector,
    /// `{type, ...}` with every secret replaced by a reference to a credential.
    #[ts(type = "{ type: string } & Record<string, unknown>")]
    pub provider_config: serde_json::Value,
    pub provider_fullname: String,
    /// The provider's id.
    pub provider_type: ProviderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub integration_point_id: Option<IntegrationPointId>,
    /// Only with `expand=integration_point`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub integration_point: Option<IntegrationPoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub webhook_config: Option<serde_json::Value>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub x_patchbay: Option<IntegrationExtra>,
}

/// What is ours on an integration.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct IntegrationExtra {
    /// `draft`, `awaiting_consent`, `active`, `needs_attention`, `paused` or `revoked`.
    #[ts(type = "\"draft\" | \"awaiting_consent\" | \"active\" | \"needs_attention\" | \"paused\" | \"revoked\"")]
    pub status: String,
    /// Why it needs attention.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cause: Option<AttentionCause>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cause_words: Option<String>,
    /// The one thing to do about it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub next_step: Option<String>,
    /// Since when it has this status.
    pub status_since: Timestamp,
    /// The version of the provider's definition that it pins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub definition_version: Option<String>,
    /// The definition that it pins.
    pub definition_id: DefinitionId,
    /// Configuration beside the provider's own.
    pub config: IntegrationConfig,
    /// In what it contradicts its integration point now; while it does, its calls are refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Violation>>")]
    pub governed_problems: Vec<Violation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_used_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_connected_at: Option<Timestamp>,
    /// The kind of its credential, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub credential_kind: Option<CredentialKind>,
    /// Whether a person has to authorize it, now or again.
    pub consent_needed: bool,
}

/// Body of `integrations.create`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct CreateIntegration {
    #[schemars(with = "Option<NewName>")]
    pub name: Option<String>,
    #[schemars(with = "Option<NewFullname>")]
    pub fullname: Option<String>,
    /// `{type: provider id, credential: {type, ...}, ...}`; see the provider's schema in capabilities.
    #[ts(type = "{ type: string } & Record<string, unknown>")]
    #[schemars(schema_with = "super::provider_config")]
    pub provider_config: serde_json::Value,
    pub integration_point_id: Option<String>,
    /// Refused with 501: there are no bridges yet.
    #[ts(optional, type = "unknown")]
    pub bridge_selector: Option<serde_json::Value>,
    /// Refused with 501: integration webhooks are not sent yet.
    #[ts(optional, type = "unknown")]
    pub webhook_config: Option<serde_json::Value>,
    /// Refused with 501 when not empty.
    #[ts(optional, type = "Array<string>")]
    pub mappings: Option<Vec<serde_json::Value>>,
    /// Refused with 501 when not empty.
    #[ts(optional, type = "Array<unknown>")]
    pub additional_mappings: Option<Vec<serde_json::Value>>,
    /// Refused with 501 when not empty: there is no scheduler yet.
    #[ts(optional, type = "Array<unknown>")]
    pub scheduled_operations: Option<Vec<serde_json::Value>>,
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub x_patchbay: Option<WriteIntegrationExtra>,
}

/// What of ours an integration may be written with. Without it a PUT leaves it alone.
#[derive(Clone, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct WriteIntegrationExtra {
    /// Read on a PUT: the `updated_at` that the change was made from; where the object has changed since, the PUT is refused with 409.
    pub expected_updated_at: Option<Timestamp>,
    /// The knobs that are none of the provider; the whole of them. Without it a PUT leaves them alone.
    #[serde(deserialize_with = "crate::request::optional_object")]
    pub config: Option<IntegrationConfig>,
}

/// Configuration of an integration that every definition has beside the provider's own (the data-model document names it).
/// It lies in the instance's `config` and is held to the definition's schema. Programs that use the integration read it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS, JsonSchema)]
// A misspelt knob would silently turn nothing.
#[serde(default, deny_unknown_fields)]
#[ts(optional_fields)]
pub struct IntegrationConfig {
    /// Where programs want the integration's events. No secret: leave tokens out of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
    /// How often programs that poll shall ask: hours, minutes and seconds of at least 5 minutes together, such as `1h30m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polling_interval: Option<String>,
}

/// PUT of an integration: the whole object; what is read-only in it is ignored.
pub type UpdateIntegration = CreateIntegration;

/// Body of `integrations.verify`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
pub struct VerifyIntegration {
    #[serde(deserialize_with = "crate::request::object")]
    pub integration: CreateIntegration,
}

/// Result of `integrations.create`.
#[derive(Clone, Serialize, TS, JsonSchema)]
pub struct IntegrationCreated {
    pub integration: Integration,
    /// Shown this once.
    pub token: TokenPair,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Credential>>")]
    pub credentials_created: Vec<Credential>,
}

/// Answer of `integrations.update` and `integrations.patch`.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct IntegrationUpdated {
    pub result: Integration,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Credential>>")]
    pub credentials_created: Vec<Credential>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub messages: Option<Messages>,
}

/// Answer of `integrations.verify` and `integrations.verify_existing`: without messages all is well.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Verified {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub messages: Option<Messages>,
}

/// What the view of an integration needs beyond its row.
#[derive(Clone, Debug, Default)]
pub struct IntegrationContext {
    /// The provider's name for people.
    pub provider_fullname: String,
    /// The version of the definition that it pins.
    pub definition_version: Option<String>,
    /// The kind of its credential.
    pub credential_kind: Option<CredentialKind>,
    /// In what it contradicts its point.
    pub violations: Vec<Violation>,
    /// The account, when it was asked for.
    pub account: Option<Account>,
    /// The point, when it was asked for.
    pub integration_point: Option<IntegrationPoint>,
}

impl IntegrationConfig {
    fn of(integration: &integration::Integration) -> Self {
        let text = |member: &str| integration.config.get(member).and_then(serde_json::Value::as_str).map(ToOwned::to_owned);
        Self { webhook_url: text("webhook_url"), polling_interval: text("polling_interval") }
    }

    /// As the engine takes it.
    pub fn members(self) -> serde_json::Map<String, serde_json::Value> {
        let members = [("webhook_url", self.webhook_url), ("polling_interval", self.polling_interval)];
        members.into_iter().filter_map(|(member, value)| Some((member.to_owned(), value?.into()))).collect()
    }
}

impl Integration {
    /// The view of an integration.
    pub fn view(integration: integration::Integration, context: IntegrationContext) -> Self {
        let cause = match integration.status {
            IntegrationStatus::NeedsAttention { cause } => Some(cause),
            _ => None,
        };
        let by_consent = context.credential_kind == Some(CredentialKind::OAuthUser);
        let consent_needed = match integration.status {
            IntegrationStatus::AwaitingConsent => true,
            IntegrationStatus::Revoked => by_consent,
            IntegrationStatus::NeedsAttention { cause } => by_consent && !matches!(cause, AttentionCause::ProviderUnreachable | AttentionCause::ConfigRefused),
            _ => false,
        };
        let extra = IntegrationExtra {
            status: integration.status.as_str().to_owned(),
            cause,
            cause_words: cause.map(|cause| cause.words().to_owned()),
            next_step: next_step(integration.status, consent_needed).map(str::to_owned),
            status_since: integration.status_since,
            definition_version: context.definition_version,
            definition_id: integration.definition,
            config: IntegrationConfig::of(&integration),
            governed_problems: context.violations,
            last_used_at: integration.last_used_at,
            last_connected_at: integration.last_connected_at,
            credential_kind: context.credential_kind,
            consent_needed,
        };
        let provider_config = integration.provider_config();
        Self {
            id: integration.id,
            name: integration.name,
            fullname: integration.fullname,
            refresh_token_id: integration.refresh_token_id,
            account_id: integration.account_id,
            account: context.account,
            category: integration.connector,
            provider_config,
            provider_fullname: context.provider_fullname,
            provider_type: integration.provider,
            integration_point_id: integration.integration_point_id,
            integration_point: context.integration_point,
            webhook_config: integration.webhook_config,
            created_at: integration.created_at,
            updated_at: integration.updated_at,
            x_patchbay: Some(extra),
        }
    }
}

/// The one thing to do, by status.
fn next_step(status: IntegrationStatus, consent_needed: bool) -> Option<&'static str> {
    match status {
        IntegrationStatus::Draft => Some("Complete its configuration and credential."),
        IntegrationStatus::AwaitingConsent => Some("Connect it."),
        IntegrationStatus::Active => None,
        IntegrationStatus::NeedsAttention { .. } if consent_needed => Some("Connect again."),
        IntegrationStatus::NeedsAttention { cause } => Some(cause.next_step()),
        IntegrationStatus::Paused => Some("Resume it."),
        IntegrationStatus::Revoked => Some("Connect it again."),
    }
}

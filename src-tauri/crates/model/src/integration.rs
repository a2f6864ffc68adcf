//! Integrations: the live, authorized connection of an account with a provider.

use serde::{Deserialize, Serialize};

use crate::connector::Connector;
use crate::{AccountId, Code, DefinitionId, Fullname, IntegrationId, IntegrationPointId, Name, OrganizationId, Problem, ProviderId, Timestamp, TokenId};

/// Why an integration needs attention.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttentionCause {
    /// The provider refuses the credential.
    CredentialRefused,
    /// The refresh token is dead; a person must consent again.
    RefreshRefused,
    /// The answer to a refresh was lost and the provider may have rotated the token.
    RefreshUncertain,
    /// The grant has come to its end: it was not used for too long, or has lasted as long as the provider lets it.
    GrantExpired,
    /// Of several tokens one that no call carries is not renewed any more; with the others calls go on.
    TokenLost,
    /// The provider does not take the client id or client secret of the provider app.
    ClientRefused,
    /// The credential's own end has come.
    CredentialExpired,
    /// The credential that the configuration refers to is gone.
    CredentialMissing,
    /// The provider could not be reached when it was last tried.
    ProviderUnreachable,
    /// The provider refuses the configuration (unknown project, wrong URL).
    ConfigRefused,
}

impl AttentionCause {
    /// What happened, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::CredentialRefused => "The provider refuses the credential.",
            Self::RefreshRefused => "The provider refuses to renew the access; the grant was revoked or has expired.",
            Self::RefreshUncertain => "The answer to a renewal was lost, and the provider may have replaced the token.",
            Self::GrantExpired => "What was authorized has come to its end: nobody used it for too long, or it has lasted as long as the provider lets it.",
            Self::TokenLost => "One of the tokens of this access is no longer renewed, as the proof of renewals says; what the others allow goes on.",
            Self::ClientRefused => "The provider does not accept the client id or client secret of the provider app.",
            Self::CredentialExpired => "The credential has expired.",
            Self::CredentialMissing => "The credential that the configuration refers to was deleted.",
            Self::ProviderUnreachable => "The provider could not be reached.",
            Self::ConfigRefused => "The provider refuses the configuration.",
        }
    }

    /// The one thing to do about it, in words.
    pub const fn next_step(self) -> &'static str {
        match self {
            Self::CredentialRefused | Self::CredentialExpired | Self::CredentialMissing => "Replace the credential, then test the connection.",
            Self::RefreshRefused | Self::RefreshUncertain | Self::GrantExpired | Self::TokenLost => "Connect again.",
            Self::ClientRefused => "Correct the provider app, then test the connection.",
            Self::ProviderUnreachable => "Check the URL and the network, then test the connection.",
            Self::ConfigRefused => "Correct the configuration, then test the connection.",
        }
    }
}

/// The state of an integration (product.md section 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum IntegrationStatus {
    /// Made, without what a call needs.
    Draft,
    /// Waits for a person to authorize it.
    AwaitingConsent,
    /// Works.
    Active,
    /// Was active and no longer works.
    NeedsAttention {
        /// Why.
        cause: AttentionCause,
    },
    /// Switched off by an administrator.
    Paused,
    /// Disconnected; the grant was given back to the provider.
    Revoked,
}

impl IntegrationStatus {
    /// The word as stored and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::AwaitingConsent => "awaiting_consent",
            Self::Active => "active",
            Self::NeedsAttention { .. } => "needs_attention",
            Self::Paused => "paused",
            Self::Revoked => "revoked",
        }
    }
}

/// Members of every definition's configuration that are knobs of the integration and none of the provider: the data-model
/// document names them. They lie in `config` beside `provider_config`'s members and travel in `x_patchbay.config`, because the
/// wire's models of `provider_config` know no further members. Programs read them; Patchbay enforces their form.
pub const RUNTIME_MEMBERS: [&str; 2] = ["webhook_url", "polling_interval"];

/// An integration as stored, a row of `integration_instances`.
#[derive(Clone, PartialEq, Debug)]
pub struct Integration {
    /// Its id.
    pub id: IntegrationId,
    /// Whose integration.
    pub organization_id: OrganizationId,
    /// The customer that it belongs to.
    pub account_id: AccountId,
    /// Its slug, unique in the account.
    pub name: Name,
    /// Its name for people.
    pub fullname: Fullname,
    /// The definition it pins; the column is `integration_id`, as in the data-model document.
    pub definition: DefinitionId,
    /// The definition's provider, repeated for lists.
    pub provider: ProviderId,
    /// The definition's connector, repeated for lists.
    pub connector: Connector,
    /// The point that governs it.
    pub integration_point_id: Option<IntegrationPointId>,
    /// `provider_config` as on the wire, with every inline secret replaced by a reference to a credential, and the
    /// [`RUNTIME_MEMBERS`] that are set.
    pub config: serde_json::Value,
    /// `webhook_config` as on the wire, without integrator keys.
    pub webhook_config: Option<serde_json::Value>,
    /// Its state.
    pub status: IntegrationStatus,
    /// Since when it is in that state.
    pub status_since: Timestamp,
    /// The container of the tokens that its creation made.
    pub refresh_token_id: TokenId,
    /// Last connector call; written with a delay of at most 30 s.
    pub last_used_at: Option<Timestamp>,
    /// Last time the provider accepted the credential.
    pub last_connected_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Integration {
    /// The configuration without [`RUNTIME_MEMBERS`]: `provider_config` of the wire.
    pub fn provider_config(&self) -> serde_json::Value {
        let mut config = self.config.clone();
        if let Some(config) = config.as_object_mut() {
            config.retain(|member, _| !RUNTIME_MEMBERS.contains(&member.as_str()));
        }
        config
    }

    /// The [`RUNTIME_MEMBERS`] that are set: `x_patchbay.config` of the wire.
    pub fn runtime_config(&self) -> serde_json::Map<String, serde_json::Value> {
        RUNTIME_MEMBERS.iter().filter_map(|member| Some(((*member).to_owned(), self.config.get(member)?.clone()))).collect()
    }

    /// Moves to another state.
    #[must_use]
    pub fn into_status(mut self, status: IntegrationStatus, now: Timestamp) -> Self {
        if self.status != status {
            self.status = status;
            self.status_since = now;
        }
        self
    }

    /// Whether a connector call may be tried.
    ///
    /// # Errors
    /// `integration_not_active` or `needs_reconnect`, with the next step. An integration whose provider was out of reach, or
    /// whose configuration was refused, is tried all the same: that may have mended itself.
    pub fn callable(&self) -> Result<(), Problem> {
        let refuse = |code, what: &str, step: &str| Err(Problem::new(code, format!("Integration `{}` {what} {step}", self.name)).with_resource("integration", self.id, "cause"));
        match self.status {
            IntegrationStatus::Active
            | IntegrationStatus::NeedsAttention {
                cause:
                    AttentionCause::ProviderUnreachable | AttentionCause::ConfigRefused | AttentionCause::CredentialRefused | AttentionCause::ClientRefused | AttentionCause::TokenLost,
            } => Ok(()),
            IntegrationStatus::NeedsAttention { cause } => refuse(Code::NeedsReconnect, &format!("needs attention. {}", cause.words()), cause.next_step()),
            IntegrationStatus::Draft => refuse(Code::IntegrationNotActive, "is a draft.", "Complete its configuration and credential."),
            IntegrationStatus::AwaitingConsent => refuse(Code::IntegrationNotActive, "waits for consent.", "Connect it first."),
            IntegrationStatus::Paused => refuse(Code::IntegrationNotActive, "is paused.", "An administrator can resume it."),
            IntegrationStatus::Revoked => refuse(Code::IntegrationNotActive, "was disconnected.", "Connect it again."),
        }
    }
}

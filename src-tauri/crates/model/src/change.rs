//! Changes: what a commit touched, for windows and browsers to read anew.

use serde::{Deserialize, Serialize};

use crate::{AccountId, Origin};

/// The kind of object that changed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The organization itself.
    Organization,
    /// A member.
    Member,
    /// An account.
    Account,
    /// An integration point.
    IntegrationPoint,
    /// An integration, its status among it.
    Integration,
    /// A credential's metadata.
    Credential,
    /// A token container.
    Token,
    /// A provider app.
    ProviderApp,
    /// A consent.
    ConnectSession,
    /// An audit event.
    Audit,
    /// A role of the organization's own.
    Role,
    /// An organization webhook.
    OrganizationWebhook,
    /// A delivery to a webhook.
    WebhookDelivery,
    /// An end user of an account.
    EndUser,
    /// A link by which a customer's person connects a provider, or another public link.
    ConnectLink,
    /// A manifest of the organization's own, and with it what is known of a provider.
    Definition,
    /// Access that is taken back at a provider.
    Revocation,
    /// The keys of the store, told to every organization in it: a rotation began, went on or came to its end.
    Key,
}

impl ChangeKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Organization,
        Self::Member,
        Self::Account,
        Self::IntegrationPoint,
        Self::Integration,
        Self::Credential,
        Self::Token,
        Self::ProviderApp,
        Self::ConnectSession,
        Self::Audit,
        Self::Role,
        Self::OrganizationWebhook,
        Self::WebhookDelivery,
        Self::EndUser,
        Self::ConnectLink,
        Self::Definition,
        Self::Revocation,
    ];

    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Member => "member",
            Self::Account => "account",
            Self::IntegrationPoint => "integration_point",
            Self::Integration => "integration",
            Self::Credential => "credential",
            Self::Token => "token",
            Self::ProviderApp => "provider_app",
            Self::ConnectSession => "connect_session",
            Self::Audit => "audit",
            Self::Role => "role",
            Self::OrganizationWebhook => "organization_webhook",
            Self::WebhookDelivery => "webhook_delivery",
            Self::EndUser => "end_user",
            Self::ConnectLink => "connect_link",
            Self::Definition => "definition",
            Self::Revocation => "revocation",
            Self::Key => "key",
        }
    }
}

/// One row of `changes`, written in the transaction that made the change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
pub struct Change {
    /// Rises with every commit; a listener resumes after the last one it saw.
    #[ts(type = "number")]
    pub sequence: i64,
    /// What kind of object.
    pub kind: ChangeKind,
    /// Its id.
    pub id: String,
    /// In which account, if in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account_id: Option<AccountId>,
    /// From where.
    pub origin: Origin,
}

//! Typed ids. Every id is a UUID version 7 (RFC 9562 section 5.7), plain on the wire; the types keep an account's
//! id from being passed where an integration's is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $noun:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
        #[serde(transparent)]
        #[ts(type = "string")]
        pub struct $name(Uuid);

        impl $name {
            /// The word that messages use for what this id names.
            pub const NOUN: &'static str = $noun;

            /// Wraps a UUID that is known to be an id of this kind: one just made by [`crate::Context`] or read from the store.
            pub const fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }

            /// The bare UUID, for binding to a query.
            pub const fn uuid(self) -> Uuid { self.0 }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool { true }
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": "uuid" })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{} {}", $noun, self.0) }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { text.parse().map(Self) }
        }
    )+};
}

ids! {
    /// An organization: the root container and governance boundary.
    OrganizationId = "organization";
    /// A member of an organization, personal or service.
    MemberId = "member";
    /// A role: named resources and a permission set.
    RoleId = "role";
    /// An account: one customer of the organization.
    AccountId = "account";
    /// An integration point.
    IntegrationPointId = "integration point";
    /// A definition: one version of one provider's metadata.
    DefinitionId = "definition";
    /// An integration, which is a row of `integration_instances`.
    IntegrationId = "integration";
    /// A credential's metadata row.
    CredentialId = "credential";
    /// A sealed row of `shared_credentials`.
    SharedCredentialId = "shared credential";
    /// A token container, called `refresh_token_id` on the wire.
    TokenId = "token";
    /// The organization's own OAuth client at a provider.
    ProviderAppId = "provider app";
    /// One run of a consent, from its link to its outcome.
    ConnectSessionId = "connect session";
    /// One try of a consent on one way.
    ConnectLegId = "way of a consent";
    /// A signed-in web browser.
    WebSessionId = "web session";
    /// One row of the audit log.
    AuditId = "audit event";
    /// One deletion with everything that it took; the handle of its undo.
    DeletionId = "deletion";
    /// An organization webhook.
    WebhookId = "organization webhook";
    /// One event on its way to one webhook.
    DeliveryId = "delivery";
    /// A person of an account who authorized or configured something.
    EndUserId = "end user";
    /// Who agreed to what, and when.
    ReceiptId = "consent receipt";
    /// An address that opens one thing for whoever holds it.
    PublicLinkId = "connect link";
    /// Access that is taken back at the provider.
    RevocationId = "revocation";
    /// One move of an integration between versions of its definition.
    DefinitionMoveId = "definition move";
    /// One report of an integration's state.
    StatusEventId = "status event";
}

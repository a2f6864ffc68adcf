//! Token containers (`RefreshToken` on the wire) and the kinds of secrets.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::permission::{PermissionSet, ResourceScope, RoleName};
use crate::{AccountId, Fullname, IntegrationId, MemberId, Name, OrganizationId, Timestamp, TokenId};

/// What a secret is good for. It is told by its prefix before any look-up, so that the wrong kind is refused by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SecretKind {
    /// Access to the Management API.
    OrganizationAccess,
    /// Access to the Connector API of one integration.
    IntegrationAccess,
    /// Refresh of its own container and nothing else.
    Refresh,
    /// A signed-in browser (a handle in a cookie, no token).
    WebSession,
    /// A one-time link: first set-up, invitation.
    SetupLink,
    /// A link by which a customer's person connects a provider.
    ConnectLink,
    /// A link to the receipt of a consent.
    ReceiptLink,
    /// The address of a calendar of deadlines.
    CalendarLink,
}

impl SecretKind {
    /// Every kind.
    pub const ALL: [Self; 8] =
        [Self::OrganizationAccess, Self::IntegrationAccess, Self::Refresh, Self::WebSession, Self::SetupLink, Self::ConnectLink, Self::ReceiptLink, Self::CalendarLink];

    /// The prefix, by which secret scanners and we recognise it.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::OrganizationAccess => "pbo_",
            Self::IntegrationAccess => "pbi_",
            Self::Refresh => "pbr_",
            Self::WebSession => "pbw_",
            Self::SetupLink => "pbk_",
            Self::ConnectLink => "pbc_",
            Self::ReceiptLink => "pbe_",
            Self::CalendarLink => "pbf_",
        }
    }

    /// The kind in words, for messages.
    pub const fn words(self) -> &'static str {
        match self {
            Self::OrganizationAccess => "organization access token",
            Self::IntegrationAccess => "integration access token",
            Self::Refresh => "refresh token",
            Self::WebSession => "web session",
            Self::SetupLink => "one-time link",
            Self::ConnectLink => "connect link",
            Self::ReceiptLink => "receipt link",
            Self::CalendarLink => "calendar link",
        }
    }

    /// Whether a text holds what may be such a secret, wherever it stands in it.
    pub fn is_in(text: &str) -> bool {
        Self::ALL.into_iter().any(|kind| text.contains(kind.prefix()) && text.len() >= kind.prefix().len() + 20)
    }
}

/// Whose container it is, and with that which API its access secrets open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenOwner {
    /// Management API.
    Organization(OrganizationId),
    /// Connector API of this integration.
    Integration(AccountId, IntegrationId),
}

/// How a container came to be (`token_type` on the wire).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenType {
    /// Minted by a call.
    Adhoc,
    /// By a member's logon.
    Logon,
    /// Made together with its owner.
    Default,
}

impl TokenType {
    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adhoc => "adhoc",
            Self::Logon => "logon",
            Self::Default => "default",
        }
    }
}

/// What an organization token may do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// By the roles of its member, looked up at each use.
    Roles(Vec<RoleName>),
    /// A permission set over resources, fixed when it was minted.
    Adhoc {
        /// Which objects.
        resources: ResourceScope,
        /// Which operations.
        permission_set: PermissionSet,
    },
}

/// Which of the two live pairs of a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// The newest pair.
    Primary,
    /// The one before, which keeps working until removed or replaced.
    Secondary,
}

/// A token container as stored. Its secrets are rows of their own, as keyed hashes.
#[derive(Clone, PartialEq, Debug)]
pub struct TokenContainer {
    /// Its id, `refresh_token_id` on the wire.
    pub id: TokenId,
    /// Whose organization.
    pub organization_id: OrganizationId,
    /// Which API.
    pub owner: TokenOwner,
    /// The member that made it or signed in.
    pub member_id: MemberId,
    /// Its slug.
    pub name: Name,
    /// Its name for people.
    pub fullname: Fullname,
    /// How it came to be.
    pub token_type: TokenType,
    /// What it may do; an integration's container needs no more than its owner.
    pub authority: Authority,
    /// Lifetime of an access secret.
    pub access_ttl: Duration,
    /// Lifetime of a refresh secret, counted anew at each refresh; none for a single token without a refresh half.
    pub refresh_ttl: Option<Duration>,
    /// When the container's newest secret ends.
    pub expires: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// One live secret of a container, without the secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TokenSecret {
    /// Its kind.
    pub kind: SecretKind,
    /// Which pair it belongs to.
    pub slot: Slot,
    /// When it ends.
    pub expires: Timestamp,
}

//! End users: the persons of an account who authorized a provider or configured an integration, and what they agreed to.

use serde::{Deserialize, Serialize};

use crate::{AccountId, ConnectSessionId, EndUserId, Fullname, IntegrationId, Name, OrganizationId, ProviderId, ReceiptId, RevocationId, Timestamp};

/// An end user as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct EndUser {
    /// Its id.
    pub id: EndUserId,
    /// Whose organization.
    pub organization_id: OrganizationId,
    /// Whose person.
    pub account_id: AccountId,
    /// Slug, unique in the account.
    pub name: Name,
    /// Name for people.
    pub fullname: Fullname,
    /// E-mail address, where known.
    pub email: Option<String>,
    /// The id by which the customer knows the person; unique in the account.
    pub external_id: Option<String>,
    /// When the person last authorized something.
    pub last_seen_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Whom a provider named in a consent. Subjects are unique at their issuer, and where there is none, at their provider
/// (OpenID Connect Core 1.0 section 2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// At which provider.
    pub provider: ProviderId,
    /// At which issuer, where the provider has several.
    pub issuer: Option<String>,
    /// The provider's id of the person.
    pub subject: String,
}

/// Who took a consent back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawal {
    /// The person who had given it, by the receipt's page.
    Person,
    /// Somebody of the organization.
    Member,
}

impl Withdrawal {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Member => "member",
        }
    }
}

/// A receipt: who agreed to what, and when. Erasing the person leaves it without person and subject.
#[derive(Clone, PartialEq, Debug)]
pub struct ConsentReceipt {
    /// Its id.
    pub id: ReceiptId,
    /// Whose organization.
    pub organization_id: OrganizationId,
    /// In which account.
    pub account_id: AccountId,
    /// For which integration; it may be gone by now.
    pub integration_id: IntegrationId,
    /// Who agreed; none when that was not told, or the person was erased.
    pub end_user_id: Option<EndUserId>,
    /// The run of the consent.
    pub connect_session_id: Option<ConnectSessionId>,
    /// With which provider.
    pub provider: ProviderId,
    /// The issuer that the subject belongs to.
    pub issuer: Option<String>,
    /// To which scopes.
    pub scopes: Vec<String>,
    /// The provider's id of the person.
    pub subject: Option<String>,
    /// When.
    pub granted_at: Timestamp,
    /// When it ended: the integration was disconnected or deleted, or somebody agreed anew.
    pub ended_at: Option<Timestamp>,
    /// When the provider ends it, however much it is used; none where that is not known.
    pub expires_at: Option<Timestamp>,
    /// The revocation by which it ended.
    pub revocation_id: Option<RevocationId>,
    /// Who took it back, where somebody did.
    pub withdrawn_by: Option<Withdrawal>,
    /// When the person was erased from it.
    pub erased_at: Option<Timestamp>,
}

/// What an erasure takes, or would take, beside the person's own row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Erasure {
    /// Receipts that lose person and subject.
    pub receipts: u64,
    /// Of these, how many are in force: integrations that keep working.
    pub in_force: u64,
}

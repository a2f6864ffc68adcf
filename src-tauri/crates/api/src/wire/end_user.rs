//! End users and what they agreed to, ours alone.
#![expect(missing_docs, reason = "fields are those of the model")]

use patchbay_model::end_user::{self, Withdrawal};
use patchbay_model::problem::Resource;
use patchbay_model::schema::{NewFullname, NewName};
use patchbay_model::{AccountId, ConnectSessionId, EndUserId, Fullname, IntegrationId, Name, ProviderId, ReceiptId, RevocationId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::overview::Count;
use super::query::UpdateExtra;

/// A person of an account who authorized or configured something.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct EndUser {
    pub id: EndUserId,
    pub account_id: AccountId,
    pub name: Name,
    pub fullname: Fullname,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub email: Option<String>,
    /// The id by which the customer knows the person; unique in the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub external_id: Option<String>,
    /// When the person last authorized something.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_seen_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Body of `end_users.create`.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct CreateEndUser {
    #[schemars(with = "Option<NewName>")]
    pub name: Option<String>,
    #[schemars(with = "Option<NewFullname>")]
    pub fullname: Option<String>,
    #[schemars(with = "Option<patchbay_model::schema::NewEmail>")]
    pub email: Option<String>,
    pub external_id: Option<String>,
}

/// PUT of an end user: the whole object; what is read-only in it is ignored.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct UpdateEndUser {
    #[schemars(with = "Option<NewName>")]
    pub name: Option<String>,
    #[schemars(with = "NewFullname")]
    pub fullname: String,
    #[schemars(with = "Option<patchbay_model::schema::NewEmail>")]
    pub email: Option<String>,
    pub external_id: Option<String>,
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub x_patchbay: Option<UpdateExtra>,
}

/// Who agreed to what, and when.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ConsentReceipt {
    pub id: ReceiptId,
    pub account_id: AccountId,
    /// The integration may be gone by now.
    pub integration_id: IntegrationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub connect_session_id: Option<ConnectSessionId>,
    pub provider: ProviderId,
    /// The issuer that the subject belongs to, for providers with several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub issuer: Option<String>,
    /// The provider's id of the person, where it told one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub subject: Option<String>,
    pub scopes: Vec<String>,
    pub granted_at: Timestamp,
    /// When it ended: the integration was disconnected or deleted, or somebody agreed anew; absent while it is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ended_at: Option<Timestamp>,
    /// When the provider ends it, however much it is used; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub expires_at: Option<Timestamp>,
    /// The revocation by which its access ends at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub revocation_id: Option<RevocationId>,
    /// Who took it back, where somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub withdrawn_by: Option<Withdrawal>,
}

/// What an erasure takes, asked before it is done.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ErasureImpact {
    /// `consent_receipt`: receipts that lose the person; `audit`: rows of the log in which the person's data is redacted.
    pub takes: Vec<Count>,
    /// Nothing forbids an erasure.
    pub used_by: Vec<Resource>,
    /// `integration`: what the person authorized and what keeps working.
    pub keeps: Vec<Count>,
    /// Always false: what is erased cannot be brought back.
    pub undoable: bool,
}

impl From<end_user::EndUser> for EndUser {
    fn from(person: end_user::EndUser) -> Self {
        Self {
            id: person.id,
            account_id: person.account_id,
            name: person.name,
            fullname: person.fullname,
            email: person.email,
            external_id: person.external_id,
            last_seen_at: person.last_seen_at,
            created_at: person.created_at,
            updated_at: person.updated_at,
        }
    }
}

impl From<end_user::ConsentReceipt> for ConsentReceipt {
    fn from(receipt: end_user::ConsentReceipt) -> Self {
        Self {
            id: receipt.id,
            account_id: receipt.account_id,
            integration_id: receipt.integration_id,
            connect_session_id: receipt.connect_session_id,
            provider: receipt.provider,
            issuer: receipt.issuer,
            subject: receipt.subject,
            scopes: receipt.scopes,
            granted_at: receipt.granted_at,
            ended_at: receipt.ended_at,
            expires_at: receipt.expires_at,
            revocation_id: receipt.revocation_id,
            withdrawn_by: receipt.withdrawn_by,
        }
    }
}

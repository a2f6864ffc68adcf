//! Receipts of consents with what they mean, ours alone.
#![expect(missing_docs, reason = "fields are those of the model")]

use patchbay_engine::receipt;
use patchbay_model::{EndUserId, Fullname, PublicLinkId, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

use super::end_user::ConsentReceipt;

/// Something that was agreed to.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct GrantedScope {
    /// The scope, as the provider calls it.
    pub scope: String,
    /// What it lets do, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub words: Option<String>,
}

/// A receipt with what it means.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct IntegrationReceipt {
    #[serde(flatten)]
    pub receipt: ConsentReceipt,
    /// What was agreed to.
    pub granted: Vec<GrantedScope>,
    /// Who agreed, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub end_user_id: Option<EndUserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub end_user_name: Option<Fullname>,
}

/// A link that was just made; what stands in it is shown this once.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct MadeLink {
    pub id: PublicLinkId,
    pub url: String,
    pub expires: Timestamp,
    /// What there is to know about the address, where it does not work as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<String>,
}

/// The member's own address of the calendar, without what stands in it.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct FeedLink {
    /// Whether there is one.
    pub exists: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub expires: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_used_at: Option<Timestamp>,
}

impl From<receipt::ShownReceipt> for IntegrationReceipt {
    fn from(shown: receipt::ShownReceipt) -> Self {
        let granted = shown.granted.into_iter().map(|granted| GrantedScope { scope: granted.scope, words: granted.words }).collect();
        let (end_user_id, end_user_name) = shown.person.map(|person| (person.id, person.fullname)).unzip();
        Self { receipt: shown.receipt.into(), granted, end_user_id, end_user_name }
    }
}

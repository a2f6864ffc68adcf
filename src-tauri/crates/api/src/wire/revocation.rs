//! Access that is taken back at providers, ours alone.
#![expect(missing_docs, reason = "fields are those of the model")]

use patchbay_engine::integration::DisconnectPreview as Previewed;
use patchbay_model::problem::Resource;
use patchbay_model::revocation::{self, RevocationEnds, RevocationEvent, RevocationEvidence, RevocationHow, RevocationReason, RevocationState};
use patchbay_model::{AccountId, IntegrationId, MemberId, ProviderId, ReceiptId, RevocationId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::integration::Integration;

/// Access that is taken back at a provider, and what proves that it ended.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Revocation {
    pub id: RevocationId,
    /// The account may be gone by now.
    pub account_id: AccountId,
    /// The integration may be gone by now.
    pub integration_id: IntegrationId,
    /// Its name for people, as it was.
    pub integration_name: String,
    pub provider: ProviderId,
    /// The receipt of the consent that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub receipt_id: Option<ReceiptId>,
    pub reason: RevocationReason,
    pub state: RevocationState,
    /// The state in words.
    pub state_words: String,
    /// Whether a person still has to end it at the provider.
    pub needs_person: bool,
    /// By what the provider is asked.
    pub how: RevocationHow,
    /// What ends with it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ends: Option<RevocationEnds>,
    /// What proves it.
    pub evidence: RevocationEvidence,
    /// What a person does at the provider, step by step, where a program cannot.
    pub manual_steps: Vec<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub manual_url: Option<String>,
    /// What happened, in order.
    pub events: Vec<RevocationEvent>,
    /// How often the provider was asked in this state.
    pub attempts: u32,
    /// When it is asked next; absent when nothing more is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub next_attempt_at: Option<Timestamp>,
    /// When the last access token ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub alive_until: Option<Timestamp>,
    /// When a person said that it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub confirmed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub confirmed_by: Option<MemberId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Result of `integrations.disconnect`.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Disconnected {
    pub integration: Integration,
    /// How its access is ended at the provider; absent when it had none of its own, or was disconnected already.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub revocation: Option<Revocation>,
}

/// What a disconnection would do.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct DisconnectPreview {
    /// Whether it is disconnected already.
    pub already: bool,
    /// By what the provider would be asked; absent where the integration has nothing of its own to give back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub how: Option<RevocationHow>,
    /// What would end, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ends: Option<RevocationEnds>,
    /// What would prove it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub evidence: Option<RevocationEvidence>,
    /// What a person would have to do at the provider, where a program cannot.
    pub manual_steps: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub manual_url: Option<String>,
    /// Consents in force that would end.
    pub consents: u64,
    /// Other integrations that would lose their access too; at most 100.
    pub affects: Vec<Resource>,
    /// Integrations and tokens, of this one, that were used within the last 24 hours.
    pub used_today: u64,
}

/// Query of a delete that may take access back at once.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct DeleteParams {
    /// `now`: access is taken back at the provider at once, and not only when the deletion can no longer be undone. What an undo brings back
    /// then has to be connected again.
    #[ts(optional, type = "\"now\"")]
    #[schemars(regex(pattern = "^now$"))]
    pub revoke: Option<String>,
}

impl From<revocation::Revocation> for Revocation {
    fn from(row: revocation::Revocation) -> Self {
        let needs_person = row.needs_person();
        let proof = row.proof;
        Self {
            id: row.id,
            account_id: row.account_id,
            integration_id: row.integration_id,
            integration_name: row.integration_name,
            provider: row.provider,
            receipt_id: row.receipt_id,
            reason: row.reason,
            state: row.state,
            state_words: row.state.words().to_owned(),
            needs_person,
            how: proof.how,
            ends: proof.ends,
            evidence: proof.evidence,
            manual_steps: proof.manual,
            manual_url: proof.manual_url,
            events: proof.events,
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at,
            alive_until: proof.alive_until,
            confirmed_at: proof.confirmed_at,
            confirmed_by: proof.confirmed_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<Previewed> for DisconnectPreview {
    fn from(preview: Previewed) -> Self {
        let Previewed { proof, already, consents, affects, used_today } = preview;
        let affects = affects.into_iter().map(|other| Resource { kind: "integration".to_owned(), id: other.id.to_string(), rel: "affected".to_owned() });
        let (how, ends, evidence, manual_steps, manual_url) = match proof {
            Some(proof) => (Some(proof.how), proof.ends, Some(proof.evidence), proof.manual, proof.manual_url),
            None => (None, None, None, Vec::new(), None),
        };
        Self { already, how, ends, evidence, manual_steps, manual_url, consents, affects: affects.collect(), used_today }
    }
}

//! The journal of renewals, on the wire.
#![expect(missing_docs, reason = "fields are those of the journal")]

use patchbay_engine::integration::JournalAttempt;
use patchbay_model::Timestamp;
use patchbay_model::refresh::{Fp, RefreshReason, RefreshStep, StepTaken};
use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

/// One intended request to a token endpoint, and what came of it.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct RefreshAttempt {
    pub id: String,
    /// The name of the token that was to be renewed: `main` is the one that calls carry, others have the names of the manifest.
    pub token: String,
    /// The process that made it.
    pub owner: String,
    /// Absent where nothing was to be sent, as when a person connects anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<RefreshReason>,
    /// How often its token was or may have been sent without an outcome, this attempt among them.
    pub sends: u32,
    /// The last step.
    pub outcome: RefreshStep,
    /// The refresh token that was to be sent: the first digits of a keyed hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub token_before: Option<String>,
    /// The refresh token that came.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub token_after: Option<String>,
    /// In their order.
    pub steps: Vec<RefreshStepTaken>,
}

/// A step of an attempt.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct RefreshStepTaken {
    pub at: Timestamp,
    pub step: RefreshStep,
    /// The process that took it: another than the attempt's where that one died.
    pub owner: String,
    /// More about it, by the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub note: Option<serde_json::Value>,
}

fn short(fp: Fp) -> String {
    fp.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

impl From<JournalAttempt> for RefreshAttempt {
    fn from(attempt: JournalAttempt) -> Self {
        let steps = attempt.steps.into_iter().map(|StepTaken { step, .. }| RefreshStepTaken { at: step.at, step: step.step, owner: step.owner, note: step.note });
        Self {
            id: attempt.id.to_string(),
            token: attempt.token,
            owner: attempt.owner,
            reason: attempt.reason,
            sends: attempt.sends,
            outcome: attempt.outcome,
            token_before: attempt.before.map(short),
            token_after: attempt.after.map(short),
            steps: steps.collect(),
        }
    }
}

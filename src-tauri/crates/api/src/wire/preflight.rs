//! Tests of provider apps, ours alone.
#![expect(missing_docs, reason = "fields are those of the model")]

use patchbay_engine::preflight::Checks;
use patchbay_model::Timestamp;
use patchbay_model::flight::Explanation;
use patchbay_model::preflight::{self, CheckKind, CheckOutcome, CheckWord};
use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

/// One test of a provider app.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct AppCheck {
    pub kind: CheckKind,
    /// Which one, where there are several: the redirect URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub subject: Option<String>,
    pub at: Timestamp,
    pub outcome: CheckWord,
    /// What is wrong, and what to change; of what is bad.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub explanation: Option<Explanation>,
    /// Why it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub why: Option<String>,
}

/// What was last found about a provider app.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct AppChecks {
    /// Empty for one that was never tested, or was changed since.
    pub checks: Vec<AppCheck>,
    /// When it is tested next by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub next_check_at: Option<Timestamp>,
}

impl From<preflight::AppCheck> for AppCheck {
    fn from(check: preflight::AppCheck) -> Self {
        let outcome = check.outcome.word();
        let (explanation, why) = match check.outcome {
            CheckOutcome::Good => (None, None),
            CheckOutcome::Bad(explanation) => (Some(*explanation), None),
            CheckOutcome::CannotTell { why } => (None, Some(why)),
        };
        Self { kind: check.kind, subject: Some(check.subject).filter(|subject| !subject.is_empty()), at: check.at, outcome, explanation, why }
    }
}

impl From<Checks> for AppChecks {
    fn from(found: Checks) -> Self {
        Self { checks: found.checks.into_iter().map(AppCheck::from).collect(), next_check_at: found.next }
    }
}

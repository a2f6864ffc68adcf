//! What surrounds a result (synqly-wire.md sections 4 and 5).

use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

use super::problem::Problem;

/// `{result}`, with soft problems beside it where there were some.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
#[schemars(rename = "{T}Answer")]
pub struct Answer<T> {
    /// The object itself.
    pub result: T,
    /// Trouble that did not keep the operation from being done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub messages: Option<Messages>,
}

impl<T> Answer<T> {
    /// An answer without messages.
    pub const fn of(result: T) -> Self {
        Self { result, messages: None }
    }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
#[schemars(rename = "{T}Listed")]
pub struct Listed<T> {
    /// The rows.
    pub result: Vec<T>,
    /// All rows that pass the filters; only when `total=true` was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub total: Option<u64>,
    /// `start_after` of the next page; absent at the end. On HTTP it travels as the header `X-Next-Start-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub next: Option<String>,
}

/// Soft problems.
#[derive(Clone, Debug, Default, Serialize, TS, JsonSchema)]
pub struct Messages {
    /// Each as it would have been answered, had it been fatal.
    pub problems: Vec<Problem>,
}

impl Messages {
    /// Messages of these problems; nothing when there are none.
    pub fn of(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self { problems })
    }
}

/// The answer of an operation that gives nothing.
#[derive(Clone, Copy, Debug, Serialize, TS, JsonSchema)]
pub struct Done {}

/// What a delete gives: over HTTP it is 204 with the id in `X-Patchbay-Deletion`.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Deletion {
    /// For `deletions.undo`.
    pub id: String,
    /// Until when it can be undone.
    pub undo_until: patchbay_model::Timestamp,
}

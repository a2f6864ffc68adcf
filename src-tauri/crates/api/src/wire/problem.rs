//! Problems on the wire (synqly-wire.md section 3 and RFC 9457).

use std::collections::BTreeMap;

use patchbay_model::problem::{Parameter, Resource};
use patchbay_model::{Code, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

/// What went wrong: `application/problem+json` on `/v1`, the same object over `/rpc` and in the window.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Problem {
    /// `urn:patchbay:problem:CODE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short, and the same for every occurrence.
    pub title: String,
    /// Equal to the HTTP status.
    pub status: u16,
    /// Out of the closed table; programs switch on it.
    pub code: Code,
    /// What happened, to which object, and what to do.
    pub message: String,
    /// More of the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub detail: Option<String>,
    /// What to do, where it needs more than the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub remediation: Option<String>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// This occurrence: `urn:uuid:` and the id that the log has too.
    pub instance: String,
    /// For machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub context: Option<Context>,
    /// Seconds after which trying again makes sense; also the header `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub retry_after: Option<u64>,
}

/// The parts of a problem that machines read.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
#[ts(rename = "ProblemContext")]
#[schemars(rename = "ProblemContext")]
pub struct Context {
    /// The parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub parameter: Option<Parameter>,
    /// Objects involved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Resource>>")]
    pub resources: Vec<Resource>,
    /// The provider's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub raw_error: Option<String>,
    /// The provider's status, request id and the like, each as text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[ts(optional, as = "Option<BTreeMap<String, String>>")]
    pub provider_details: BTreeMap<String, String>,
}

impl Problem {
    /// The wire form of a problem, stamped with the time and with the id under which the log has it.
    pub fn new(problem: &patchbay_model::Problem, occurred_at: Timestamp, instance: uuid::Uuid) -> Self {
        let context = &problem.context;
        let details: BTreeMap<String, String> =
            context.provider_details.iter().map(|(key, value)| (key.clone(), value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))).collect();
        let empty = context.parameter.is_none() && context.resources.is_empty() && context.raw_error.is_none() && details.is_empty();
        Self {
            kind: format!("urn:patchbay:problem:{}", problem.code.as_str()),
            title: problem.code.title().to_owned(),
            status: problem.code.status(),
            code: problem.code,
            message: problem.message.clone(),
            detail: problem.detail.clone(),
            remediation: problem.remediation.clone(),
            occurred_at,
            instance: format!("urn:uuid:{instance}"),
            context: (!empty).then(|| Context {
                parameter: context.parameter.clone(),
                resources: context.resources.clone(),
                raw_error: context.raw_error.clone(),
                provider_details: details,
            }),
            retry_after: problem.retry_after,
        }
    }
}

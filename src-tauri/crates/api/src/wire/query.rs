//! Query parameters and patches, as programs write them.

use schemars::JsonSchema;
use serde::Deserialize;
use ts_rs::TS;

/// Parameters of a list (synqly-wire.md section 4).
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct ListParams {
    /// Most rows, 1 to 1000; 100 when left out.
    pub limit: Option<u32>,
    /// The `next` of the page before, or the sort key of its last row.
    pub start_after: Option<String>,
    /// `field[asc]` or `field[desc]`.
    pub order: Option<Vec<String>>,
    /// `field[op]value`, joined by AND.
    pub filter: Option<Vec<String>>,
    /// Whether to count all rows that pass the filters.
    pub total: Option<bool>,
    /// Parts to put in: `account`, `integration_point`, `all`.
    pub expand: Option<Vec<String>>,
}

/// Parameters of the catalogue.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct ExpandParams {
    /// Parts to put in: `operations`, `provider_config`, `connector`, `providers`, `all`.
    pub expand: Option<Vec<String>>,
}

/// One operation of a JSON Patch (RFC 6902 section 4).
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct PatchOperation {
    /// `add`, `copy`, `move`, `remove`, `replace` or `test`.
    pub op: String,
    /// JSON Pointer.
    pub path: String,
    /// Source of a copy or move.
    pub from: Option<String>,
    /// New value.
    #[ts(optional, type = "unknown")]
    pub value: Option<serde_json::Value>,
}

/// What of ours a PUT may carry beside the object.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct UpdateExtra {
    /// The `updated_at` that the change was made from; where the object has changed since, the PUT is refused with 409.
    pub expected_updated_at: Option<patchbay_model::Timestamp>,
}

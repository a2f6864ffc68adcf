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
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    /// The `next` of the page before (over HTTP the header `X-Next-Start-After`), or the sort key of its last row.
    #[schemars(length(max = 2000))]
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

/// Paging of a connector's list.
#[derive(Clone, Debug, Default, JsonSchema)]
pub struct PageParams {
    /// Most rows, 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    /// The `cursor` of the page before.
    #[schemars(length(max = 4096), regex(pattern = r"^[\x20-\x7e]*$"))]
    pub cursor: Option<String>,
}

/// Conditions of a connector's list. Which fields can be named differs by provider; capabilities list them.
#[derive(Clone, Debug, Default, JsonSchema)]
pub struct Conditions {
    /// `field[operator]value`, repeatable, joined by AND; a value may stand in double quotes.
    #[schemars(length(max = 20), inner(regex(pattern = r"^[^\[\]]{1,100}\[(eq|neq?|gte?|lte?|in|not in|like|not like)\][^\x00]*$"), length(max = 4000)))]
    pub filter: Option<Vec<String>>,
    /// `field[asc]` or `field[desc]`, repeatable, the first counts most.
    #[schemars(length(max = 20), inner(regex(pattern = r"^[^\[\]]{1,100}(\[(asc|desc)\])?$")))]
    pub order: Option<Vec<String>>,
}

/// What is asked for beside the result.
#[derive(Clone, Debug, Default, JsonSchema)]
pub struct MetaParams {
    /// `stats/count(...)` with the fields to count by, `api/response(primary)`, `api/response(all)`; repeatable.
    #[schemars(inner(regex(pattern = r"^(stats/count\([a-z_*, ]*\)|api/response\((primary|all)?\))(, ?(stats/count\([a-z_*, ]*\)|api/response\((primary|all)?\)))*$")))]
    pub meta: Option<Vec<String>>,
}

/// One operation of a JSON Patch (RFC 6902 section 4).
#[derive(Clone, Debug, Deserialize, TS)]
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

impl JsonSchema for PatchOperation {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PatchOperation".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        // RFC 6901 section 3; an empty pointer is the whole object.
        let pointer = serde_json::json!({ "type": "string", "pattern": "^(/([^/~]|~[01])*)*$", "description": "JSON Pointer (RFC 6901)." });
        let of = |ops: &[&str], more: &[(&str, serde_json::Value)]| {
            let mut properties = serde_json::json!({ "op": { "enum": ops }, "path": pointer });
            let mut required = vec!["op", "path"];
            for (name, schema) in more {
                properties[*name] = schema.clone();
                required.push(name);
            }
            serde_json::json!({ "type": "object", "properties": properties, "required": required })
        };
        schemars::json_schema!({
            "description": "One operation of a JSON Patch (RFC 6902 section 4).",
            "oneOf": [
                of(&["add", "replace", "test"], &[("value", true.into())]),
                of(&["copy", "move"], &[("from", pointer.clone())]),
                of(&["remove"], &[]),
            ],
        })
    }
}

/// Schema of a whole JSON Patch: a bare array of at most 100 operations.
#[derive(Clone, Copy, Debug)]
pub struct JsonPatch;

impl JsonSchema for JsonPatch {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "JsonPatch".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "array", "maxItems": 100, "items": generator.subschema_for::<PatchOperation>() })
    }
}

/// What of ours a PUT may carry beside the object.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct UpdateExtra {
    /// The `updated_at` that the change was made from; where the object has changed since, the PUT is refused with 409.
    pub expected_updated_at: Option<patchbay_model::Timestamp>,
}

//! Audit events on the wire.
#![expect(missing_docs, reason = "fields are those of synqly-wire.md section 7")]

use patchbay_engine::Engine;
use patchbay_model::change::ChangeKind;
use patchbay_model::{AccountId, AuditId, Environment, IntegrationId, MemberId, Operation, Origin, Timestamp, audit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::operation::{Method, route};

/// One row of the audit log; bodies are redacted.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Audit {
    pub created_at: Timestamp,
    /// `prod` or `test`: of the account that was touched; `prod` for what belongs to none.
    pub environment: Environment,
    /// `API` or `ERROR`.
    pub audit_type: String,
    pub remote_addr: String,
    pub user_agent: String,
    pub method: String,
    pub path: String,
    /// The HTTP status as text, which is what the wire calls code.
    pub code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub body: Option<Value>,
    /// What came of it, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub response: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub member_id: Option<MemberId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account_id: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub integration_id: Option<IntegrationId>,
    pub x_patchbay: AuditExtra,
}

/// What is ours on an audit event.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct AuditExtra {
    pub id: AuditId,
    pub origin: Origin,
    /// The operation, such as `accounts.create`.
    pub operation: String,
    /// The problem's code; empty when all went well.
    pub problem: String,
    /// The kind of object that was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub object_kind: Option<ChangeKind>,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub object_id: Option<String>,
    /// Whether `audit.get` shows the object before the change.
    pub has_before: bool,
    /// Whether `audit.get` shows the object after the change.
    pub has_after: bool,
    /// Whether `audit.undo` can be tried.
    pub undoable: bool,
    /// The row of the undo that took this change back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub undone_by: Option<AuditId>,
    /// The row of the change that this undo took back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub undo_of: Option<AuditId>,
}

/// One row of the audit log with the object before and after the change.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct AuditDetail {
    #[serde(flatten)]
    pub event: Audit,
    /// The object as the change found it, without secrets and telemetry; absent where it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub before: Option<Value>,
    /// The object as the change left it; absent where it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub after: Option<Value>,
    /// What changed, field by field; empty where it was made or deleted.
    pub diff: Vec<Difference>,
}

/// One operation of the JSON Patch (RFC 6902) that leads from before to after.
#[derive(Clone, PartialEq, Debug, Serialize, TS, JsonSchema)]
pub struct Difference {
    /// `add`, `remove` or `replace`.
    pub op: String,
    /// JSON Pointer (RFC 6901) of the field.
    pub path: String,
    /// What it became; absent for `remove`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub value: Option<Value>,
    /// What it was; absent for `add`. No part of RFC 6902, which has readers ignore what it does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub was: Option<Value>,
}

/// How an export is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// JSON Lines: one row per line.
    #[default]
    Jsonl,
    /// Comma-separated values with a header (RFC 4180).
    Csv,
}

/// Parameters of `audit.export`.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct ExportParams {
    /// `jsonl` (the default) or `csv`.
    pub format: Option<ExportFormat>,
    /// The `next` of the part before.
    pub start_after: Option<String>,
    /// `field[asc]` or `field[desc]`; oldest first when left out.
    pub order: Option<Vec<String>>,
    /// `field[op]value`, joined by AND.
    pub filter: Option<Vec<String>>,
}

/// Result of `audit.export` as a command. Over HTTP the rows themselves are the body, all of them.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ExportedAudit {
    /// A name to save it under.
    pub file_name: String,
    /// Media type of the content.
    pub content_type: String,
    /// The rows; about 4 MB at most.
    pub content: String,
    /// `start_after` of the next part; absent when this is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub next: Option<String>,
}

/// The HTTP method, also of what came by `/rpc`, the window or the command line: clients know no others.
fn method(written: &str, operation: &str) -> String {
    if ["DELETE", "GET", "PATCH", "POST", "PUT"].contains(&written) {
        return written.to_owned();
    }
    let known = Operation::from_id(operation).and_then(route);
    known.map_or(Method::Post, |route| route.method).as_str().to_owned()
}

impl Audit {
    /// The view of a row.
    pub fn view(engine: &Engine, event: audit::AuditEvent) -> Self {
        let undoable = patchbay_engine::audit::undoable(engine, &event);
        Self {
            created_at: event.created_at,
            environment: event.environment.unwrap_or(Environment::Prod),
            audit_type: event.audit_type,
            remote_addr: event.remote_addr,
            user_agent: event.user_agent,
            method: method(&event.method, &event.operation),
            path: event.path,
            code: event.status.to_string(),
            status: (!event.code.is_empty()).then(|| event.code.clone()),
            body: event.body,
            response: event.response.map(|response| response.to_string()),
            member_id: event.member_id,
            account_id: event.account_id,
            integration_id: event.integration_id,
            x_patchbay: AuditExtra {
                id: event.id,
                origin: event.origin,
                operation: event.operation,
                problem: event.code,
                object_kind: event.object.map(|object| object.kind),
                object_id: event.object.map(|object| object.id.to_string()),
                has_before: event.before.is_some(),
                has_after: event.after.is_some(),
                undoable,
                undone_by: event.undone_by,
                undo_of: event.undo_of,
            },
        }
    }
}

impl AuditDetail {
    /// The view of a row with everything.
    pub fn view(engine: &Engine, event: audit::AuditEvent) -> Self {
        let (before, after) = (event.before.clone(), event.after.clone());
        let diff = match (&before, &after) {
            (Some(before), Some(after)) => differences(before, after),
            _ => Vec::new(),
        };
        Self { event: Audit::view(engine, event), before, after, diff }
    }
}

fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let operations = json_patch::diff(before, after).0.into_iter();
    operations
        .filter_map(|operation| {
            use json_patch::PatchOperation as Op;
            let (op, path, value) = match operation {
                Op::Add(add) => ("add", add.path.to_string(), Some(add.value)),
                Op::Remove(remove) => ("remove", remove.path.to_string(), None),
                Op::Replace(replace) => ("replace", replace.path.to_string(), Some(replace.value)),
                // A difference is told in these three alone.
                Op::Move(_) | Op::Copy(_) | Op::Test(_) => return None,
            };
            let was = if op == "add" { None } else { before.pointer(&path).cloned() };
            Some(Difference { op: op.to_owned(), path, value, was })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_told_field_by_field() {
        let before = json!({ "name": "a", "labels": ["x"], "options": { "n": 1, "gone": true }, "same": 1 });
        let after = json!({ "name": "b", "labels": ["x", "y"], "options": { "n": 1 }, "same": 1 });
        let told = differences(&before, &after);
        let find = |path: &str| told.iter().find(|difference| difference.path == path).unwrap();
        assert_eq!(told.len(), 3, "{told:?}");
        assert_eq!((find("/name").op.as_str(), &find("/name").value, &find("/name").was), ("replace", &Some(json!("b")), &Some(json!("a"))));
        assert_eq!((find("/labels/1").op.as_str(), &find("/labels/1").was), ("add", &None));
        assert_eq!((find("/options/gone").op.as_str(), &find("/options/gone").was), ("remove", &Some(json!(true))));
        let mut patched = before;
        json_patch::patch(&mut patched, &serde_json::from_value::<json_patch::Patch>(serde_json::to_value(&told).unwrap()).unwrap()).unwrap();
        assert_eq!(patched, after, "it is a patch that a library applies");
    }
}

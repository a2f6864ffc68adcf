//! JSON Patch (RFC 6902) on the wire's own objects: the view is patched and read back as the whole object that a PUT takes.

use patchbay_model::{Code, Problem};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::request::Patch;

/// A patched object may be at most this large, so that copies of copies end.
const LARGEST: usize = 1 << 20;

/// What of an object may change, and what stands for a list that is left out because it is empty.
pub(crate) struct Writable {
    /// Members that may change; those of ours as `x_patchbay.NAME`.
    pub(crate) fields: &'static [&'static str],
    /// Lists among them, to which `add /list/-` must work when the view leaves them out.
    pub(crate) lists: &'static [&'static str],
}

/// Applies a patch to the view of an object.
///
/// # Errors
/// `invalid_patch`, pointing at the operation that cannot be applied or at the member that is read-only.
pub(crate) fn apply(view: &impl Serialize, patch: Patch, writable: &Writable) -> Result<Value, Problem> {
    let mut before = serde_json::to_value(view).map_err(|error| Problem::internal(format_args!("an object cannot be written: {error}")))?;
    if let Some(object) = before.as_object_mut() {
        for list in writable.lists {
            object.entry(*list).or_insert_with(|| Value::Array(Vec::new()));
        }
    }
    let operations: Vec<json_patch::PatchOperation> = serde_json::from_value(patch.0).map_err(|error| {
        let reason: String = error.to_string().chars().take(200).collect();
        Problem::new(Code::InvalidPatch, format!("The patch cannot be read: {reason}. Each operation needs `op` and `path`, and `value` or `from` as RFC 6902 says.")).at_body("")
    })?;
    let mut after = before.clone();
    for (index, operation) in operations.into_iter().enumerate() {
        let place = format!("/{index}");
        json_patch::patch(&mut after, &[operation]).map_err(|error| {
            let reason: String = error.kind.to_string().chars().take(200).collect();
            Problem::new(Code::InvalidPatch, format!("Operation {index} of the patch cannot be applied: {reason}. Read the object again and correct the path or value."))
                .at_body(&place)
        })?;
        if serde_json::to_vec(&after).map_or(usize::MAX, |text| text.len()) > LARGEST {
            return Err(Problem::new(Code::InvalidPatch, format!("Operation {index} of the patch makes the object too large.")).at_body(&place));
        }
    }
    match (before.as_object(), after.as_object()) {
        (Some(before), Some(now)) => read_only_untouched(before, now, writable)?,
        _ => return Err(Problem::new(Code::InvalidPatch, "The patch must leave an object.").at_body("")),
    }
    Ok(after)
}

/// The member with what is ours.
const OURS: &str = "x_patchbay";

fn read_only_untouched(before: &Map<String, Value>, after: &Map<String, Value>, writable: &Writable) -> Result<(), Problem> {
    let nothing = Map::new();
    let ours = |object: &Map<String, Value>| object.get(OURS).is_none_or(Value::is_object);
    for field in before.keys().chain(after.keys()) {
        if writable.fields.contains(&field.as_str()) || before.get(field) == after.get(field) {
            continue;
        }
        if field != OURS || !ours(after) {
            return Err(read_only(field, writable));
        }
        let parts = |object| Map::get(object, OURS).and_then(Value::as_object).unwrap_or(&nothing);
        let (before, after) = (parts(before), parts(after));
        for part in before.keys().chain(after.keys()) {
            if before.get(part) != after.get(part) && !writable.fields.contains(&format!("{OURS}.{part}").as_str()) {
                return Err(read_only(&format!("{OURS}/{part}"), writable));
            }
        }
    }
    Ok(())
}

fn read_only(field: &str, writable: &Writable) -> Problem {
    let shown: String = field.chars().take(80).collect();
    Problem::new(Code::InvalidPatch, format!("The field `{shown}` cannot be changed. A patch may change {}.", writable.fields.join(", "))).at_body(&format!("/{shown}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WRITABLE: Writable = Writable { fields: &["fullname", "labels"], lists: &["labels"] };

    fn patched(patch: Value) -> Result<Value, Problem> {
        apply(&json!({"id": "1", "fullname": "Acme"}), Patch(patch), &WRITABLE)
    }

    #[test]
    fn a_list_that_is_left_out_can_be_added_to() {
        let after = patched(json!([{"op": "add", "path": "/labels/-", "value": "gold"}, {"op": "replace", "path": "/fullname", "value": "X"}])).unwrap();
        assert_eq!(after, json!({"id": "1", "fullname": "X", "labels": ["gold"]}));
    }

    #[test]
    fn what_cannot_be_applied_is_refused_with_its_place() {
        for (patch, place) in [
            (json!([{"op": "replace", "path": "/id", "value": "2"}]), "/id"),
            (json!([{"op": "add", "path": "/colour", "value": "red"}]), "/colour"),
            (json!([{"op": "test", "path": "/fullname", "value": "Acme"}, {"op": "remove", "path": "/nothing"}]), "/1"),
            (json!([{"op": "test", "path": "/fullname", "value": "Other"}]), "/0"),
            (json!([{"op": "twist", "path": "/fullname"}]), ""),
            (json!([{"op": "replace", "path": "", "value": []}]), ""),
            (json!([7]), ""),
        ] {
            let problem = patched(patch.clone()).unwrap_err();
            assert_eq!((problem.code, problem.context.parameter.unwrap().id.as_str()), (Code::InvalidPatch, place), "{patch}");
        }
    }

    #[test]
    fn of_what_is_ours_only_the_writable_parts_change() {
        const OURS: Writable = Writable { fields: &["fullname", "x_patchbay.policy"], lists: &[] };
        let view = json!({"id": "1", "fullname": "Acme", "x_patchbay": {"policy": {"providers": {}}, "status": "active"}});
        let patched = |patch: Value| apply(&view, Patch(patch), &OURS);
        let after = patched(json!([{"op": "add", "path": "/x_patchbay/policy/providers/a_b", "value": {"scopes": ["c"]}}])).unwrap();
        assert_eq!(after["x_patchbay"], json!({"policy": {"providers": {"a_b": {"scopes": ["c"]}}}, "status": "active"}));
        for (patch, place) in [
            (json!([{"op": "replace", "path": "/x_patchbay/status", "value": "paused"}]), "/x_patchbay/status"),
            (json!([{"op": "add", "path": "/x_patchbay/colour", "value": "red"}]), "/x_patchbay/colour"),
            (json!([{"op": "remove", "path": "/x_patchbay"}]), "/x_patchbay/status"),
            (json!([{"op": "replace", "path": "/x_patchbay", "value": []}]), "/x_patchbay"),
        ] {
            let problem = patched(patch.clone()).unwrap_err();
            assert_eq!((problem.code, problem.context.parameter.unwrap().id.as_str()), (Code::InvalidPatch, place), "{patch}");
        }
    }

    #[test]
    fn copies_of_copies_end() {
        let mut operations = vec![json!({"op": "add", "path": "/labels", "value": ["x".repeat(1000)]})];
        operations.extend((0..30).map(|_| json!({"op": "copy", "from": "/labels", "path": "/labels/-"})));
        assert_eq!(patched(Value::Array(operations)).unwrap_err().code, Code::InvalidPatch);
    }
}

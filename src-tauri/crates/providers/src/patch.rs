//! JSON Patch (RFC 6902) on tickets: the patch is applied to the ticket as it is now, and the fields that differ are sent on.
//!
//! A field that a ticket does not have counts as null, and tags and custom fields as empty, so that `replace` of a field
//! that happens to be empty works.

use patchbay_model::connector::ticketing::{Ticket, TicketPatch};
use patchbay_model::{Code, Problem};
use serde_json::{Map, Value, json};

/// Fields that a patch can change at all, if the provider lets it.
const EDITABLE: &[&str] = &[
    "name",
    "summary",
    "creator",
    "assignee",
    "contact",
    "description",
    "priority",
    "due_date",
    "completion_date",
    "status",
    "project",
    "issue_type",
    "parent",
    "tags",
    "custom_fields",
];

/// Most operations in one patch.
const MAX_OPERATIONS: usize = 200;

/// A ticket after a patch.
pub(crate) struct Edited {
    /// As it shall be.
    pub(crate) ticket: Ticket,
    /// The fields that differ from what it was.
    pub(crate) fields: Vec<&'static str>,
}

impl Edited {
    /// Whether this field differs.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.fields.contains(&field)
    }
}

/// Applies a patch to a ticket. `editable` are the fields that this provider can change.
pub(crate) fn edit(provider: &str, before: &Ticket, operations: &[TicketPatch], editable: &[&str]) -> Result<Edited, Problem> {
    if operations.len() > MAX_OPERATIONS {
        return Err(Problem::new(Code::InvalidPatch, format!("The patch has more than {MAX_OPERATIONS} operations. Split it.")));
    }
    let mut old = serde_json::to_value(before).map_err(|_| Problem::internal("a ticket cannot be written as JSON"))?;
    if let Some(members) = old.as_object_mut() {
        for field in EDITABLE {
            let empty = match *field {
                "tags" => json!([]),
                "custom_fields" => json!({}),
                _ => Value::Null,
            };
            members.entry(*field).or_insert(empty);
        }
    }
    let mut new = old.clone();
    for (index, operation) in operations.iter().enumerate() {
        apply(&mut new, operation).map_err(|why| {
            let path: String = operation.path.chars().take(100).collect();
            Problem::new(
                Code::InvalidPatch,
                format!("Operation {index} of the patch (`{}` at `{path}`) cannot be applied: {why}", operation.op.chars().take(20).collect::<String>()),
            )
            .at_body(&format!("/{index}"))
        })?;
    }
    let (Some(was), Some(is)) = (old.as_object(), new.as_object_mut()) else {
        return Err(Problem::new(Code::InvalidPatch, "The patch replaces the ticket by something that is no object. Change single fields."));
    };
    // Removing a field is setting it to null.
    for key in was.keys() {
        is.entry(key.clone()).or_insert(Value::Null);
    }
    let mut fields = Vec::new();
    for (key, value) in is.iter() {
        if was.get(key) == Some(value) {
            continue;
        }
        match EDITABLE.iter().find(|field| *field == key) {
            Some(field) if editable.contains(field) => fields.push(*field),
            _ => {
                let key: String = key.chars().take(100).collect();
                return Err(Problem::new(Code::InvalidPatch, format!("{provider} cannot change `{key}` of a ticket. It can change: {}.", editable.join(", "))));
            }
        }
    }
    let ticket = serde_json::from_value(new).map_err(|error| Problem::new(Code::InvalidPatch, format!("After the patch this would not be a ticket: {error}.")))?;
    Ok(Edited { ticket, fields })
}

fn apply(document: &mut Value, operation: &TicketPatch) -> Result<(), String> {
    // A value that is null reads as absent, so absent means null; the engine has refused operations without the member.
    let value = || operation.value.clone().unwrap_or(Value::Null);
    let from = || operation.from.as_deref().ok_or_else(|| "it has no `from`.".to_owned());
    match operation.op.as_str() {
        "add" => add(document, &operation.path, value()),
        "replace" => {
            *find(document, &operation.path)? = value();
            Ok(())
        }
        "remove" => remove(document, &operation.path).map(|_| ()),
        "test" => {
            if *find(document, &operation.path)? == value() {
                Ok(())
            } else {
                Err("the value there is another one.".to_owned())
            }
        }
        "copy" => {
            let value = find(document, from()?)?.clone();
            add(document, &operation.path, value)
        }
        "move" => {
            let from = from()?;
            if operation.path.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
                return Err("a value cannot be moved into itself.".to_owned());
            }
            let value = remove(document, from)?;
            add(document, &operation.path, value)
        }
        _ => Err("the operation must be add, copy, move, remove, replace or test.".to_owned()),
    }
}

fn find<'a>(document: &'a mut Value, pointer: &str) -> Result<&'a mut Value, String> {
    document.pointer_mut(pointer).ok_or_else(|| "there is nothing at that path.".to_owned())
}

/// The parent's pointer and the last token, unescaped (RFC 6901 section 4).
fn split(pointer: &str) -> Result<(&str, String), String> {
    let (parent, last) = pointer.rsplit_once('/').ok_or_else(|| "the path must begin with `/`.".to_owned())?;
    Ok((parent, last.replace("~1", "/").replace("~0", "~")))
}

/// An index of an array: digits without leading zeros.
fn index(token: &str) -> Option<usize> {
    (token == "0" || (!token.starts_with('0') && token.bytes().all(|b| b.is_ascii_digit()))).then(|| token.parse().ok()).flatten()
}

fn add(document: &mut Value, pointer: &str, value: Value) -> Result<(), String> {
    if pointer.is_empty() {
        *document = value;
        return Ok(());
    }
    let (parent, token) = split(pointer)?;
    match find(document, parent)? {
        Value::Object(members) => {
            members.insert(token, value);
            Ok(())
        }
        Value::Array(list) if token == "-" => {
            list.push(value);
            Ok(())
        }
        Value::Array(list) => match index(&token) {
            Some(at) if at <= list.len() => {
                list.insert(at, value);
                Ok(())
            }
            _ => Err("the index is outside the list.".to_owned()),
        },
        _ => Err("there is no object or list to add to.".to_owned()),
    }
}

fn remove(document: &mut Value, pointer: &str) -> Result<Value, String> {
    if pointer.is_empty() {
        return Ok(std::mem::replace(document, Value::Object(Map::new())));
    }
    let (parent, token) = split(pointer)?;
    match find(document, parent)? {
        Value::Object(members) => members.shift_remove(&token).ok_or_else(|| "there is nothing at that path.".to_owned()),
        Value::Array(list) => match index(&token) {
            Some(at) if at < list.len() => Ok(list.remove(at)),
            _ => Err("the index is outside the list.".to_owned()),
        },
        _ => Err("there is nothing at that path.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchbay_model::connector::ticketing::Priority;

    fn operations(patch: Value) -> Vec<TicketPatch> {
        serde_json::from_value(patch).unwrap()
    }

    fn ticket() -> Ticket {
        Ticket { id: "1".into(), name: "T-1".into(), summary: "Broken".into(), status: Some("To Do".into()), tags: Some(vec!["a".into(), "b".into()]), ..Ticket::default() }
    }

    #[test]
    fn only_the_fields_that_differ_are_named() {
        let patch = operations(json!([
            { "op": "test", "path": "/status", "value": "To Do" },
            { "op": "replace", "path": "/status", "value": "Done" },
            { "op": "replace", "path": "/summary", "value": "Broken" },
            { "op": "replace", "path": "/priority", "value": "HIGH" },
            { "op": "add", "path": "/tags/-", "value": "c" },
            { "op": "remove", "path": "/tags/0" },
            { "op": "add", "path": "/custom_fields/a~1b", "value": 1 },
            { "op": "copy", "from": "/summary", "path": "/description" },
        ]));
        let edited = edit("X", &ticket(), &patch, EDITABLE).unwrap();
        assert_eq!(edited.ticket.status.as_deref(), Some("Done"));
        assert_eq!(edited.ticket.priority, Some(Priority::High));
        assert_eq!(edited.ticket.tags.as_deref(), Some(&["b".to_owned(), "c".to_owned()][..]));
        assert_eq!(edited.ticket.custom_fields.as_ref().unwrap()["a/b"], 1);
        let mut fields = edited.fields.clone();
        fields.sort_unstable();
        assert_eq!(fields, ["custom_fields", "description", "priority", "status", "tags"]);
    }

    #[test]
    fn what_cannot_be_applied_is_refused_with_its_place() {
        for (patch, index) in [
            (json!([{ "op": "test", "path": "/status", "value": "Done" }]), 0),
            (json!([{ "op": "add", "path": "/assignee", "value": "x" }, { "op": "remove", "path": "/tags/7" }]), 1),
            (json!([{ "op": "replace", "path": "/nothing/here", "value": 1 }]), 0),
            (json!([{ "op": "frob", "path": "/status" }]), 0),
            (json!([{ "op": "add", "path": "/tags/01", "value": "x" }]), 0),
            (json!([{ "op": "move", "from": "/tags", "path": "/tags/0" }]), 0),
            (json!([{ "op": "add", "path": "status", "value": "x" }]), 0),
        ] {
            let problem = edit("X", &ticket(), &operations(patch.clone()), EDITABLE).err().unwrap();
            assert_eq!(problem.code, Code::InvalidPatch, "{patch}");
            assert_eq!(problem.context.parameter.unwrap().id, format!("/{index}"), "{patch}");
        }
        for patch in [
            json!([{ "op": "replace", "path": "/id", "value": "2" }]),
            json!([{ "op": "add", "path": "/frob", "value": "2" }]),
            json!([{ "op": "replace", "path": "/priority", "value": "VERY" }]),
            json!([{ "op": "replace", "path": "/summary", "value": null }]),
            json!([{ "op": "replace", "path": "", "value": 5 }]),
            json!([{ "op": "replace", "path": "/status", "value": { "a": 1 } }]),
        ] {
            assert_eq!(edit("X", &ticket(), &operations(patch.clone()), EDITABLE).err().unwrap().code, Code::InvalidPatch, "{patch}");
        }
    }

    #[test]
    fn a_field_that_the_provider_cannot_change_is_refused() {
        let problem = edit("Redmine", &ticket(), &operations(json!([{ "op": "replace", "path": "/contact", "value": "x" }])), &["status"]).err().unwrap();
        assert!(problem.message.contains("`contact`") && problem.message.contains("status"), "{}", problem.message);
    }
}

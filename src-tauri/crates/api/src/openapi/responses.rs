//! Responses: the answer of an operation, and the Problems that it can give instead.

use std::collections::BTreeMap;

use patchbay_model::Code;
use serde_json::{Map, Value, json};

/// What an operation answers when all is well.
pub enum Answered {
    /// A JSON document of this schema.
    Json(Value),
    /// A page of a list.
    Page(Value),
    /// Nothing, and the handle by which it can be undone.
    Deleted,
    /// Nothing.
    Nothing,
    /// A file of one of these media types.
    File(&'static [&'static str]),
}

impl Answered {
    pub(super) fn response(self) -> Value {
        match self {
            Self::Json(schema) => with_headers("Done.", Some(("application/json", schema)), &[]),
            Self::Page(schema) => with_headers("A page of rows.", Some(("application/json", schema)), &["X-Next-Start-After"]),
            Self::Deleted => with_headers("Deleted; it can be brought back for a while.", None, &["X-Patchbay-Deletion"]),
            Self::Nothing => with_headers("Done; there is nothing to say.", None, &[]),
            Self::File(types) => {
                let mut response = with_headers("The file.", None, &[]);
                response["content"] = types.iter().map(|kind| ((*kind).to_owned(), json!({ "schema": { "type": "string" } }))).collect::<Map<_, _>>().into();
                response
            }
        }
    }
}

fn with_headers(description: &str, content: Option<(&str, Value)>, more: &[&str]) -> Value {
    let headers: Map<String, Value> = ["X-Request-Id"].iter().chain(more).map(|name| ((*name).to_owned(), header(name))).collect();
    let mut response = json!({ "description": description, "headers": headers });
    if let Some((kind, schema)) = content {
        response["content"] = json!({ kind: { "schema": schema } });
    }
    response
}

fn header(name: &str) -> Value {
    let (description, required, schema) = match name {
        "X-Request-Id" => ("Id of this request; the log has it too.", true, json!({ "type": "string", "format": "uuid" })),
        "X-Next-Start-After" => (
            "`start_after` of the next page: the sort key and the id of the last row, so that rows with equal keys are never skipped. Absent at the end.",
            false,
            json!({ "type": "string", "minLength": 1 }),
        ),
        "X-Patchbay-Deletion" => ("Id of the deletion, for `deletions.undo`.", true, json!({ "type": "string", "format": "uuid" })),
        "Retry-After" => ("Seconds after which trying again makes sense (RFC 9110 section 10.2.3).", false, json!({ "type": "integer", "minimum": 0 })),
        "WWW-Authenticate" => {
            ("How to authenticate (RFC 6750 section 3). Absent where a name and a password were wrong.", false, json!({ "type": "string", "pattern": "^Bearer " }))
        }
        _ => ("", false, json!({})),
    };
    json!({ "description": description, "required": required, "schema": schema })
}

/// A reference to the response of a status.
pub(super) fn problem(status: u16) -> Value {
    json!({ "$ref": format!("#/components/responses/{}", name(status)) })
}

fn name(status: u16) -> String {
    format!("Problem{status}")
}

/// Every response that is a Problem, by name, each with the codes that its status can have.
pub(super) fn problems() -> Value {
    let mut codes: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in Code::ALL {
        codes.entry(code.status()).or_default().push(*code);
    }
    let responses = codes.into_iter().map(|(status, codes)| {
        let titles: Vec<&str> = codes.iter().map(|code| code.title()).collect();
        let mut more = Vec::new();
        if status == 401 {
            more.push("WWW-Authenticate");
        }
        if matches!(status, 429 | 503) {
            more.push("Retry-After");
        }
        let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
        let schema = json!({
            "allOf": [
                { "$ref": "#/components/schemas/Problem" },
                { "type": "object", "properties": { "status": { "const": status }, "code": { "enum": words } } },
            ],
        });
        (name(status), with_headers(&format!("{}.", titles.join("; ")), Some(("application/problem+json", schema)), &more))
    });
    Value::Object(responses.collect())
}

//! Jira's issues as unified tickets, and custom fields by the integration's mappings.

use patchbay_model::Problem;
use patchbay_model::connector::ticketing::{AttachmentMetadata, Priority, Ticket};
use serde_json::{Map, Value, json};
use url::Url;

use super::{adf, path};
use crate::priority::{self, Names};
use crate::reading::{at, day, rows, scalar, text, time, unmapped};
use crate::step::AdapterContext;

/// Jira's priorities as installed (Highest to Lowest), those of older sites (Blocker to Trivial), and the unified words.
pub(super) const PRIORITIES: Names = &[
    (Priority::Urgent, &["urgent", "highest", "blocker"]),
    (Priority::Critical, &["critical", "highest", "blocker"]),
    (Priority::High, &["high", "major"]),
    (Priority::Medium, &["medium", "normal"]),
    (Priority::Moderate, &["moderate", "medium", "normal"]),
    (Priority::Low, &["low", "minor"]),
    (Priority::Planning, &["planning", "lowest", "trivial"]),
];

/// Fields that a ticket is made of.
const FIELDS: &[&str] = &[
    "summary",
    "status",
    "issuetype",
    "project",
    "priority",
    "assignee",
    "reporter",
    "description",
    "labels",
    "duedate",
    "resolutiondate",
    "parent",
    "created",
    "updated",
    "attachment",
    "resolution",
    "components",
    "fixVersions",
];

/// A custom field that the integration maps.
pub(super) struct Mapping<'a> {
    /// Name in `custom_fields`.
    pub(super) name: &'a str,
    /// In which project, `*` for all.
    project: &'a str,
    /// Id of the field, and where in it the value is.
    pub(super) path: Vec<&'a str>,
}

impl Mapping<'_> {
    /// Whether it holds in a project, given its id and key.
    fn covers(&self, id: Option<&str>, key: Option<&str>) -> bool {
        self.project == "*" || Some(self.project) == id || Some(self.project) == key
    }
}

/// The mappings of an integration. A path is `$.fields.customfield_10042.value`, with or without its beginning, or written with
/// slashes.
pub(super) fn mappings(context: &AdapterContext) -> Vec<Mapping<'_>> {
    let list = context.config.get("custom_field_mappings").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .filter_map(|mapping| {
            let member = |name| mapping.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            let mut path: Vec<&str> = member("provider_field_path")?.split(['.', '/', '[', ']']).filter(|part| !part.is_empty()).collect();
            if path.first() == Some(&"$") {
                path.remove(0);
            }
            if path.first() == Some(&"fields") {
                path.remove(0);
            }
            (!path.is_empty()).then_some(())?;
            Some(Mapping { name: member("name")?, project: member("project_id")?, path })
        })
        .collect()
}

/// The fields to ask for: those of a ticket, and mapped ones.
pub(super) fn fields(context: &AdapterContext) -> Vec<String> {
    let mut fields: Vec<String> = FIELDS.iter().map(|&field| field.to_owned()).collect();
    for mapping in mappings(context) {
        if let Some(&id) = mapping.path.first()
            && !fields.iter().any(|known| known == id)
        {
            fields.push(id.to_owned());
        }
    }
    fields
}

/// The address of an issue with these fields.
pub(super) fn address(context: &AdapterContext, id: &str) -> Result<Url, Problem> {
    let mut url = path(context, &["issue", id])?;
    url.query_pairs_mut().append_pair("fields", &fields(context).join(","));
    Ok(url)
}

/// A ticket. Everything may be missing; what is there is taken.
pub(super) fn ticket(context: &AdapterContext, issue: &Value) -> Ticket {
    let id = text(issue, "id").unwrap_or_default();
    let key = text(issue, "key");
    let fields = at(issue, &["fields"]);
    let project = at(fields, &["project"]);
    let (project_id, project_key) = (text(project, "id"), text(project, "key"));
    let custom_fields: Map<String, Value> = mappings(context)
        .iter()
        .filter(|mapping| mapping.covers(project_id.as_deref(), project_key.as_deref()))
        .filter_map(|mapping| Some((mapping.name.to_owned(), custom_value(fields, &mapping.path)?)))
        .collect();
    let mut extra = unmapped(fields, &["resolution", "components", "fixVersions"]).unwrap_or_default();
    // Names are shown in the unified fields; the ids that filters and writes take stand here.
    for (name, value) in [
        ("creator_id", text(at(fields, &["reporter"]), "accountId")),
        ("assignee_id", text(at(fields, &["assignee"]), "accountId")),
        ("priority_name", text(at(fields, &["priority"]), "name")),
        ("project_id", project_id.clone()),
        ("status_category", text(at(fields, &["status", "statusCategory"]), "key")),
    ] {
        if let Some(value) = value {
            extra.insert(name.to_owned(), value.into());
        }
    }
    let labels: Vec<String> = rows(fields, "labels").iter().filter_map(scalar).collect();
    let description = adf::text(at(fields, &["description"]));
    Ticket {
        name: key.unwrap_or_else(|| id.clone()),
        summary: text(fields, "summary").unwrap_or_default(),
        creator: user(at(fields, &["reporter"])),
        assignee: user(at(fields, &["assignee"])),
        contact: None,
        description: (!description.is_empty()).then_some(description),
        priority: text(at(fields, &["priority"]), "name").and_then(|name| priority::read(PRIORITIES, &name)),
        due_date: day(fields, "duedate"),
        completion_date: time(fields, "resolutiondate"),
        status: text(at(fields, &["status"]), "name"),
        project: project_key.or(project_id),
        issue_type: text(at(fields, &["issuetype"]), "name"),
        parent: text(at(fields, &["parent"]), "id").or_else(|| text(at(fields, &["parent"]), "key")),
        tags: fields.get("labels").is_some_and(Value::is_array).then_some(labels),
        attachments: fields.get("attachment").is_some_and(Value::is_array).then(|| attachments(&id, rows(fields, "attachment"))),
        custom_fields: (!custom_fields.is_empty()).then_some(custom_fields),
        unmapped: (!extra.is_empty()).then_some(extra),
        created_at: time(fields, "created"),
        updated_at: time(fields, "updated"),
        id,
    }
}

/// A user's name; of those who hide it, the id.
pub(super) fn user(user: &Value) -> Option<String> {
    text(user, "displayName").or_else(|| text(user, "accountId"))
}

/// The value of a mapped field: documents as text, choices as their value.
fn custom_value(fields: &Value, path: &[&str]) -> Option<Value> {
    let value = path.iter().try_fold(fields, |value, part| match value {
        Value::Array(list) => list.get(part.parse::<usize>().ok()?),
        value => value.get(*part),
    })?;
    let plain = |value: &Value| match value {
        Value::Object(members) if members.get("type").and_then(Value::as_str) == Some("doc") => adf::text(value).into(),
        Value::Object(_) => ["value", "displayName", "name"].iter().find_map(|key| value.get(*key).filter(|part| part.is_string()).cloned()).unwrap_or_else(|| value.clone()),
        value => value.clone(),
    };
    match value {
        Value::Null => None,
        Value::Array(list) => Some(list.iter().map(plain).collect()),
        value => Some(plain(value)),
    }
}

/// Attachments of an issue.
pub(super) fn attachments(ticket_id: &str, list: &[Value]) -> Vec<AttachmentMetadata> {
    list.iter()
        .filter_map(|attachment| {
            let file_name = text(attachment, "filename").unwrap_or_default();
            Some(AttachmentMetadata {
                id: text(attachment, "id")?,
                ticket_id: ticket_id.to_owned(),
                file_type: text(attachment, "mimeType").unwrap_or_else(|| crate::attachment::media_type(&file_name).to_owned()),
                file_name,
                file_size: attachment.get("size").and_then(Value::as_u64),
                created_date: time(attachment, "created"),
                creator: user(at(attachment, &["author"])).unwrap_or_default(),
            })
        })
        .collect()
}

/// A value as Jira takes it at the end of a path: `value` of `customfield_1.value` becomes `{"value": ...}`.
pub(super) fn nest(rest: &[&str], value: Value) -> Value {
    rest.iter().rev().fold(value, |value, part| if part.bytes().all(|b| b.is_ascii_digit()) { json!([value]) } else { json!({ (*part): value }) })
}

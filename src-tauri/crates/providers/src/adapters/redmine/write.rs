//! Making and changing Redmine's issues.

use patchbay_model::connector::ticketing::{CreateTicket, Ticket, TicketPatch, TicketingAnswer};
use patchbay_model::{Code, Problem, Timestamp};
use serde_json::{Map, Value, json};

use super::lookup::{self, Kind, Named};
use super::{NAME, Next, issue, perform, with_issue};
use crate::adapters::{endpoint, left_out};
use crate::exchange::{Method, ProviderRequest};
use crate::patch::{self, Edited};
use crate::priority;
use crate::reading::{self, at, cut, invalid, rows, text};
use crate::refusal::refused;
use crate::step::{AdapterContext, Step};

/// Fields that a patch can change.
const EDITABLE: &[&str] = &["summary", "description", "status", "priority", "assignee", "due_date", "project", "issue_type", "parent", "custom_fields"];

/// What is to be written, in unified words. Fields that are none are left alone; an inner none empties the field.
#[derive(Default)]
struct Wanted {
    project: Option<String>,
    issue_type: Option<String>,
    status: Option<String>,
    priority: Option<Option<patchbay_model::connector::ticketing::Priority>>,
    assignee: Option<Option<String>>,
    custom_fields: Option<Map<String, Value>>,
    /// Custom fields that the issue shows already.
    shown: Vec<Named>,
    /// The rest, in Redmine's names.
    plain: Map<String, Value>,
}

fn day(at: Timestamp) -> String {
    at.utc().format("%Y-%m-%d").to_string()
}

/// A project's id or identifier as it may stand in a path.
fn project(wanted: &str, pointer: &str) -> Result<String, Problem> {
    let good = !wanted.is_empty() && wanted.len() <= 100 && wanted.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    if good {
        Ok(wanted.to_owned())
    } else {
        Err(Problem::field(pointer, format!("`{}` is no id or identifier of a project in Redmine. Take one from list_projects.", cut(wanted, 100))))
    }
}

/// Makes an issue.
pub(super) fn create(context: AdapterContext, new: CreateTicket) -> Next {
    let configured = |key: &str| context.config.get(key).and_then(Value::as_str).filter(|value| !value.is_empty()).map(str::to_owned);
    let summary = [new.summary, new.name].into_iter().flatten().find(|text| !text.trim().is_empty());
    let summary = summary.ok_or_else(|| Problem::field("/name", "A ticket needs a name. Give `name`, or `summary` to serve as both."))?;
    if summary.chars().count() > 255 {
        return Err(Problem::field("/summary", "Redmine takes summaries of at most 255 characters. Shorten it."));
    }
    let wanted_project = new.project.or_else(|| configured("default_project"));
    let project =
        project(&wanted_project.ok_or_else(|| Problem::field("/project", "The ticket names no project, and the integration has no default project. Give one."))?, "/project")?;
    let mut plain = Map::new();
    plain.insert("project_id".to_owned(), project.clone().into());
    plain.insert("subject".to_owned(), summary.into());
    if let Some(description) = new.description {
        plain.insert("description".to_owned(), description.into());
    }
    if let Some(due) = new.due_date {
        plain.insert("due_date".to_owned(), day(due).into());
    }
    if let Some(parent) = new.parent {
        plain.insert("parent_issue_id".to_owned(), parent.into());
    }
    // What Redmine has no place for is named beside the answer rather than dropped in silence.
    let dropped: Vec<&str> = [
        ("creator", new.creator.is_some()),
        ("contact", new.contact.is_some()),
        ("completion_date", new.completion_date.is_some()),
        ("tags", new.tags.is_some_and(|tags| !tags.is_empty())),
    ]
    .into_iter()
    .filter_map(|(field, given)| given.then_some(field))
    .collect();
    let wanted = Wanted {
        project: Some(project),
        issue_type: new.issue_type.or_else(|| configured("default_issue_type")),
        status: new.status,
        priority: new.priority.map(Some),
        assignee: new.assignee.map(Some),
        custom_fields: new.custom_fields.filter(|fields| !fields.is_empty()),
        shown: Vec::new(),
        plain,
    };
    resolve(context, wanted, move |context, fields| {
        let url = endpoint(&context, &["issues.json"])?;
        let request = ProviderRequest::new(Method::Post, url).json(json!({ "issue": fields }));
        Ok(Step::send(request, move |response| {
            if !response.ok() {
                return Err(refused(NAME, &response, "new ticket", ""));
            }
            let answer = reading::json(NAME, &response)?;
            let made = issue::ticket(answer.get("issue").filter(|issue| issue.get("id").is_some()).ok_or_else(|| invalid(NAME, "has no issue"))?);
            let notices: Vec<Problem> = dropped.iter().map(|field| left_out(NAME, field)).chain(not_taken(&fields, &answer)).collect();
            Ok(Step::Done(TicketingAnswer::Ticket(Box::new(made))).noting(notices))
        }))
    })
}

/// Fields that Redmine dropped without a word, as it does with those that the user may not set.
fn not_taken(fields: &Map<String, Value>, answer: &Value) -> Vec<Problem> {
    let made = at(answer, &["issue"]);
    let same = |sent: &str, object: &str| match fields.get(sent).and_then(reading::scalar) {
        Some(sent) if sent != "me" => text(at(made, &[object]), "id").as_deref() == Some(sent.as_str()),
        _ => true,
    };
    [
        ("status", same("status_id", "status")),
        ("priority", same("priority_id", "priority")),
        ("assignee", same("assigned_to_id", "assigned_to")),
        ("issue_type", same("tracker_id", "tracker")),
        ("parent", same("parent_issue_id", "parent")),
    ]
    .into_iter()
    .filter(|(_, same)| !same)
    .map(|(field, _)| {
        Problem::new(Code::ProviderRefused, format!("Redmine did not take over `{field}`: its workflow or the user's permissions do not allow that value."))
            .at_body(&format!("/{field}"))
    })
    .collect()
}

/// Changes an issue by the difference that a patch makes.
pub(super) fn patch(context: AdapterContext, id: &str, operations: Vec<TicketPatch>) -> Next {
    with_issue(&context.clone(), id, "attachments,allowed_statuses", move |before| {
        let ticket = issue::ticket(&before);
        let edited = patch::edit(NAME, &ticket, &operations, EDITABLE)?;
        if edited.fields.is_empty() {
            return Ok(Step::Done(TicketingAnswer::Ticket(Box::new(ticket))));
        }
        check_status(&before, &edited)?;
        let wanted = Wanted { shown: lookup::fields_of(&before), ..wanted(&ticket, &edited)? };
        resolve(context, wanted, move |context, fields| {
            let url = endpoint(&context, &["issues", &format!("{}.json", ticket.id)])?;
            let request = ProviderRequest::new(Method::Put, url).json(json!({ "issue": fields }));
            perform(request, "ticket", ticket.id.clone(), move || {
                with_issue(&context, &ticket.id, "attachments", move |after| {
                    let answer = json!({ "issue": after });
                    let notices = not_taken(&fields, &answer);
                    Ok(Step::Done(TicketingAnswer::Ticket(Box::new(issue::ticket(at(&answer, &["issue"]))))).noting(notices))
                })
            })
        })
    })
}

/// Refuses a status that the workflow does not lead to, where Redmine lists those (5.0 and later); it would ignore the change.
fn check_status(before: &Value, edited: &Edited) -> Result<(), Problem> {
    let (true, Some(wanted), true) = (edited.has("status"), edited.ticket.status.as_deref(), before.get("allowed_statuses").is_some_and(Value::is_array)) else {
        return Ok(());
    };
    let allowed: Vec<String> = rows(before, "allowed_statuses").iter().filter_map(|status| text(status, "name")).collect();
    if allowed.iter().any(|name| name.to_lowercase() == wanted.trim().to_lowercase()) {
        return Ok(());
    }
    let allowed = reading::listed(allowed);
    Err(Problem::field("/status", format!("Redmine's workflow does not lead this ticket to the status `{}`. It can become: {allowed}.", cut(wanted, 100))))
}

fn wanted(before: &Ticket, edited: &Edited) -> Result<Wanted, Problem> {
    let ticket = &edited.ticket;
    let mut plain = Map::new();
    for &field in &edited.fields {
        let (name, value) = match field {
            "summary" => ("subject", ticket.summary.clone()),
            "description" => ("description", ticket.description.clone().unwrap_or_default()),
            "due_date" => ("due_date", ticket.due_date.map(day).unwrap_or_default()),
            "parent" => ("parent_issue_id", ticket.parent.clone().unwrap_or_default()),
            "project" => ("project_id", project(ticket.project.as_deref().unwrap_or_default(), "/project")?),
            _ => continue,
        };
        plain.insert(name.to_owned(), value.into());
    }
    let required = |field: &str, value: &Option<String>| match (edited.has(field), value) {
        (false, _) => Ok(None),
        (true, Some(value)) => Ok(Some(value.clone())),
        (true, None) => Err(Problem::field(&format!("/{field}"), format!("A ticket in Redmine always has a {field}. Give another one instead of removing it."))),
    };
    let custom_fields = edited.has("custom_fields").then(|| {
        let (old, new) = (before.custom_fields.clone().unwrap_or_default(), ticket.custom_fields.clone().unwrap_or_default());
        let mut changed: Map<String, Value> = new.iter().filter(|(name, value)| old.get(*name) != Some(value)).map(|(name, value)| (name.clone(), value.clone())).collect();
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            changed.insert(name.clone(), Value::Null);
        }
        changed
    });
    Ok(Wanted {
        project: ticket.project.clone(),
        issue_type: required("issue_type", &ticket.issue_type)?,
        status: required("status", &ticket.status)?,
        priority: edited.has("priority").then_some(ticket.priority),
        assignee: edited.has("assignee").then(|| ticket.assignee.clone()),
        custom_fields,
        shown: Vec::new(),
        plain,
    })
}

/// Turns names into ids, one lookup after the other, and gives the fields as Redmine takes them.
fn resolve(context: AdapterContext, wanted: Wanted, then: impl FnOnce(AdapterContext, Map<String, Value>) -> Next + Send + 'static) -> Next {
    let Wanted { project, issue_type, status, priority, assignee, custom_fields, shown, plain: mut fields } = wanted;
    let project = project.unwrap_or_default();
    lookup::load_if(issue_type.is_some(), &context.clone(), Kind::Tracker, move |trackers| {
        if let Some(name) = issue_type {
            fields.insert("tracker_id".to_owned(), lookup::resolve(Kind::Tracker, &trackers, &name, "/issue_type")?.id.clone().into());
        }
        lookup::load_if(status.is_some(), &context.clone(), Kind::Status, move |statuses| {
            if let Some(name) = status {
                fields.insert("status_id".to_owned(), lookup::resolve(Kind::Status, &statuses, &name, "/status")?.id.clone().into());
            }
            lookup::load_if(priority.is_some(), &context.clone(), Kind::Priority, move |priorities| {
                match priority {
                    None => {}
                    Some(None) => return Err(Problem::field("/priority", "A ticket in Redmine always has a priority. Give another one instead of removing it.")),
                    Some(Some(priority)) => {
                        let entry = priority::choose(issue::PRIORITIES, priority, &priorities, |entry| entry.name.as_str()).ok_or_else(|| {
                            Problem::field(
                                "/priority",
                                format!("This Redmine has no priority that stands for {}. It has: {}.", priority::word(priority), lookup::names(&priorities)),
                            )
                        })?;
                        fields.insert("priority_id".to_owned(), entry.id.clone().into());
                    }
                }
                with_custom_fields(&context.clone(), project.clone(), custom_fields, shown, fields, move |mut fields| match assignee {
                    None => then(context, fields),
                    Some(None) => {
                        fields.insert("assigned_to_id".to_owned(), "".into());
                        then(context, fields)
                    }
                    Some(Some(name)) => lookup::assignee(&context.clone(), &project, name, move |id| {
                        fields.insert("assigned_to_id".to_owned(), id.into());
                        then(context, fields)
                    }),
                })
            })
        })
    })
}

/// Adds custom fields, which go by id. They are asked for only where the issue itself does not show them all.
fn with_custom_fields(
    context: &AdapterContext,
    project: String,
    wanted: Option<Map<String, Value>>,
    shown: Vec<Named>,
    mut fields: Map<String, Value>,
    then: impl FnOnce(Map<String, Value>) -> Next + Send + 'static,
) -> Next {
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
        return then(fields);
    };
    let all_shown = wanted.keys().all(|name| find_field(&shown, name).is_some());
    let go_on = move |known: Vec<Named>| {
        let mut values = Vec::new();
        for (name, value) in wanted {
            let field = find_field(&known, &name).ok_or_else(|| {
                Problem::field("/custom_fields", format!("Tickets of this project have no custom field `{}`. They have: {}.", cut(&name, 100), lookup::names(&known)))
            })?;
            let value = match value {
                Value::Null => "".into(),
                Value::Bool(yes) => if yes { "1" } else { "0" }.into(),
                Value::Number(number) => number.to_string().into(),
                value @ (Value::String(_) | Value::Array(_)) => value,
                Value::Object(_) => return Err(Problem::field("/custom_fields", format!("The custom field `{}` takes a text, a number or a list, no object.", cut(&name, 100)))),
            };
            values.push(json!({ "id": field.id, "value": value }));
        }
        fields.insert("custom_fields".to_owned(), values.into());
        then(fields)
    };
    if all_shown { go_on(shown) } else { lookup::custom_fields(context, project, shown, go_on) }
}

/// A custom field by its name, its id, or its id as list_remote_fields gives it (`cf_1`).
fn find_field<'a>(known: &'a [Named], name: &str) -> Option<&'a Named> {
    lookup::find(known, name).or_else(|| lookup::find(known, name.strip_prefix("cf_")?))
}

//! Making and changing Jira's issues.

use patchbay_model::connector::ticketing::{CreateTicket, Priority, Ticket, TicketPatch, TicketingAnswer};
use patchbay_model::{Code, Problem, Timestamp};
use serde_json::{Map, Value, json};

use super::{NAME, Next, adf, get, is_issue, issue, issue_id, jql, path, user};
use crate::adapters::{ask, left_out, perform};
use crate::exchange::{Method, ProviderRequest};
use crate::patch::{self, Edited};
use crate::reading::{self, MAX_ROWS, at, cut, invalid, listed, rows, scalar, text};
use crate::step::{AdapterContext, Step};

/// Fields that a patch can change.
const EDITABLE: &[&str] = &["summary", "description", "status", "priority", "creator", "assignee", "due_date", "issue_type", "parent", "tags", "custom_fields"];

/// What is to be written, beside what needs no lookup. An inner none empties the field.
#[derive(Default)]
struct Wanted {
    priority: Option<Option<Priority>>,
    assignee: Option<Option<String>>,
    reporter: Option<String>,
    custom_fields: Map<String, Value>,
    /// The rest, as Jira takes it.
    fields: Map<String, Value>,
}

fn day(at: Timestamp) -> Value {
    at.utc().format("%Y-%m-%d").to_string().into()
}

/// A reference by id where it is a number, by another member otherwise.
fn reference(wanted: &str, otherwise: &str) -> Value {
    if !wanted.is_empty() && wanted.bytes().all(|b| b.is_ascii_digit()) { json!({ "id": wanted }) } else { json!({ (otherwise): wanted }) }
}

fn parent(wanted: &str) -> Result<Value, Problem> {
    if is_issue(wanted) { Ok(reference(wanted, "key")) } else { Err(Problem::field("/parent", format!("`{}` is no id or key of a ticket in Jira. Correct it.", cut(wanted, 100)))) }
}

/// Makes an issue, then leads it to the wanted status, then reads it.
pub(super) fn create(context: AdapterContext, new: CreateTicket) -> Next {
    let configured = |key: &str| context.config.get(key).and_then(Value::as_str).filter(|value| !value.is_empty()).map(str::to_owned);
    let summary = [new.summary, new.name].into_iter().flatten().find(|text| !text.trim().is_empty());
    let summary = summary.ok_or_else(|| Problem::field("/name", "A ticket needs a name. Give `name`, or `summary` to serve as both."))?;
    if summary.chars().count() > 255 || summary.contains(['\n', '\r']) {
        return Err(Problem::field("/summary", "Jira takes summaries of one line and at most 255 characters. Shorten it."));
    }
    let project = new
        .project
        .or_else(|| configured("default_project"))
        .ok_or_else(|| Problem::field("/project", "The ticket names no project, and the integration has no default project. Give one."))?;
    let issue_type = new.issue_type.or_else(|| configured("default_issue_type")).unwrap_or_else(|| "Task".to_owned());
    let mut fields = Map::new();
    fields.insert("project".to_owned(), reference(&project, "key"));
    fields.insert("issuetype".to_owned(), reference(&issue_type, "name"));
    fields.insert("summary".to_owned(), summary.clone().into());
    if let Some(description) = new.description.filter(|text| !text.is_empty()) {
        fields.insert("description".to_owned(), adf::document(&description));
    }
    if let Some(due) = new.due_date {
        fields.insert("duedate".to_owned(), day(due));
    }
    if let Some(tags) = new.tags.filter(|tags| !tags.is_empty()) {
        fields.insert("labels".to_owned(), tags.into());
    }
    if let Some(wanted) = &new.parent {
        fields.insert("parent".to_owned(), parent(wanted)?);
    }
    let mut notices: Vec<Problem> = Vec::new();
    notices.extend(new.contact.is_some().then(|| left_out(NAME, "contact")));
    notices.extend(new.completion_date.is_some().then(|| left_out(NAME, "completion_date")));
    let wanted = Wanted {
        priority: new.priority.map(Some),
        assignee: new.assignee.map(Some),
        reporter: new.creator,
        custom_fields: mapped(&context, new.custom_fields.unwrap_or_default())?,
        fields,
    };
    let status = new.status;
    resolve(context, wanted, move |context, fields| {
        let request = ProviderRequest::new(Method::Post, path(&context, &["issue"])?).json(json!({ "fields": fields }));
        ask(NAME, request, "new ticket", String::new(), move |answer| {
            let id = text(&answer, "id").or_else(|| text(&answer, "key")).filter(|id| is_issue(id)).ok_or_else(|| invalid(NAME, "has no id of the new ticket"))?;
            let made = Made { ticket: Ticket { name: text(&answer, "key").unwrap_or_else(|| id.clone()), id, summary, project: Some(project), ..Ticket::default() }, notices };
            match status {
                Some(status) => made.lead(context, status),
                None => made.read(context),
            }
        })
    })
}

/// An issue that exists. From here on nothing is a failure any more, or the caller would make it again: what goes wrong is told
/// beside the answer.
struct Made {
    ticket: Ticket,
    notices: Vec<Problem>,
}

impl Made {
    /// Leads it to a status, if it is not there and a transition goes there.
    fn lead(mut self, context: AdapterContext, status: String) -> Next {
        let url = path(&context, &["issue", &self.ticket.id, "transitions"])?;
        Ok(Step::send(ProviderRequest::new(Method::Get, url), move |response| {
            let answer = if response.ok() { reading::json(NAME, &response).ok() } else { None };
            let Some(transition) = answer.as_ref().and_then(|answer| transition(answer, &status)) else {
                // It may have been made in that status; reading it will tell.
                return self.read_expecting(context, Some(status));
            };
            let request = transit(&context, &self.ticket.id, &transition)?;
            Ok(Step::send(request, move |response| {
                if !response.ok() {
                    self.notices.push(crate::refusal::refused(NAME, &response, "transition to the status", &status));
                }
                self.read(context)
            }))
        }))
    }

    fn read(self, context: AdapterContext) -> Next {
        self.read_expecting(context, None)
    }

    fn read_expecting(mut self, context: AdapterContext, status: Option<String>) -> Next {
        let url = issue::address(&context, &self.ticket.id)?;
        Ok(Step::send(ProviderRequest::new(Method::Get, url), move |response| {
            match if response.ok() { reading::json(NAME, &response).ok() } else { None } {
                Some(answer) if answer.get("fields").is_some() => self.ticket = issue::ticket(&context, &answer),
                _ => self.notices.push(Problem::new(
                    Code::ProviderInvalidAnswer,
                    format!("The ticket {} was made, but Jira did not let it be read afterwards; only what is known of it is shown.", cut(&self.ticket.name, 80)),
                )),
            }
            if let Some(status) = status.filter(|status| !same(self.ticket.status.as_deref(), status)) {
                self.notices.push(Problem::field(
                    "/status",
                    format!("The ticket {} was made, but Jira's workflow does not lead it to the status `{}`.", cut(&self.ticket.name, 80), cut(&status, 100)),
                ));
            }
            Ok(Step::Done(TicketingAnswer::Ticket(Box::new(self.ticket))).noting(self.notices))
        }))
    }
}

fn same(is: Option<&str>, wanted: &str) -> bool {
    is.is_some_and(|is| is.trim().to_lowercase() == wanted.trim().to_lowercase())
}

/// The transition that leads to a status, by the status's name or id.
fn transition(answer: &Value, status: &str) -> Option<String> {
    let to = |transition: &&Value| same(text(at(transition, &["to"]), "name").as_deref(), status) || text(at(transition, &["to"]), "id").as_deref() == Some(status);
    rows(answer, "transitions").iter().find(to).and_then(|transition| text(transition, "id"))
}

fn transit(context: &AdapterContext, id: &str, transition: &str) -> Result<ProviderRequest, Problem> {
    Ok(ProviderRequest::new(Method::Post, path(context, &["issue", id, "transitions"])?).json(json!({ "transition": { "id": transition } })))
}

/// Changes an issue by the difference that a patch makes.
pub(super) fn patch(context: AdapterContext, id: &str, operations: Vec<TicketPatch>) -> Next {
    let url = issue::address(&context, issue_id("ticket", id)?)?;
    get(url, "ticket", id, move |answer| {
        let before = issue::ticket(&context, &answer);
        issue_id("ticket", &before.id)?;
        let edited = patch::edit(NAME, &before, &operations, EDITABLE)?;
        if edited.fields.is_empty() {
            return Ok(Step::Done(TicketingAnswer::Ticket(Box::new(before))));
        }
        let wanted = wanted(&context, &before, &edited)?;
        let status = if edited.has("status") { Some(edited.ticket.status.ok_or_else(|| always("status"))?) } else { None };
        let other = edited.fields.iter().any(|field| *field != "status");
        // The transition is looked up before anything is written: a status that cannot be reached changes nothing.
        find_transition(&context.clone(), &before.id.clone(), status, move |transition| {
            resolve(context, wanted, move |context, fields| {
                let id = before.id;
                if !other {
                    return finish(context, id, transition);
                }
                let request = ProviderRequest::new(Method::Put, path(&context, &["issue", &id])?).json(json!({ "fields": fields }));
                perform(NAME, request, "ticket", id.clone(), move || finish(context, id, transition))
            })
        })
    })
}

fn find_transition(context: &AdapterContext, id: &str, status: Option<String>, then: impl FnOnce(Option<String>) -> Next + Send + 'static) -> Next {
    let Some(status) = status else {
        return then(None);
    };
    get(path(context, &["issue", id, "transitions"])?, "transitions of ticket", id, move |answer| match transition(&answer, &status) {
        Some(transition) => then(Some(transition)),
        None => {
            let names = listed(rows(&answer, "transitions").iter().filter_map(|transition| text(at(transition, &["to"]), "name")));
            Err(Problem::field("/status", format!("Jira's workflow does not lead this ticket to the status `{}`. It can become: {names}.", cut(&status, 100))))
        }
    })
}

/// Performs the transition, if one is wanted, and reads the issue.
fn finish(context: AdapterContext, id: String, transition: Option<String>) -> Next {
    let read = {
        let (context, id) = (context.clone(), id.clone());
        move || super::get_ticket(&context, &id)
    };
    match transition {
        None => read(),
        Some(transition) => perform(NAME, transit(&context, &id, &transition)?, "ticket", id, read),
    }
}

fn always(field: &str) -> Problem {
    Problem::field(&format!("/{field}"), format!("A ticket in Jira always has `{field}`. Give another one instead of removing it."))
}

fn wanted(context: &AdapterContext, before: &Ticket, edited: &Edited) -> Result<Wanted, Problem> {
    let ticket = &edited.ticket;
    let mut fields = Map::new();
    for &field in &edited.fields {
        let (name, value) = match field {
            "summary" => ("summary", ticket.summary.clone().into()),
            "description" => ("description", ticket.description.as_deref().map_or(Value::Null, adf::document)),
            "due_date" => ("duedate", ticket.due_date.map_or(Value::Null, day)),
            "tags" => ("labels", ticket.tags.clone().unwrap_or_default().into()),
            "issue_type" => ("issuetype", reference(ticket.issue_type.as_deref().ok_or_else(|| always("issue_type"))?, "name")),
            "parent" => ("parent", ticket.parent.as_deref().map(parent).transpose()?.unwrap_or(Value::Null)),
            _ => continue,
        };
        fields.insert(name.to_owned(), value);
    }
    let mut custom_fields = Map::new();
    if edited.has("custom_fields") {
        let (old, new) = (before.custom_fields.clone().unwrap_or_default(), ticket.custom_fields.clone().unwrap_or_default());
        custom_fields.extend(new.iter().filter(|(name, value)| old.get(*name) != Some(value)).map(|(name, value)| (name.clone(), value.clone())));
        custom_fields.extend(old.keys().filter(|name| !new.contains_key(*name)).map(|name| (name.clone(), Value::Null)));
    }
    Ok(Wanted {
        priority: edited.has("priority").then_some(ticket.priority),
        assignee: edited.has("assignee").then(|| ticket.assignee.clone()),
        reporter: if edited.has("creator") { Some(ticket.creator.clone().ok_or_else(|| always("creator"))?) } else { None },
        custom_fields: mapped(context, custom_fields)?,
        fields,
    })
}

/// Checks custom fields against the mappings: their names are the integration's, or ids of fields.
fn mapped(context: &AdapterContext, wanted: Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    let mappings = issue::mappings(context);
    for name in wanted.keys() {
        if !name.starts_with("customfield_") && !mappings.iter().any(|mapping| mapping.name == name) {
            let known = if mappings.is_empty() { "none".to_owned() } else { listed(mappings.iter().map(|mapping| mapping.name)) };
            return Err(Problem::field(
                "/custom_fields",
                format!("The custom field `{}` is not mapped in this integration. Mapped: {known}. Add it to custom_field_mappings, or use the field's id.", cut(name, 100)),
            ));
        }
    }
    Ok(wanted)
}

/// Looks up what is needed, one after the other, and gives the fields as Jira takes them.
fn resolve(context: AdapterContext, wanted: Wanted, then: impl FnOnce(AdapterContext, Map<String, Value>) -> Next + Send + 'static) -> Next {
    let Wanted { priority, assignee, reporter, custom_fields, mut fields } = wanted;
    let with_users = {
        let context = context.clone();
        move |mut fields: Map<String, Value>| {
            let reporters = reporter.into_iter().collect();
            user::resolve(&context.clone(), reporters, Code::InvalidField, "/creator", move |reporters| {
                if let Some(id) = reporters.into_iter().next() {
                    fields.insert("reporter".to_owned(), json!({ "accountId": id }));
                }
                if assignee == Some(None) {
                    fields.insert("assignee".to_owned(), Value::Null);
                }
                let assignees = assignee.flatten().into_iter().collect();
                user::resolve(&context.clone(), assignees, Code::InvalidField, "/assignee", move |assignees| {
                    if let Some(id) = assignees.into_iter().next() {
                        fields.insert("assignee".to_owned(), json!({ "accountId": id }));
                    }
                    then(context, fields)
                })
            })
        }
    };
    let with_fields = {
        let context = context.clone();
        move |mut fields: Map<String, Value>| {
            if custom_fields.is_empty() {
                return with_users(fields);
            }
            get(path(&context, &["field"])?, "fields", "", {
                let context = context.clone();
                move |answer| {
                    let known = answer.as_array().map(Vec::as_slice).unwrap_or_default();
                    for (name, value) in custom_fields {
                        let (id, value) = custom_value(&context, known, &name, value)?;
                        fields.insert(id, value);
                    }
                    with_users(fields)
                }
            })
        }
    };
    match priority {
        None => with_fields(fields),
        Some(None) => {
            fields.insert("priority".to_owned(), Value::Null);
            with_fields(fields)
        }
        Some(Some(priority)) => jql::priorities(&context, move |known| {
            fields.insert("priority".to_owned(), jql::choose(&known, priority)?);
            with_fields(fields)
        }),
    }
}

/// The id of a custom field and its value as the field's type takes it. A mapping that leads into the field says the shape itself.
fn custom_value(context: &AdapterContext, known: &[Value], name: &str, value: Value) -> Result<(String, Value), Problem> {
    let mappings = issue::mappings(context);
    let own = [name];
    let path: &[&str] = mappings.iter().find(|mapping| mapping.name == name).map_or(&own, |mapping| mapping.path.as_slice());
    let (id, rest) = path.split_first().map(|(id, rest)| (*id, rest)).unwrap_or_default();
    let field = known.iter().take(MAX_ROWS).find(|field| text(field, "id").as_deref() == Some(id)).ok_or_else(|| {
        Problem::field(
            "/custom_fields",
            format!("Jira has no field `{}` that this credential can see. Correct custom_field_mappings; list_remote_fields shows the fields.", cut(id, 100)),
        )
    })?;
    if value.is_null() {
        return Ok((id.to_owned(), Value::Null));
    }
    if !rest.is_empty() {
        return Ok((id.to_owned(), issue::nest(rest, value)));
    }
    let schema = at(field, &["schema"]);
    let one = |kind: &str, value: Value| match (kind, &value) {
        ("option", Value::String(_)) => json!({ "value": value }),
        ("user", Value::String(_)) => json!({ "accountId": value }),
        ("group" | "version" | "component", Value::String(_)) => json!({ "name": value }),
        _ => value,
    };
    let kind = text(schema, "type").unwrap_or_default();
    let long = text(schema, "custom").is_some_and(|custom| custom.ends_with(":textarea"));
    let value = match (kind.as_str(), value) {
        (_, Value::String(text)) if long => adf::document(&text),
        ("array", Value::Array(list)) => {
            let inner = text(schema, "items").unwrap_or_default();
            list.into_iter().map(|value| one(&inner, value)).collect()
        }
        ("number", Value::String(text)) => text.trim().parse::<f64>().ok().map_or_else(|| Value::String(text.clone()), |number| json!(number)),
        ("string", value @ (Value::Number(_) | Value::Bool(_))) => scalar(&value).map_or(value, Value::String),
        (kind, value) => one(kind, value),
    };
    Ok((id.to_owned(), value))
}

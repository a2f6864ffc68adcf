//! Jira Cloud over its platform REST API version 3. Every request is checked against Atlassian's own description in the tests.

mod adf;
mod comment;
mod file;
mod issue;
mod jql;
mod user;
mod write;

use patchbay_model::Problem;
use patchbay_model::connector::ticketing::{PageRequest, Project, RemoteField, RemoteFieldSchema, TicketingAnswer, TicketingOperation};
use serde_json::Value;
use url::Url;

use super::{Adapter, endpoint, offset};
use crate::reading::{self, MAX_ROWS, Pages, at, invalid, rows, text};
use crate::step::{AdapterContext, Identity, Step};

const NAME: &str = "Jira";

/// Rows of a page that Jira gives at most when fields are asked for.
const MAX_PAGE: u32 = 100;

type Next = Result<Step<TicketingAnswer>, Problem>;

/// The adapter of `ticketing_jira`.
pub(crate) struct Jira;

impl Adapter for Jira {
    fn probe(&self, context: &AdapterContext) -> Result<Step<Identity>, Problem> {
        let url = path(context, &["myself"])?;
        super::get(NAME, url, "own user", String::new(), |user| {
            let id = text(&user, "accountId").ok_or_else(|| invalid(NAME, "has no account id"))?;
            Ok(Step::Done(Identity { id: Some(id), name: text(&user, "displayName"), email: text(&user, "emailAddress") }))
        })
    }

    fn ticketing(&self, operation: TicketingOperation, context: &AdapterContext) -> Next {
        let context = context.clone();
        match operation {
            TicketingOperation::ListRemoteFields => list_remote_fields(&context),
            TicketingOperation::ListProjects(page) => list_projects(&context, &page),
            TicketingOperation::QueryTickets { page, filters, orders } => jql::query(context, page, filters, orders),
            TicketingOperation::GetTicket(id) => get_ticket(&context, &id),
            TicketingOperation::CreateTicket(new) => write::create(context, *new),
            TicketingOperation::PatchTicket(id, operations) => write::patch(context, &id, operations),
            TicketingOperation::ListComments(id) => comment::list(&context, &id, Pages::default(), 0, Vec::new()),
            TicketingOperation::CreateComment(id, new) => comment::create(&context, &id, new),
            TicketingOperation::DeleteComment(id, comment) => comment::delete(&context, &id, comment),
            TicketingOperation::ListAttachments(id) => file::list(&context, &id),
            TicketingOperation::CreateAttachment(id, new) => file::create(&context, &id, &new),
            TicketingOperation::DownloadAttachment(id, attachment) => file::download(context, &id, attachment),
            TicketingOperation::DeleteAttachment(id, attachment) => file::delete(context, &id, attachment),
        }
    }
}

/// A path of the API.
fn path(context: &AdapterContext, segments: &[&str]) -> Result<Url, Problem> {
    let mut whole = vec!["rest", "api", "3"];
    whole.extend_from_slice(segments);
    endpoint(context, &whole)
}

/// A GET whose answer is JSON.
fn get(url: Url, noun: &'static str, reference: &str, then: impl FnOnce(Value) -> Next + Send + 'static) -> Next {
    super::get(NAME, url, noun, reference.to_owned(), then)
}

/// Checks an issue's id or key. Other words in its place would be other resources.
fn issue_id<'a>(noun: &str, id: &'a str) -> Result<&'a str, Problem> {
    if is_issue(id) { Ok(id) } else { Err(Problem::not_found(noun, id)) }
}

/// Whether a text is an issue's number or key (`DEMO-12`).
fn is_issue(id: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let key = |(project, number): (&str, &str)| {
        project.bytes().next().is_some_and(|b| b.is_ascii_alphabetic()) && project.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && digits(number)
    };
    id.len() <= 80 && (digits(id) || id.rsplit_once('-').is_some_and(key))
}

/// Checks an id that is a number.
fn number<'a>(noun: &str, id: &'a str) -> Result<&'a str, Problem> {
    if (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit()) { Ok(id) } else { Err(Problem::not_found(noun, id)) }
}

fn get_ticket(context: &AdapterContext, id: &str) -> Next {
    let url = issue::address(context, issue_id("ticket", id)?)?;
    let context = context.clone();
    get(url, "ticket", id, move |answer| Ok(Step::Done(TicketingAnswer::Ticket(Box::new(issue::ticket(&context, &answer))))))
}

fn list_projects(context: &AdapterContext, page: &PageRequest) -> Next {
    let from = offset(page)?;
    let limit = page.limit.clamp(1, MAX_PAGE);
    let mut url = path(context, &["project", "search"])?;
    url.query_pairs_mut().append_pair("startAt", &from.to_string()).append_pair("maxResults", &limit.to_string()).append_pair("orderBy", "key");
    get(url, "projects", "", move |answer| {
        let given = rows(&answer, "values");
        let projects = given
            .iter()
            .filter_map(|project| {
                let id = text(project, "id")?;
                Some(Project {
                    name: text(project, "name").unwrap_or_else(|| id.clone()),
                    id,
                    unmapped: reading::unmapped(project, &["key", "projectTypeKey", "simplified", "style", "isPrivate"]),
                })
            })
            .collect();
        Ok(Step::Done(TicketingAnswer::Projects(projects, next_start(&answer, from, given.len()))))
    })
}

/// Where the next page of a list with `startAt` begins; empty at the end.
fn next_start(answer: &Value, from: usize, given: usize) -> String {
    let to = from.saturating_add(given);
    let last = answer.get("isLast").and_then(Value::as_bool).unwrap_or_else(|| answer.get("total").and_then(Value::as_u64).is_none_or(|total| to as u64 >= total));
    if last || given == 0 { String::new() } else { to.to_string() }
}

fn list_remote_fields(context: &AdapterContext) -> Next {
    get(path(context, &["field"])?, "fields", "", |answer| {
        let fields = answer.as_array().ok_or_else(|| invalid(NAME, "is no list of fields"))?;
        Ok(Step::Done(TicketingAnswer::RemoteFields(fields.iter().take(MAX_ROWS).filter_map(remote_field).collect())))
    })
}

fn remote_field(field: &Value) -> Option<RemoteField> {
    let id = text(field, "id")?;
    let kind = text(at(field, &["schema"]), "type");
    let unified = match kind.as_deref() {
        Some("string" | "date" | "datetime" | "any") => "string",
        Some("number") => "number",
        Some("option" | "priority" | "status" | "resolution" | "issuetype") => "enum",
        _ => "other",
    };
    let project = text(at(field, &["scope", "project"]), "id");
    Some(RemoteField {
        schema: Some(RemoteFieldSchema { field_type_id: unified.to_owned(), field_type: text(at(field, &["schema"]), "custom").or(kind), enum_values: None }),
        field_scope: Some(
            match (&project, field.get("custom").and_then(Value::as_bool)) {
                (Some(_), _) => "project_custom",
                (None, Some(true)) => "integration_custom",
                (None, _) => "standard",
            }
            .to_owned(),
        ),
        provider_field_name: text(field, "name").unwrap_or_else(|| id.clone()),
        provider_field_path: Some(format!("$.fields.{id}")),
        project_id: project,
        field_id: id,
    })
}

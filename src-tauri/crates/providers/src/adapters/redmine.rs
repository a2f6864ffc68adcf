//! Redmine 5 over its REST API (https://www.redmine.org/projects/redmine/wiki/Rest_api), checked against 5.0.
//!
//! Comments are the journals of an issue that have notes; a comment is removed by emptying its notes (possible since 5.0).
//! Attachments are reached through their issue, so that an id of another issue's is not found.

mod issue;
mod lookup;
mod search;
mod write;

use patchbay_model::connector::ticketing::{
    Attachment, AttachmentMetadata, Comment, CreateAttachment, CreateComment, PageRequest, Project, RemoteField, RemoteFieldSchema, TicketingAnswer, TicketingOperation,
};
use patchbay_model::{Code, Problem};
use serde_json::{Value, json};
use url::Url;

use super::{Adapter, endpoint, left_out, offset};
use crate::attachment;
use crate::exchange::{Method, ProviderRequest, RequestBody};
use crate::reading::{self, Pages, invalid, rows, text};
use crate::refusal::refused;
use crate::step::{AdapterContext, Identity, Step};

const NAME: &str = "Redmine";

/// Rows of a page that Redmine gives at most.
const MAX_PAGE: u32 = 100;

type Next = Result<Step<TicketingAnswer>, Problem>;

/// The adapter of `ticketing_redmine`.
pub(crate) struct Redmine;

impl Adapter for Redmine {
    fn probe(&self, context: &AdapterContext) -> Result<Step<Identity>, Problem> {
        let url = endpoint(context, &["users", "current.json"])?;
        Ok(Step::send(ProviderRequest::new(Method::Get, url), |response| {
            if !response.ok() {
                return Err(refused(NAME, &response, "current user", ""));
            }
            let answer = reading::json(NAME, &response)?;
            let user = answer.get("user").filter(|user| user.is_object()).ok_or_else(|| invalid(NAME, "has no user"))?;
            Ok(Step::Done(Identity { id: text(user, "id"), name: text(user, "login"), email: text(user, "mail") }))
        }))
    }

    fn ticketing(&self, operation: TicketingOperation, context: &AdapterContext) -> Next {
        let context = context.clone();
        match operation {
            TicketingOperation::ListRemoteFields => list_remote_fields(context),
            TicketingOperation::ListProjects(page) => list_projects(&context, &page),
            TicketingOperation::QueryTickets { page, filters, orders } => search::query(context, page, filters, &orders),
            TicketingOperation::GetTicket(id) => with_issue(&context, &id, "attachments", |issue| Ok(Step::Done(TicketingAnswer::Ticket(Box::new(issue::ticket(&issue)))))),
            TicketingOperation::CreateTicket(new) => write::create(context, *new),
            TicketingOperation::PatchTicket(id, operations) => write::patch(context, &id, operations),
            TicketingOperation::ListComments(id) => with_issue(&context, &id, "journals", |issue| Ok(Step::Done(TicketingAnswer::Comments(issue::comments(&issue))))),
            TicketingOperation::CreateComment(id, new) => create_comment(context, id, new),
            TicketingOperation::DeleteComment(id, comment) => delete_comment(context, &id, comment),
            TicketingOperation::ListAttachments(id) => with_issue(&context, &id, "attachments", |issue| Ok(Step::Done(TicketingAnswer::Attachments(issue::attachments(&issue))))),
            TicketingOperation::CreateAttachment(id, new) => create_attachment(context, id, &new),
            TicketingOperation::DownloadAttachment(id, attachment) => download(context, &id, attachment),
            TicketingOperation::DeleteAttachment(id, attachment) => delete_attachment(context, &id, attachment),
        }
    }
}

/// Checks an id that goes into a path or a filter: Redmine's are numbers, and some words would mean something else there.
fn number<'a>(noun: &str, id: &'a str) -> Result<&'a str, Problem> {
    if !id.is_empty() && id.len() <= 18 && id.bytes().all(|b| b.is_ascii_digit()) { Ok(id) } else { Err(Problem::not_found(noun, id)) }
}

/// A GET whose answer is JSON.
fn get(url: Url, noun: &'static str, reference: String, then: impl FnOnce(Value) -> Next + Send + 'static) -> Next {
    super::get(NAME, url, noun, reference, then)
}

/// A request that must succeed.
fn perform(request: ProviderRequest, noun: &'static str, reference: String, then: impl FnOnce() -> Next + Send + 'static) -> Next {
    super::perform(NAME, request, noun, reference, then)
}

/// Reads an issue with what is to be included.
fn with_issue(context: &AdapterContext, id: &str, include: &str, then: impl FnOnce(Value) -> Next + Send + 'static) -> Next {
    let id = number("ticket", id)?;
    let mut url = endpoint(context, &["issues", &format!("{id}.json")])?;
    if !include.is_empty() {
        url.query_pairs_mut().append_pair("include", include);
    }
    get(url, "ticket", id.to_owned(), |mut answer| match answer.get_mut("issue").map(Value::take) {
        Some(issue) if issue.is_object() => then(issue),
        _ => Err(invalid(NAME, "has no issue")),
    })
}

/// Where the next page begins; empty at the end. A server that gives fewer rows than asked for and no total is at its end.
fn next_offset(answer: &Value, from: usize, given: usize, asked: usize) -> String {
    let to = from.saturating_add(given);
    let more = match answer.get("total_count").and_then(Value::as_u64) {
        Some(total) => (to as u64) < total,
        None => given >= asked,
    };
    if more && given > 0 { to.to_string() } else { String::new() }
}

fn list_projects(context: &AdapterContext, page: &PageRequest) -> Next {
    let from = offset(page)?;
    let limit = page.limit.clamp(1, MAX_PAGE);
    let mut url = endpoint(context, &["projects.json"])?;
    url.query_pairs_mut().append_pair("offset", &from.to_string()).append_pair("limit", &limit.to_string());
    get(url, "projects", String::new(), move |answer| {
        let given = rows(&answer, "projects");
        let projects = given
            .iter()
            .filter_map(|project| {
                let id = text(project, "id")?;
                Some(Project {
                    name: text(project, "name").unwrap_or_else(|| id.clone()),
                    id,
                    unmapped: reading::unmapped(project, &["identifier", "description", "parent", "status", "is_public"]),
                })
            })
            .collect();
        let next = next_offset(&answer, from, given.len(), limit as usize);
        Ok(Step::Done(TicketingAnswer::Projects(projects, next)))
    })
}

/// Custom fields. Only administrators may see their definitions; others get names by way of the projects and the issues.
fn list_remote_fields(context: AdapterContext) -> Next {
    let url = endpoint(&context, &["custom_fields.json"])?;
    Ok(Step::send(ProviderRequest::new(Method::Get, url), move |response| {
        if response.status == 403 {
            return fields_of_projects(&context, Pages::default(), 0, standard_fields());
        }
        if !response.ok() {
            return Err(refused(NAME, &response, "custom fields", ""));
        }
        let answer = reading::json(NAME, &response)?;
        let mut fields = standard_fields();
        for field in rows(&answer, "custom_fields").iter().filter(|field| text(field, "customized_type").is_none_or(|kind| kind == "issue")) {
            let (Some(id), Some(name)) = (text(field, "id"), text(field, "name")) else { continue };
            let format = text(field, "field_format");
            let values: Vec<String> = rows(field, "possible_values").iter().filter_map(|value| text(value, "label").or_else(|| text(value, "value"))).collect();
            let kind = match format.as_deref() {
                Some("string" | "text" | "link" | "date") => "string",
                Some("int" | "float") => "number",
                Some("list" | "enumeration" | "bool") => "enum",
                _ => "other",
            };
            fields.push(custom_field(&id, name, kind, format, (!values.is_empty()).then_some(values), None));
        }
        Ok(Step::Done(TicketingAnswer::RemoteFields(fields)))
    }))
}

fn fields_of_projects(context: &AdapterContext, pages: Pages, from: usize, mut fields: Vec<RemoteField>) -> Next {
    let mut url = endpoint(context, &["projects.json"])?;
    url.query_pairs_mut().append_pair("include", "issue_custom_fields").append_pair("offset", &from.to_string()).append_pair("limit", &MAX_PAGE.to_string());
    let context = context.clone();
    get(url, "projects", String::new(), move |answer| {
        let projects = rows(&answer, "projects");
        for project in projects {
            for field in rows(project, "issue_custom_fields") {
                let (Some(id), Some(name)) = (text(field, "id"), text(field, "name")) else { continue };
                if fields.len() < reading::MAX_ROWS {
                    fields.push(custom_field(&id, name, "other", None, None, text(project, "id")));
                }
            }
        }
        let next = next_offset(&answer, from, projects.len(), MAX_PAGE as usize);
        match next.parse() {
            Ok(next) if fields.len() < reading::MAX_ROWS => fields_of_projects(&context, pages.next(NAME)?, next, fields),
            _ => lookup::fields_seen(&context, None, Vec::new(), move |seen| {
                for field in seen {
                    let id = format!("cf_{}", field.id);
                    if !fields.iter().any(|known| known.field_id == id) {
                        fields.push(custom_field(&field.id, field.name, "other", None, None, None));
                    }
                }
                Ok(Step::Done(TicketingAnswer::RemoteFields(fields)))
            }),
        }
    })
}

fn custom_field(id: &str, name: String, kind: &str, format: Option<String>, values: Option<Vec<String>>, project: Option<String>) -> RemoteField {
    RemoteField {
        field_id: format!("cf_{id}"),
        schema: Some(RemoteFieldSchema { field_type_id: kind.to_owned(), field_type: format, enum_values: values }),
        field_scope: Some(if project.is_some() { "project_custom" } else { "integration_custom" }.to_owned()),
        provider_field_path: Some(format!("/custom_fields/{name}")),
        provider_field_name: name,
        project_id: project,
    }
}

fn standard_fields() -> Vec<RemoteField> {
    [
        ("subject", "Subject", "string"),
        ("description", "Description", "string"),
        ("status", "Status", "enum"),
        ("priority", "Priority", "enum"),
        ("tracker", "Tracker", "enum"),
        ("assigned_to", "Assignee", "other"),
        ("start_date", "Start date", "string"),
        ("due_date", "Due date", "string"),
        ("done_ratio", "% Done", "number"),
        ("estimated_hours", "Estimated time", "number"),
    ]
    .into_iter()
    .map(|(id, name, kind)| RemoteField {
        field_id: id.to_owned(),
        schema: Some(RemoteFieldSchema { field_type_id: kind.to_owned(), field_type: None, enum_values: None }),
        field_scope: Some("standard".to_owned()),
        provider_field_name: name.to_owned(),
        provider_field_path: Some(format!("/{id}")),
        project_id: None,
    })
    .collect()
}

/// Adds notes to an issue and finds the journal that this made: Redmine does not name it in its answer.
fn create_comment(context: AdapterContext, id: String, new: CreateComment) -> Next {
    if new.content.trim().is_empty() {
        return Err(Problem::field("/content", "A comment needs content. Write some."));
    }
    let notice = new.creator.is_some().then(|| left_out(NAME, "creator"));
    number("ticket", &id)?;
    // The journals as they are, so that the new one can be told from those that are there.
    with_issue(&context.clone(), &id.clone(), "journals", move |before| {
        let known: Vec<String> = issue::comments(&before).into_iter().map(|comment| comment.id).collect();
        let url = endpoint(&context, &["issues", &format!("{id}.json")])?;
        let mut request = ProviderRequest::new(Method::Put, url).json(json!({ "issue": { "notes": new.content } }));
        request.idempotent = false;
        perform(request, "ticket", id.clone(), move || {
            with_issue(&context, &id, "journals", move |after| {
                let made = issue::comments(&after).into_iter().filter(|comment| !known.contains(&comment.id)).rfind(|comment| same_text(&comment.content, &new.content));
                let comment: Comment = made.ok_or_else(|| {
                    Problem::new(Code::ProviderRefused, "Redmine took the comment but does not show it: the user may lack the permission to add notes to this issue.")
                })?;
                Ok(Step::Done(TicketingAnswer::Comment(Box::new(comment))).noting(notice))
            })
        })
    })
}

/// Whether two texts are the same but for line ends and white space around them.
fn same_text(a: &str, b: &str) -> bool {
    a.trim().lines().map(str::trim_end).eq(b.trim().lines().map(str::trim_end))
}

fn delete_comment(context: AdapterContext, id: &str, comment: String) -> Next {
    with_issue(&context.clone(), id, "journals", move |issue| {
        if !issue::comments(&issue).iter().any(|known| known.id == comment) {
            return Err(Problem::not_found("comment", comment));
        }
        let url = endpoint(&context, &["journals", &format!("{comment}.json")])?;
        let request = ProviderRequest::new(Method::Put, url).json(json!({ "journal": { "notes": "" } }));
        perform(request, "comment", comment, || Ok(Step::Done(TicketingAnswer::Done)))
    })
}

/// Uploads the file, then attaches it to the issue (https://www.redmine.org/projects/redmine/wiki/Rest_api#Attaching-files).
fn create_attachment(context: AdapterContext, id: String, new: &CreateAttachment) -> Next {
    let (file_name, bytes) = attachment::decode(new)?;
    if bytes.is_empty() {
        return Err(Problem::field("/content", "Redmine keeps no empty files. Attach a file with content."));
    }
    let media_type = attachment::media_type(&file_name);
    // First the issue: a file that belongs nowhere is not to be left behind.
    with_issue(&context.clone(), &id.clone(), "", move |_| {
        let mut url = endpoint(&context, &["uploads.json"])?;
        url.query_pairs_mut().append_pair("filename", &file_name);
        let mut request = ProviderRequest::new(Method::Post, url);
        request.body = RequestBody::Bytes { content_type: "application/octet-stream".to_owned(), bytes };
        Ok(Step::send(request, move |response| {
            if !response.ok() {
                return Err(refused(NAME, &response, "file", &file_name));
            }
            let answer = reading::json(NAME, &response)?;
            let token = text(reading::at(&answer, &["upload"]), "token").ok_or_else(|| invalid(NAME, "has no upload token"))?;
            // Redmine 3.4 and later name the id; the token begins with it in every version.
            let attachment = text(reading::at(&answer, &["upload"]), "id").or_else(|| token.split('.').next().map(str::to_owned)).unwrap_or_default();
            let url = endpoint(&context, &["issues", &format!("{id}.json")])?;
            let mut request =
                ProviderRequest::new(Method::Put, url).json(json!({ "issue": { "uploads": [{ "token": token, "filename": file_name, "content_type": media_type }] } }));
            request.idempotent = false;
            perform(request, "ticket", id.clone(), move || {
                find_attachment(&context, &id, attachment, |metadata| Ok(Step::Done(TicketingAnswer::AttachmentMetadata(Box::new(metadata)))))
            })
        }))
    })
}

/// Finds an attachment among those of an issue.
fn find_attachment(context: &AdapterContext, id: &str, attachment: String, then: impl FnOnce(AttachmentMetadata) -> Next + Send + 'static) -> Next {
    with_issue(context, id, "attachments", move |issue| match issue::attachments(&issue).into_iter().find(|known| known.id == attachment) {
        Some(metadata) => then(metadata),
        None => Err(Problem::not_found("attachment", attachment)),
    })
}

fn download(context: AdapterContext, id: &str, attachment: String) -> Next {
    find_attachment(&context.clone(), id, attachment, move |metadata| {
        // Not its content_url: that may name another host, and the credential must stay with this one.
        let url = endpoint(&context, &["attachments", "download", &metadata.id, &metadata.file_name])?;
        let mut request = ProviderRequest::new(Method::Get, url).header("accept", "*/*");
        request.max_answer_bytes = ProviderRequest::MAX_FILE;
        Ok(Step::send(request, move |response| {
            if !response.ok() {
                return Err(refused(NAME, &response, "attachment", &metadata.id));
            }
            if metadata.file_size.is_some_and(|size| size != response.body.len() as u64) {
                return Err(invalid(NAME, "is not as long as the file"));
            }
            Ok(Step::Done(TicketingAnswer::Attachment(Box::new(Attachment { content: attachment::encode(&response.body), metadata }))))
        }))
    })
}

fn delete_attachment(context: AdapterContext, id: &str, attachment: String) -> Next {
    find_attachment(&context.clone(), id, attachment, move |metadata| {
        let url = endpoint(&context, &["attachments", &format!("{}.json", metadata.id)])?;
        perform(ProviderRequest::new(Method::Delete, url), "attachment", metadata.id, || Ok(Step::Done(TicketingAnswer::Done)))
    })
}

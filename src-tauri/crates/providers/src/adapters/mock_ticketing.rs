//! A ticket system inside Patchbay, kept in local documents.
//!
//! Tickets lie in `tickets` under their id; comments and attachments in collections of their own under `TICKET/ID`, so that
//! those of one ticket are found by prefix. Ids are UUIDs version 7: the order of ids is the order of making.

use patchbay_model::connector::ticketing::{
    Attachment, AttachmentMetadata, Comment, CreateAttachment, CreateComment, CreateTicket, PageRequest, Project, RemoteField, RemoteFieldSchema, Ticket, TicketPatch,
    TicketingAnswer, TicketingOperation,
};
use patchbay_model::list::{Filter, Order};
use patchbay_model::{Code, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Adapter, offset};
use crate::attachment;
use crate::matching;
use crate::patch;
use crate::step::{AdapterContext, Identity, LocalAnswer, LocalOp, Step};

const NAME: &str = "Mock Ticketing";
const TICKETS: &str = "tickets";
const COMMENTS: &str = "comments";
const ATTACHMENTS: &str = "attachments";

/// Documents read in one step.
const BATCH: u32 = 500;

/// Fields that a patch can change.
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

type Next = Result<Step<TicketingAnswer>, Problem>;

/// The adapter of `ticketing_mock_ticketing`.
pub(crate) struct MockTicketing;

impl Adapter for MockTicketing {
    fn probe(&self, context: &AdapterContext) -> Result<Step<Identity>, Problem> {
        Ok(Step::Done(Identity { id: None, name: Some(data_set(context)), email: None }))
    }

    fn ticketing(&self, operation: TicketingOperation, context: &AdapterContext) -> Next {
        let context = context.clone();
        match operation {
            TicketingOperation::ListRemoteFields => Ok(Step::Done(TicketingAnswer::RemoteFields(remote_fields(&context)))),
            TicketingOperation::ListProjects(page) => list_projects(&context, page),
            TicketingOperation::QueryTickets { page, filters, orders } => query(page, filters, orders),
            TicketingOperation::GetTicket(id) => with_ticket(id, |ticket| Ok(Step::Done(TicketingAnswer::Ticket(Box::new(ticket))))),
            TicketingOperation::CreateTicket(new) => create(*new, &context),
            TicketingOperation::PatchTicket(id, operations) => with_ticket(id, move |ticket| patch_ticket(&ticket, &operations, &context)),
            TicketingOperation::ListComments(id) => with_ticket(id, |ticket| {
                all(COMMENTS, Some(format!("{}/", ticket.id)), Vec::new(), |documents| {
                    Ok(Step::Done(TicketingAnswer::Comments(documents.into_iter().filter_map(|(_, body)| read(body).ok()).collect())))
                })
            }),
            TicketingOperation::CreateComment(id, new) => with_ticket(id, move |ticket| create_comment(ticket, new, &context)),
            TicketingOperation::DeleteComment(id, comment) => with_ticket(id, move |ticket| remove(COMMENTS, "comment", &ticket.id, &comment)),
            TicketingOperation::ListAttachments(id) => with_ticket(id, |ticket| {
                all(ATTACHMENTS, Some(format!("{}/", ticket.id)), Vec::new(), |documents| {
                    Ok(Step::Done(TicketingAnswer::Attachments(documents.into_iter().filter_map(|(_, body)| read(body).ok()).collect())))
                })
            }),
            TicketingOperation::CreateAttachment(id, new) => with_ticket(id, move |ticket| create_attachment(&ticket, &new, &context)),
            TicketingOperation::DownloadAttachment(id, attachment) => with_ticket(id, move |ticket| {
                Ok(get(ATTACHMENTS, "attachment", format!("{}/{attachment}", ticket.id), |attachment: Attachment| {
                    Ok(Step::Done(TicketingAnswer::Attachment(Box::new(attachment))))
                }))
            }),
            TicketingOperation::DeleteAttachment(id, attachment) => with_ticket(id, move |ticket| remove(ATTACHMENTS, "attachment", &ticket.id, &attachment)),
        }
    }
}

/// The configured name of the data set, which is also the project of tickets that name none.
fn data_set(context: &AdapterContext) -> String {
    context.config.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()).unwrap_or("mock").to_owned()
}

fn read<T: DeserializeOwned>(body: Value) -> Result<T, Problem> {
    serde_json::from_value(body).map_err(|error| Problem::internal(format!("a document of the mock cannot be read: {error}")))
}

fn written<T: Serialize>(value: &T) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|_| Problem::internal("a document of the mock cannot be written as JSON"))
}

fn get<T: DeserializeOwned>(collection: &'static str, noun: &'static str, id: String, then: impl FnOnce(T) -> Next + Send + 'static) -> Step<TicketingAnswer> {
    let shown = id.rsplit('/').next().unwrap_or_default().to_owned();
    Step::local(LocalOp::Get { collection, id }, move |answer| match answer {
        LocalAnswer::Document(Some(body)) => then(read(body)?),
        _ => Err(Problem::not_found(noun, shown)),
    })
}

/// Reads a ticket. The id is checked for the slash that separates it from what belongs to it.
fn with_ticket(id: String, then: impl FnOnce(Ticket) -> Next + Send + 'static) -> Next {
    if id.contains('/') {
        return Err(Problem::not_found("ticket", id));
    }
    Ok(get(TICKETS, "ticket", id, then))
}

/// Reads a collection to its end, in batches.
fn all(collection: &'static str, prefix: Option<String>, mut so_far: Vec<(String, Value)>, then: impl FnOnce(Vec<(String, Value)>) -> Next + Send + 'static) -> Next {
    let after = so_far.last().map(|(id, _)| id.clone());
    let op = LocalOp::List { collection, after: after.clone(), prefix: prefix.clone(), limit: BATCH };
    Ok(Step::local(op, move |answer| {
        let LocalAnswer::Documents(documents) = answer else {
            return Err(Problem::internal("the mock's documents cannot be listed"));
        };
        let short = documents.len() < BATCH as usize;
        so_far.extend(documents);
        // A batch that does not move on would be read for ever.
        let moved = so_far.last().map(|(id, _)| id) > after.as_ref();
        if short || !moved { then(so_far) } else { all(collection, prefix, so_far, then) }
    }))
}

fn page_of<T>(rows: Vec<T>, page: &PageRequest) -> Result<(Vec<T>, String), Problem> {
    let from = offset(page)?;
    let limit = page.limit.max(1) as usize;
    let next = if rows.len() > from.saturating_add(limit) { from.saturating_add(limit).to_string() } else { String::new() };
    Ok((rows.into_iter().skip(from).take(limit).collect(), next))
}

fn list_projects(context: &AdapterContext, page: PageRequest) -> Next {
    let own = data_set(context);
    all(TICKETS, None, Vec::new(), move |documents| {
        let mut names = vec![own];
        for (_, ticket) in &documents {
            if let Some(project) = ticket.get("project").and_then(Value::as_str)
                && !names.iter().any(|known| known == project)
            {
                names.push(project.to_owned());
            }
        }
        let projects = names.into_iter().map(|name| Project { id: name.clone(), name, unmapped: None }).collect();
        let (projects, next) = page_of(projects, &page)?;
        Ok(Step::Done(TicketingAnswer::Projects(projects, next)))
    })
}

fn query(page: PageRequest, filters: Vec<Filter>, orders: Vec<Order>) -> Next {
    offset(&page)?;
    all(TICKETS, None, Vec::new(), move |documents| {
        let mut tickets: Vec<(Value, Ticket)> = documents
            .into_iter()
            .map(|(_, body)| body)
            .filter(|body| matching::passes(body, &filters))
            .filter_map(|body| read(body.clone()).ok().map(|ticket| (body, ticket)))
            .collect();
        matching::sort(&mut tickets, &orders);
        let (tickets, next) = page_of(tickets, &page)?;
        Ok(Step::Done(TicketingAnswer::Tickets(tickets.into_iter().map(|(_, ticket)| ticket).collect(), next)))
    })
}

fn store_ticket(ticket: Ticket) -> Next {
    let op = LocalOp::Put { collection: TICKETS, id: ticket.id.clone(), body: written(&ticket)? };
    Ok(Step::local(op, move |_| Ok(Step::Done(TicketingAnswer::Ticket(Box::new(ticket))))))
}

fn create(new: CreateTicket, context: &AdapterContext) -> Next {
    let title = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let (name, summary) = match (title(new.name), title(new.summary)) {
        (Some(name), summary) => (name.clone(), summary.unwrap_or(name)),
        (None, Some(summary)) => (summary.clone(), summary),
        (None, None) => return Err(Problem::field("/name", "A ticket needs a name. Give `name`, or `summary` to serve as both.")),
    };
    let now = context.context.now();
    let ticket = Ticket {
        id: context.context.new_uuid().to_string(),
        name,
        summary,
        creator: new.creator.or_else(|| Some("mock".to_owned())),
        assignee: new.assignee,
        contact: new.contact,
        description: new.description,
        priority: new.priority,
        due_date: new.due_date,
        completion_date: new.completion_date,
        status: new.status.or_else(|| Some("Open".to_owned())),
        project: new.project.or_else(|| Some(data_set(context))),
        issue_type: new.issue_type.or_else(|| Some("Task".to_owned())),
        parent: new.parent.clone(),
        tags: new.tags,
        attachments: None,
        custom_fields: new.custom_fields,
        unmapped: None,
        created_at: Some(now),
        updated_at: Some(now),
    };
    match new.parent {
        None => store_ticket(ticket),
        Some(parent) => {
            let problem = Problem::field("/parent", "The parent must be the id of a ticket that exists. Correct it, or leave it out.");
            Ok(Step::local(LocalOp::Get { collection: TICKETS, id: parent }, move |answer| match answer {
                LocalAnswer::Document(Some(_)) => store_ticket(ticket),
                _ => Err(problem),
            }))
        }
    }
}

fn patch_ticket(before: &Ticket, operations: &[TicketPatch], context: &AdapterContext) -> Next {
    let mut edited = patch::edit(NAME, before, operations, EDITABLE)?;
    if edited.fields.is_empty() {
        return Ok(Step::Done(TicketingAnswer::Ticket(Box::new(edited.ticket))));
    }
    edited.ticket.updated_at = Some(context.context.now());
    store_ticket(edited.ticket)
}

fn create_comment(ticket: Ticket, new: CreateComment, context: &AdapterContext) -> Next {
    if new.content.trim().is_empty() {
        return Err(Problem::field("/content", "A comment needs content. Write some."));
    }
    let comment = Comment {
        id: context.context.new_uuid().to_string(),
        ticket_id: ticket.id,
        creator: new.creator.unwrap_or_else(|| "mock".to_owned()),
        content: new.content,
        created_at: Some(context.context.now()),
        updated_at: None,
        unmapped: None,
    };
    let op = LocalOp::Put { collection: COMMENTS, id: format!("{}/{}", comment.ticket_id, comment.id), body: written(&comment)? };
    Ok(Step::local(op, move |_| Ok(Step::Done(TicketingAnswer::Comment(Box::new(comment))))))
}

fn create_attachment(ticket: &Ticket, new: &CreateAttachment, context: &AdapterContext) -> Next {
    let (file_name, bytes) = attachment::decode(new)?;
    let metadata = AttachmentMetadata {
        id: context.context.new_uuid().to_string(),
        ticket_id: ticket.id.clone(),
        file_type: attachment::media_type(&file_name).to_owned(),
        file_name,
        file_size: Some(bytes.len() as u64),
        created_date: Some(context.context.now()),
        creator: "mock".to_owned(),
    };
    let document = Attachment { metadata: metadata.clone(), content: attachment::encode(&bytes) };
    let op = LocalOp::Put { collection: ATTACHMENTS, id: format!("{}/{}", metadata.ticket_id, metadata.id), body: written(&document)? };
    Ok(Step::local(op, move |_| Ok(Step::Done(TicketingAnswer::AttachmentMetadata(Box::new(metadata))))))
}

fn remove(collection: &'static str, noun: &'static str, ticket: &str, id: &str) -> Next {
    let shown = id.to_owned();
    Ok(Step::local(LocalOp::Remove { collection, id: format!("{ticket}/{id}") }, move |answer| match answer {
        LocalAnswer::Removed(true) => Ok(Step::Done(TicketingAnswer::Done)),
        _ => Err(Problem::new(Code::NotFound, Problem::not_found(noun, shown).message)),
    }))
}

fn remote_fields(context: &AdapterContext) -> Vec<RemoteField> {
    let field = |id: &str, name: &str, kind: &str| RemoteField {
        field_id: id.to_owned(),
        schema: Some(RemoteFieldSchema { field_type_id: kind.to_owned(), field_type: None, enum_values: None }),
        field_scope: Some(if id.starts_with("custom_fields/") { "integration_custom" } else { "standard" }.to_owned()),
        provider_field_name: name.to_owned(),
        provider_field_path: Some(format!("/{id}")),
        project_id: None,
    };
    let mut fields =
        vec![field("summary", "Summary", "string"), field("description", "Description", "string"), field("status", "Status", "string"), field("assignee", "Assignee", "string")];
    for mapping in context.config.get("custom_field_mappings").and_then(Value::as_array).into_iter().flatten() {
        if let Some(name) = mapping.get("name").and_then(Value::as_str) {
            fields.push(field(&format!("custom_fields/{name}"), name, "other"));
        }
    }
    fields
}

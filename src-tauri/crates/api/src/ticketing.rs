//! The ticketing API of the Connector API: its table of routes, the reading of a request into an operation, and the envelope
//! `{result, cursor?, meta?}` (synqly-wire.md sections 11 and 13). Try it uses the same reading and the same envelope.

use std::collections::BTreeMap;

use patchbay_engine::call::CallOptions;
use patchbay_engine::http::Exchange;
use patchbay_engine::{ConnectorGrant, Engine};
use patchbay_model::connector::ticketing::{
    AttachmentMetadata, Comment, CreateAttachment, CreateComment, CreateTicket, PageRequest, Project, RemoteField, Ticket, TicketingAnswer, TicketingOperation,
};
use patchbay_model::list::{Filter, Order};
use patchbay_model::problem::Location;
use patchbay_model::{Code, Problem};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::handle::messages;
use crate::openapi::Schemas;
use crate::operation::Method;
use crate::reply::Reply;
use crate::request::{Patch, ReadBody, Request, from_value, read_limit};
use crate::wire::envelope::Messages;
use crate::wire::query::JsonPatch;

/// One route of the connector.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The operation's name, as in capabilities.
    pub name: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path with `{name}` for parameters.
    pub path: &'static str,
    /// Status of success.
    pub status: u16,
    pub(crate) query: Query,
    /// The schema of its body, where it takes one.
    pub(crate) body: Option<SchemaOf>,
    /// The shape of its answer; none where no provider of this build can offer it.
    pub(crate) answer: Option<Shape>,
}

/// Gives the schema of a type.
pub(crate) type SchemaOf = fn(&mut Schemas) -> Value;

/// Which query parameters an operation takes, beside `meta`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Query {
    None,
    /// `limit` and `cursor`.
    Page,
    /// Those, `filter` and `order`.
    Conditions,
}

/// What stands in the envelope of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Nothing,
    One(SchemaOf),
    Many(SchemaOf),
    /// Many, with the cursor of the next page.
    Page(SchemaOf),
}

const fn route(name: &'static str, method: Method, path: &'static str, status: u16) -> Route {
    Route { name, method, path, status, query: Query::None, body: None, answer: None }
}

impl Route {
    const fn takes<T: JsonSchema>(self) -> Self {
        Self { body: Some(Schemas::request::<T>), ..self }
    }

    const fn asks(self, query: Query) -> Self {
        Self { query, ..self }
    }

    const fn gives(self, shape: Shape) -> Self {
        Self { answer: Some(shape), ..self }
    }
}

const fn one<T: JsonSchema>() -> Shape {
    Shape::One(Schemas::answer::<T>)
}

const fn many<T: JsonSchema>() -> Shape {
    Shape::Many(Schemas::answer::<T>)
}

const fn page_of<T: JsonSchema>() -> Shape {
    Shape::Page(Schemas::answer::<T>)
}

/// Every operation of the wire. Those without a place in [`TicketingOperation`] answer 501 and give nothing.
pub const ROUTES: &[Route] = &[
    route("list_remote_fields", Method::Get, "/v1/ticketing/remote-fields", 200).gives(many::<RemoteField>()),
    route("list_projects", Method::Get, "/v1/ticketing/projects", 200).asks(Query::Page).gives(page_of::<Project>()),
    route("query_tickets", Method::Get, "/v1/ticketing/tickets", 200).asks(Query::Conditions).gives(page_of::<Ticket>()),
    route("get_ticket", Method::Get, "/v1/ticketing/tickets/{ticket_id}", 200).gives(one::<Ticket>()),
    route("create_ticket", Method::Post, "/v1/ticketing/tickets", 201).takes::<CreateTicket>().gives(one::<Ticket>()),
    route("patch_ticket", Method::Patch, "/v1/ticketing/tickets/{ticket_id}", 200).takes::<JsonPatch>().gives(one::<Ticket>()),
    route("create_attachment", Method::Post, "/v1/ticketing/attachments/{ticket_id}", 201).takes::<CreateAttachment>().gives(one::<AttachmentMetadata>()),
    route("list_attachments_metadata", Method::Get, "/v1/ticketing/attachments/{ticket_id}", 200).gives(many::<AttachmentMetadata>()),
    route("download_attachment", Method::Get, "/v1/ticketing/attachments/{ticket_id}/{attachment_id}/download", 200).gives(one::<DownloadedAttachment>()),
    route("delete_attachment", Method::Delete, "/v1/ticketing/attachments/{ticket_id}/{attachment_id}", 204).gives(Shape::Nothing),
    route("list_comments", Method::Get, "/v1/ticketing/tickets/{ticket_id}/comments", 200).gives(many::<Comment>()),
    route("create_comment", Method::Post, "/v1/ticketing/tickets/{ticket_id}/comments", 201).takes::<CreateComment>().gives(one::<Comment>()),
    route("delete_comment", Method::Delete, "/v1/ticketing/tickets/{ticket_id}/comments/{comment_id}", 204).gives(Shape::Nothing),
    route("create_note", Method::Post, "/v1/ticketing/tickets/{ticket_id}/notes", 201),
    route("delete_note", Method::Delete, "/v1/ticketing/tickets/{ticket_id}/notes/{note_id}", 204),
    route("list_notes", Method::Get, "/v1/ticketing/tickets/{ticket_id}/notes", 200),
    route("patch_note", Method::Patch, "/v1/ticketing/tickets/{ticket_id}/notes/{note_id}", 200),
    route("query_escalation_policies", Method::Get, "/v1/ticketing/escalation-policies", 200),
    route("list_on_call", Method::Get, "/v1/ticketing/escalation-policies/{escalation_policy_id}/on-call", 200),
];

/// An attachment as it is downloaded; its other facts are in the list of attachments.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct DownloadedAttachment {
    /// Name of the file.
    file_name: String,
    /// Media type.
    file_type: String,
    /// Base64 of the file.
    content: String,
}

/// Most rows of one page.
const MOST: u32 = 1000;
/// Rows of a page of projects when no limit is given.
const PROJECTS: u32 = 50;
/// Rows of a page of tickets when no limit is given.
const TICKETS: u32 = 100;
/// Longest cursor that an adapter makes.
const LONGEST_CURSOR: usize = 4096;
/// Longest id of a provider's object.
const LONGEST_ID: usize = 300;

/// What was asked for beside the result.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Meta {
    /// `stats/count(...)`: the fields to count by; empty counts all.
    count: Option<Vec<String>>,
    /// `api/response(primary)`.
    primary: bool,
    /// `api/response(all)`.
    all: bool,
}

impl Meta {
    fn read(request: &Request) -> Result<Self, Problem> {
        let mut meta = Self::default();
        if request.values("meta").any(|text| split_functions(text).is_empty()) {
            return Err(unknown_meta(""));
        }
        for function in request.values("meta").flat_map(split_functions) {
            let (name, arguments) = function.strip_suffix(')').and_then(|open| open.split_once('(')).unwrap_or((function, ""));
            let mut arguments = arguments.split(',').map(str::trim).filter(|argument| !argument.is_empty());
            match name {
                "stats/count" => meta.count.get_or_insert_default().extend(arguments.map(ToOwned::to_owned)),
                "api/response" => match arguments.next() {
                    None | Some("primary") => meta.primary = true,
                    Some("all") => (meta.primary, meta.all) = (true, true),
                    Some(_) => return Err(unknown_meta(function)),
                },
                _ => return Err(unknown_meta(function)),
            }
        }
        Ok(meta)
    }

    /// Whether exchanges with the provider must be written down.
    pub fn traced(&self) -> bool {
        self.primary || self.all
    }

    fn answer(&self, result: &Value, exchanges: &[Exchange]) -> Option<Value> {
        let mut meta = Map::new();
        if let Some(fields) = &self.count {
            meta.insert("stats".to_owned(), json!({ "count": count(result, fields) }));
        }
        if self.traced() {
            let endpoint = |exchange: &Exchange| format!("{} {}", exchange.request.method, exchange.request.url);
            let body = |exchange: &Exchange| exchange.response.as_ref().and_then(|response| response.body.clone()).unwrap_or_default();
            let mut response = Map::new();
            if let Some(first) = exchanges.first() {
                response.insert("primary".to_owned(), json!({ "endpoint": endpoint(first), "response": body(first) }));
            }
            if self.all {
                let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
                for exchange in exchanges {
                    all.entry(endpoint(exchange)).or_default().push(body(exchange));
                }
                response.insert("list".to_owned(), json!(all));
            }
            meta.insert("api".to_owned(), json!({ "response": response }));
        }
        (!meta.is_empty()).then_some(Value::Object(meta))
    }
}

/// Splits `a,b(c,d)` at the commas outside parentheses.
fn split_functions(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth <= 0
    })
    .map(str::trim)
    .filter(|function| !function.is_empty())
    .collect()
}

fn unknown_meta(function: &str) -> Problem {
    let shown: String = function.chars().take(80).collect();
    Problem::new(Code::InvalidField, format!("The meta function `{shown}` is not known. Use stats/count(), stats/count(field), api/response(primary) or api/response(all)."))
        .at(Location::Query, "meta")
}

/// Counts rows of the answer: `*` is all of them, any other key a value of one of the fields.
fn count(result: &Value, fields: &[String]) -> BTreeMap<String, u64> {
    let rows = match result {
        Value::Array(rows) => rows.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut counts = BTreeMap::from([("*".to_owned(), u64::try_from(rows.len()).unwrap_or(u64::MAX))]);
    for value in fields.iter().filter(|field| *field != "*").flat_map(|field| rows.iter().filter_map(move |row| row.get(field)?.as_str())) {
        *counts.entry(value.to_owned()).or_default() += 1;
    }
    counts
}

/// Reads a request into an operation and what was asked for beside its result.
///
/// # Errors
/// `operation_unsupported` for an operation that no provider of this build offers, and problems of the request.
pub fn read(name: &str, mut request: Request) -> Result<(TicketingOperation, Meta), Problem> {
    let meta = Meta::read(&request)?;
    let body = request.body.take();
    let ticket = || id(&request, "ticket_id");
    let operation = match name {
        "list_remote_fields" => TicketingOperation::ListRemoteFields,
        "list_projects" => TicketingOperation::ListProjects(page(&request, PROJECTS)?),
        "query_tickets" => TicketingOperation::QueryTickets {
            page: page(&request, TICKETS)?,
            filters: conditions(&request, "filter", Filter::parse)?,
            orders: conditions(&request, "order", Order::parse)?,
        },
        "get_ticket" => TicketingOperation::GetTicket(ticket()?),
        "create_ticket" => TicketingOperation::CreateTicket(Box::new(object(body)?)),
        "patch_ticket" => {
            let Patch(operations) = Patch::read(body)?;
            let operations = from_value(operations).map_err(|problem| Problem { code: Code::InvalidPatch, ..problem })?;
            TicketingOperation::PatchTicket(ticket()?, operations)
        }
        "list_comments" => TicketingOperation::ListComments(ticket()?),
        "create_comment" => TicketingOperation::CreateComment(ticket()?, object(body)?),
        "delete_comment" => TicketingOperation::DeleteComment(ticket()?, id(&request, "comment_id")?),
        "list_attachments_metadata" => TicketingOperation::ListAttachments(ticket()?),
        "create_attachment" => TicketingOperation::CreateAttachment(ticket()?, object(body)?),
        "download_attachment" => TicketingOperation::DownloadAttachment(ticket()?, id(&request, "attachment_id")?),
        "delete_attachment" => TicketingOperation::DeleteAttachment(ticket()?, id(&request, "attachment_id")?),
        name if ROUTES.iter().any(|route| route.name == name) => {
            return Err(Problem::new(
                Code::OperationUnsupported,
                format!("No provider of this Patchbay offers the operation `{name}`. GET /v1/capabilities/providers?expand=operations lists what each offers."),
            ));
        }
        other => {
            let shown: String = other.chars().take(80).collect();
            return Err(Problem::field(
                "/operation",
                format!("`{shown}` is not an operation of the ticketing connector. GET /v1/capabilities/providers?expand=operations lists them."),
            ));
        }
    };
    Ok((operation, meta))
}

fn object<T: DeserializeOwned>(body: Option<Value>) -> Result<T, Problem> {
    match body {
        Some(body @ Value::Object(_)) => from_value(body),
        Some(_) => Err(Problem::new(Code::InvalidBody, "The body must be a JSON object. Send the object that this operation takes.").at_body("")),
        None => Err(Problem::new(Code::InvalidBody, "A body is missing. Send the JSON that this operation takes.")),
    }
}

/// An id of the provider's. It goes into the provider's URL, where the adapter escapes it.
fn id(request: &Request, name: &str) -> Result<String, Problem> {
    let id = request.path(name)?;
    if id.len() > LONGEST_ID || id.chars().any(char::is_control) {
        return Err(Problem::not_found("object", id.chars().filter(|c| !c.is_control()).collect::<String>()));
    }
    Ok(id.to_owned())
}

fn page(request: &Request, default: u32) -> Result<PageRequest, Problem> {
    let limit = request.values("limit").last().map(|text| read_limit(text, MOST)).transpose()?.unwrap_or(default);
    let cursor = request.values("cursor").last().filter(|cursor| !cursor.is_empty()).map(ToOwned::to_owned);
    if cursor.as_ref().is_some_and(|cursor| cursor.len() > LONGEST_CURSOR) {
        return Err(Problem::new(Code::InvalidCursor, "The parameter `cursor` is too long. Give the `cursor` of the page before, or none for the first page.")
            .at(Location::Query, "cursor"));
    }
    Ok(PageRequest { cursor, limit })
}

fn conditions<T>(request: &Request, name: &'static str, parse: fn(&str) -> Result<T, Problem>) -> Result<Vec<T>, Problem> {
    if request.values(name).count() > 20 {
        return Err(Problem::new(Code::InvalidField, format!("The parameter `{name}` may be given at most 20 times.")).at(Location::Query, name));
    }
    request.values(name).map(parse).collect()
}

/// The envelope of an answer. `messages` holds what the provider could not do of it.
///
/// # Errors
/// `internal` when it cannot be written as JSON.
pub fn envelope(answer: TicketingAnswer, meta: &Meta, exchanges: &[Exchange], messages: Option<Messages>) -> Result<Value, Problem> {
    let (result, cursor) = match answer {
        TicketingAnswer::RemoteFields(fields) => (json_of(&fields)?, None),
        TicketingAnswer::Projects(projects, cursor) => (json_of(&projects)?, Some(cursor)),
        TicketingAnswer::Tickets(tickets, cursor) => (json_of(&tickets)?, Some(cursor)),
        TicketingAnswer::Ticket(ticket) => (json_of(&ticket)?, None),
        TicketingAnswer::Comments(comments) => (json_of(&comments)?, None),
        TicketingAnswer::Comment(comment) => (json_of(&comment)?, None),
        TicketingAnswer::Attachments(attachments) => (json_of(&attachments)?, None),
        TicketingAnswer::AttachmentMetadata(attachment) => (json_of(&attachment)?, None),
        TicketingAnswer::Attachment(attachment) => {
            let attachment = *attachment;
            (json_of(&DownloadedAttachment { file_name: attachment.metadata.file_name, file_type: attachment.metadata.file_type, content: attachment.content })?, None)
        }
        TicketingAnswer::Done => (Value::Object(Map::new()), None),
    };
    let meta = meta.answer(&result, exchanges);
    let mut envelope = Map::from_iter([("result".to_owned(), result)]);
    if let Some(cursor) = cursor {
        envelope.insert("cursor".to_owned(), Value::String(cursor));
    }
    if let Some(meta) = meta {
        envelope.insert("meta".to_owned(), meta);
    }
    if let Some(messages) = messages {
        envelope.insert("messages".to_owned(), json_of(&messages)?);
    }
    Ok(Value::Object(envelope))
}

fn json_of(value: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|error| Problem::internal(format_args!("an answer cannot be written: {error}")))
}

/// Runs one route of the connector.
///
/// # Errors
/// Problems of the request, of the integration, and of the provider.
pub async fn run(engine: &Engine, grant: &ConnectorGrant, route: &Route, request: Request) -> Result<Reply, Problem> {
    let (operation, meta) = read(route.name, request)?;
    let outcome = Box::pin(engine.call_ticketing(grant, operation, CallOptions { trace: meta.traced() })).await?;
    let body = envelope(outcome.answer, &meta, &outcome.exchanges, messages(engine, outcome.notices))?;
    Reply::of(route.status, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(values: &[&str]) -> Result<Meta, Problem> {
        Meta::read(&Request { query: values.iter().map(|value| ("meta".to_owned(), (*value).to_owned())).collect(), ..Request::default() })
    }

    #[test]
    fn meta_functions_are_read() {
        assert_eq!(meta(&["stats/count()", "api/response(primary)"]).unwrap(), Meta { count: Some(vec![]), primary: true, all: false });
        assert_eq!(meta(&["stats/count(status,priority),api/response(all)"]).unwrap(), Meta { count: Some(vec!["status".into(), "priority".into()]), primary: true, all: true });
        assert_eq!(meta(&["stats/sum()"]).unwrap_err().code, Code::InvalidField);
        assert_eq!(meta(&["api/response(none)"]).unwrap_err().code, Code::InvalidField);
        assert_eq!(meta(&[""]).unwrap_err().code, Code::InvalidField);
    }

    #[test]
    fn rows_are_counted() {
        let rows = json!([{"status": "Open"}, {"status": "Open"}, {"status": null}]);
        assert_eq!(count(&rows, &["status".to_owned()]), BTreeMap::from([("*".to_owned(), 3), ("Open".to_owned(), 2)]));
    }

    #[test]
    fn operations_that_nobody_offers_are_told_apart_from_none() {
        for route in ROUTES {
            let request = Request {
                path: ["ticket_id", "comment_id", "attachment_id", "note_id", "escalation_policy_id"].map(|name| (name.to_owned(), "1".to_owned())).to_vec(),
                body: Some(if route.method == Method::Patch { json!([]) } else { json!({"name": "n", "content": "c", "file_name": "f"}) }),
                ..Request::default()
            };
            match read(route.name, request) {
                Ok((operation, _)) => assert_eq!(operation.name(), route.name),
                Err(problem) => assert_eq!(problem.code, Code::OperationUnsupported, "{}", route.name),
            }
        }
        assert_eq!(read("fly", Request::default()).unwrap_err().code, Code::InvalidField);
    }
}

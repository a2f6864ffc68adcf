//! The Redmine adapter against a real Redmine 5 (Debian's packages), which `tests/peers/redmine.py` starts.
//!
//! Run with `cargo test -p patchbay-providers -- --ignored redmine`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use patchbay_model::connector::ticketing::{CreateAttachment, CreateComment, CreateTicket, PageRequest, Priority, Ticket, TicketingAnswer, TicketingOperation as Op};
use patchbay_model::list::{Filter, Order};
use patchbay_model::{Code, Problem};
use patchbay_providers::{AdapterContext, Catalog, ProviderRequest, ProviderResponse, RequestBody, Step};
use serde_json::{Value, json};

use crate::drive::{context, start};

struct Redmine {
    child: Child,
    host: String,
    key: String,
    context: AdapterContext,
    facts: Value,
}

impl Drop for Redmine {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

impl Redmine {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/peers/redmine.py");
        let mut child = Command::new(script).arg("--stdin").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let facts: Value = serde_json::from_str(&line).unwrap();
        let url = facts["url"].as_str().unwrap().trim_end_matches('/').to_owned();
        let mut redmine = Self { child, host: url.strip_prefix("http://").unwrap().to_owned(), key: String::new(), context: context(json!({ "url": url }), Some(&url)), facts };
        redmine.sign_in("ada");
        redmine
    }

    fn sign_in(&mut self, login: &str) {
        let users = self.facts["users"].as_array().unwrap();
        self.key = users.iter().find(|user| user["login"] == login).unwrap()["api_key"].as_str().unwrap().to_owned();
    }

    fn exchange(&self, request: &ProviderRequest) -> ProviderResponse {
        let (kind, body) = match &request.body {
            RequestBody::Empty => (String::new(), Vec::new()),
            RequestBody::Json(value) => ("Content-Type: application/json\r\n".to_owned(), serde_json::to_vec(value).unwrap()),
            RequestBody::Bytes { content_type, bytes } => (format!("Content-Type: {content_type}\r\n"), bytes.clone()),
            RequestBody::Multipart(_) => panic!("Redmine gets no multipart"),
        };
        let target = format!("{}{}", request.url.path(), request.url.query().map(|query| format!("?{query}")).unwrap_or_default());
        let key = if request.authenticated { format!("X-Redmine-API-Key: {}\r\n", self.key) } else { String::new() };
        let mut stream = TcpStream::connect(&self.host).unwrap();
        write!(stream, "{} {target} HTTP/1.0\r\nHost: {}\r\n{key}{kind}Content-Length: {}\r\nConnection: close\r\n\r\n", request.method.as_str(), self.host, body.len()).unwrap();
        stream.write_all(&body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        ProviderResponse { status, headers, body: answer[end + 4..].to_vec() }
    }

    fn drive<T>(&self, mut step: Step<T>) -> Result<(T, Vec<Problem>), Problem> {
        let mut notices = Vec::new();
        loop {
            step = match step {
                Step::Done(answer) => return Ok((answer, notices)),
                Step::Notice { problem, next } => {
                    notices.push(*problem);
                    *next
                }
                Step::Send { request, then } => then(self.exchange(&request))?,
                Step::Local { .. } => panic!("Redmine is not local"),
            };
        }
    }

    fn run(&self, operation: Op) -> Result<TicketingAnswer, Problem> {
        self.drive(start("ticketing_redmine", operation, &self.context)?).map(|(answer, _)| answer)
    }

    fn ticket(&self, operation: Op) -> Result<Ticket, Problem> {
        match self.run(operation)? {
            TicketingAnswer::Ticket(ticket) => Ok(*ticket),
            other => panic!("{other:?}"),
        }
    }

    fn all(&self, filters: &[&str], orders: &[&str], limit: u32) -> Result<Vec<Ticket>, Problem> {
        let (mut tickets, mut cursor) = (Vec::new(), None);
        loop {
            let operation = Op::QueryTickets {
                page: PageRequest { cursor, limit },
                filters: filters.iter().map(|text| Filter::parse(text).unwrap()).collect(),
                orders: orders.iter().map(|text| Order::parse(text).unwrap()).collect(),
            };
            let TicketingAnswer::Tickets(page, next) = self.run(operation)? else { panic!() };
            tickets.extend(page);
            if next.is_empty() {
                return Ok(tickets);
            }
            cursor = Some(next);
        }
    }

    fn patch(&self, id: &str, patch: Value) -> Result<Ticket, Problem> {
        self.ticket(Op::PatchTicket(id.to_owned(), serde_json::from_value(patch).unwrap()))
    }
}

fn ids(tickets: &[Ticket]) -> Vec<u64> {
    tickets.iter().map(|ticket| ticket.id.parse().unwrap()).collect()
}

#[test]
fn redmine_does_what_the_adapter_says() {
    let mut redmine = Redmine::start();
    let catalog = Catalog::builtin().unwrap();
    let provider = catalog.find("ticketing_redmine").unwrap();
    let (identity, _) = redmine.drive(provider.probe(&redmine.context).unwrap()).unwrap();
    assert_eq!(identity.name.as_deref(), Some("ada"));

    // Lists, to the very end, in every page size, with closed issues.
    for limit in [7, 30, 100, 500] {
        let tickets = redmine.all(&[], &[], limit).unwrap();
        assert_eq!(tickets.len(), 30, "limit {limit}");
        assert!(ids(&tickets).is_sorted(), "by id");
    }
    let open = redmine.all(&["status[eq]open"], &[], 100).unwrap();
    assert_eq!(open.len(), 26);
    let statuses: std::collections::BTreeMap<String, usize> = redmine.all(&[], &[], 100).unwrap().into_iter().fold(Default::default(), |mut map, ticket| {
        *map.entry(ticket.status.unwrap()).or_default() += 1;
        map
    });
    for (status, count) in &statuses {
        assert_eq!(redmine.all(&[&format!("status[eq]\"{status}\"")], &[], 100).unwrap().len(), *count, "{status}");
        assert_eq!(redmine.all(&[&format!("status[ne]\"{status}\"")], &[], 100).unwrap().len(), 30 - count, "not {status}");
    }
    let TicketingAnswer::Projects(projects, next) = redmine.run(Op::ListProjects(PageRequest { cursor: None, limit: 50 })).unwrap() else { panic!() };
    assert_eq!((projects.len(), next.as_str()), (2, ""));
    let mut sum = 0;
    for project in &projects {
        let tickets = redmine.all(&[&format!("project[eq]{}", project.id)], &["updated_at[desc]"], 100).unwrap();
        assert!(tickets.iter().all(|ticket| ticket.project.as_ref() == Some(&project.id)));
        sum += tickets.len();
    }
    assert_eq!(sum, 30);
    assert_eq!(redmine.all(&["project[eq]nowhere"], &[], 10).unwrap_err().code, Code::NotFound);
    assert_eq!(redmine.all(&["status[eq]Nowhere"], &[], 10).unwrap_err().code, Code::InvalidFilter);

    // A ticket's life.
    let new: CreateTicket = serde_json::from_value(json!({
        "name": "Lampe à l'entrée 💡", "description": "Zeile 1\nZeile 2", "priority": "HIGH", "project": "support", "due_date": "2026-12-24T00:00:00Z", "tags": ["x"], "assignee": "me",
    }))
    .unwrap();
    let step = start("ticketing_redmine", Op::CreateTicket(Box::new(new)), &redmine.context).unwrap();
    let (made, notices) = redmine.drive(step).unwrap();
    let TicketingAnswer::Ticket(made) = made else { panic!() };
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].message.contains("`tags`"), "{notices:?}");
    assert_eq!((made.summary.as_str(), made.priority), ("Lampe à l'entrée 💡", Some(Priority::High)));
    assert_eq!(made.due_date.unwrap().to_string(), "2026-12-24T00:00:00.000000Z");
    assert_eq!(redmine.all(&["summary[like]%entrée%"], &[], 10).unwrap().len(), 1);
    assert_eq!(redmine.all(&["summary[like]Lampe%"], &[], 10).unwrap().len(), 1);
    assert_eq!(redmine.all(&["due_date[eq]2026-12-24T00:00:00Z"], &[], 10).unwrap().len(), 1);
    assert!(ids(&redmine.all(&[&format!("created_at[gte]{}", made.created_at.unwrap())], &[], 10).unwrap()).contains(&made.id.parse().unwrap()));
    assert_eq!(redmine.all(&[&format!("id[in]{},1", made.id)], &["id[desc]"], 10).unwrap().len(), 2);
    assert!(!redmine.all(&["priority[eq]HIGH"], &[], 100).unwrap().is_empty());

    let changed = redmine.patch(&made.id, json!([{ "op": "replace", "path": "/status", "value": "in progress" }, { "op": "replace", "path": "/priority", "value": "URGENT" }, { "op": "remove", "path": "/due_date" }])).unwrap();
    assert_eq!((changed.status.as_deref(), changed.priority, changed.due_date), (Some("In Progress"), Some(Priority::Urgent), None));
    assert_eq!(redmine.patch(&made.id, json!([{ "op": "replace", "path": "/status", "value": "Nowhere" }])).unwrap_err().code, Code::InvalidField);
    assert_eq!(redmine.patch(&made.id, json!([{ "op": "replace", "path": "/contact", "value": "x" }])).unwrap_err().code, Code::InvalidPatch);
    let unassigned = redmine.patch(&made.id, json!([{ "op": "remove", "path": "/assignee" }])).unwrap();
    assert_eq!(unassigned.assignee, None);
    let name = changed.creator.clone().unwrap();
    assert_eq!(redmine.patch(&made.id, json!([{ "op": "add", "path": "/assignee", "value": name }])).unwrap().assignee.as_ref(), Some(&name));
    let with_field = redmine.patch(&made.id, json!([{ "op": "add", "path": "/custom_fields/Customer reference", "value": "R-7" }])).unwrap();
    assert_eq!(with_field.custom_fields.unwrap()["Customer reference"], "R-7");

    // Comments.
    let TicketingAnswer::Comment(comment) = redmine.run(Op::CreateComment(made.id.clone(), CreateComment { content: "Ça va\n\n* eins".into(), creator: None })).unwrap() else {
        panic!()
    };
    assert_eq!(comment.content.replace("\r\n", "\n"), "Ça va\n\n* eins");
    let TicketingAnswer::Comments(comments) = redmine.run(Op::ListComments(made.id.clone())).unwrap() else { panic!() };
    assert_eq!(comments.len(), 1);
    redmine.run(Op::DeleteComment(made.id.clone(), comment.id.clone())).unwrap();
    assert_eq!(redmine.run(Op::DeleteComment(made.id.clone(), comment.id.clone())).unwrap_err().code, Code::NotFound);
    let TicketingAnswer::Comments(comments) = redmine.run(Op::ListComments(made.id.clone())).unwrap() else { panic!() };
    assert_eq!(comments, []);

    // Attachments.
    let file = CreateAttachment { file_name: "Grüße & co.bin".into(), content: "AAEC/w==".into() };
    let TicketingAnswer::AttachmentMetadata(attached) = redmine.run(Op::CreateAttachment(made.id.clone(), file)).unwrap() else { panic!() };
    assert_eq!((attached.file_name.as_str(), attached.file_size), ("Grüße & co.bin", Some(4)));
    let TicketingAnswer::Attachment(full) = redmine.run(Op::DownloadAttachment(made.id.clone(), attached.id.clone())).unwrap() else { panic!() };
    assert_eq!(full.content, "AAEC/w==");
    assert_eq!(redmine.run(Op::DownloadAttachment("1".into(), attached.id.clone())).unwrap_err().code, Code::NotFound);
    redmine.run(Op::DeleteAttachment(made.id.clone(), attached.id.clone())).unwrap();
    let TicketingAnswer::Attachments(left) = redmine.run(Op::ListAttachments(made.id.clone())).unwrap() else { panic!() };
    assert_eq!(left, []);

    for login in ["ada", "admin", "zoe"] {
        redmine.sign_in(login);
        let TicketingAnswer::RemoteFields(fields) = redmine.run(Op::ListRemoteFields).unwrap() else { panic!() };
        assert!(fields.iter().any(|field| field.field_id == "cf_1" && field.provider_field_name == "Customer reference"), "{login}: {fields:?}");
    }
    // Refusals.
    redmine.sign_in("zoe");
    assert_eq!(redmine.run(Op::GetTicket("99999".into())).unwrap_err().code, Code::NotFound);
    assert_eq!(redmine.ticket(Op::GetTicket("1/../2".into())).unwrap_err().code, Code::NotFound);
    redmine.key = "wrong".to_owned();
    let problem = redmine.run(Op::GetTicket("1".into())).unwrap_err();
    assert_eq!(problem.code, Code::ProviderRefused, "{problem:?}");
    assert_eq!(problem.context.provider_details["status"], 401);
}

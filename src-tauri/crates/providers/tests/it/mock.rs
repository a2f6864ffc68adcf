//! The mock ticket system over documents in memory: a whole life of a ticket.

use patchbay_model::Code;
use patchbay_model::connector::ticketing::{CreateAttachment, CreateComment, CreateTicket, PageRequest, Ticket, TicketingAnswer, TicketingOperation as Op};
use patchbay_model::list::{Filter, Order};
use serde_json::{Value, json};

use crate::drive::{Documents, context, start};

const MOCK: &str = "ticketing_mock_ticketing";

struct World {
    documents: Documents,
    context: patchbay_providers::AdapterContext,
}

impl World {
    fn new() -> Self {
        Self { documents: Documents::default(), context: context(json!({ "name": "demo" }), None) }
    }

    fn run(&mut self, operation: Op) -> Result<TicketingAnswer, patchbay_model::Problem> {
        let step = start(MOCK, operation, &self.context)?;
        self.documents.run(step)
    }

    fn create(&mut self, body: Value) -> Ticket {
        let new: CreateTicket = serde_json::from_value(body).unwrap();
        match self.run(Op::CreateTicket(Box::new(new))).unwrap() {
            TicketingAnswer::Ticket(ticket) => *ticket,
            other => panic!("{other:?}"),
        }
    }

    fn query(&mut self, filters: &[&str], orders: &[&str], cursor: Option<&str>, limit: u32) -> Result<(Vec<Ticket>, String), patchbay_model::Problem> {
        let operation = Op::QueryTickets {
            page: PageRequest { cursor: cursor.map(str::to_owned), limit },
            filters: filters.iter().map(|text| Filter::parse(text).unwrap()).collect(),
            orders: orders.iter().map(|text| Order::parse(text).unwrap()).collect(),
        };
        match self.run(operation)? {
            TicketingAnswer::Tickets(tickets, next) => Ok((tickets, next)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_ticket_lives() {
    let mut world = World::new();
    let made = world.create(json!({ "name": "Broken lamp", "priority": "HIGH", "tags": ["demo"] }));
    assert_eq!((made.summary.as_str(), made.status.as_deref(), made.project.as_deref()), ("Broken lamp", Some("Open"), Some("demo")));
    let patch = serde_json::from_value(json!([{ "op": "replace", "path": "/status", "value": "Done" }, { "op": "add", "path": "/assignee", "value": "ada" }])).unwrap();
    let TicketingAnswer::Ticket(changed) = world.run(Op::PatchTicket(made.id.clone(), patch)).unwrap() else { panic!() };
    assert_eq!((changed.status.as_deref(), changed.assignee.as_deref()), (Some("Done"), Some("ada")));
    assert!(changed.updated_at > made.updated_at && changed.created_at == made.created_at);
    let TicketingAnswer::Ticket(read) = world.run(Op::GetTicket(made.id.clone())).unwrap() else { panic!() };
    assert_eq!(read, changed);

    let TicketingAnswer::Comment(comment) = world.run(Op::CreateComment(made.id.clone(), CreateComment { content: "On it".into(), creator: None })).unwrap() else { panic!() };
    let TicketingAnswer::Comments(comments) = world.run(Op::ListComments(made.id.clone())).unwrap() else { panic!() };
    assert_eq!(comments, [(*comment).clone()]);
    world.run(Op::DeleteComment(made.id.clone(), comment.id.clone())).unwrap();
    assert_eq!(world.run(Op::DeleteComment(made.id.clone(), comment.id.clone())).unwrap_err().code, Code::NotFound);

    let file = CreateAttachment { file_name: "r.bin".into(), content: "AAEC/w==".into() };
    let TicketingAnswer::AttachmentMetadata(attached) = world.run(Op::CreateAttachment(made.id.clone(), file)).unwrap() else { panic!() };
    assert_eq!(attached.file_size, Some(4));
    let TicketingAnswer::Attachment(full) = world.run(Op::DownloadAttachment(made.id.clone(), attached.id.clone())).unwrap() else { panic!() };
    assert_eq!((full.content.as_str(), &full.metadata), ("AAEC/w==", &*attached));
    let TicketingAnswer::Attachments(list) = world.run(Op::ListAttachments(made.id.clone())).unwrap() else { panic!() };
    assert_eq!(list, [(*attached).clone()]);
    world.run(Op::DeleteAttachment(made.id.clone(), attached.id.clone())).unwrap();
    assert_eq!(world.run(Op::DownloadAttachment(made.id.clone(), attached.id.clone())).unwrap_err().code, Code::NotFound);
}

#[test]
fn what_belongs_to_one_ticket_is_not_reached_through_another() {
    let mut world = World::new();
    let (first, second) = (world.create(json!({ "name": "a" })), world.create(json!({ "name": "b" })));
    let TicketingAnswer::Comment(comment) = world.run(Op::CreateComment(first.id.clone(), CreateComment { content: "x".into(), creator: None })).unwrap() else { panic!() };
    assert_eq!(world.run(Op::DeleteComment(second.id.clone(), comment.id.clone())).unwrap_err().code, Code::NotFound);
    assert_eq!(world.run(Op::DeleteComment(String::new(), format!("{}/{}", first.id, comment.id))).unwrap_err().code, Code::NotFound);
    assert_eq!(world.run(Op::GetTicket(format!("{}/", first.id))).unwrap_err().code, Code::NotFound);
    let TicketingAnswer::Comments(comments) = world.run(Op::ListComments(first.id)).unwrap() else { panic!() };
    assert_eq!(comments.len(), 1);
}

#[test]
fn pages_cover_everything_once() {
    let mut world = World::new();
    for n in 0..1203 {
        world.create(json!({ "name": format!("t{n:04}"), "status": if n % 2 == 0 { "Open" } else { "To Do" } }));
    }
    for orders in [&[][..], &["name[desc]"], &["status", "created_at[desc]"]] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let (tickets, next) = world.query(&["status[eq]\"To Do\""], orders, cursor.as_deref(), 100).unwrap();
            seen.extend(tickets.into_iter().map(|ticket| ticket.name));
            if next.is_empty() {
                break;
            }
            cursor = Some(next);
        }
        assert_eq!(seen.len(), 601, "order {orders:?}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 601, "order {orders:?} repeats rows");
    }
    assert_eq!(world.query(&[], &[], Some("frob"), 10).unwrap_err().code, Code::InvalidCursor);
}

#[test]
fn filters_select_and_unknown_ones_are_refused() {
    let mut world = World::new();
    let a = world.create(json!({ "name": "demo-a", "priority": "HIGH", "project": "x" }));
    world.create(json!({ "name": "demo-b", "priority": "LOW" }));
    world.create(json!({ "name": "other", "assignee": "ada" }));
    let mut count = |filter: &str| world.query(&[filter], &[], None, 100).map(|(rows, _)| rows.len());
    assert_eq!(count("name[like]demo-%"), Ok(2));
    assert_eq!(count("name[not like]DEMO*"), Ok(1));
    assert_eq!(count("priority[in]HIGH,LOW"), Ok(2));
    assert_eq!(count("assignee[ne]ada"), Ok(2));
    assert_eq!(count(&format!("created_at[gt]{}", a.created_at.unwrap())), Ok(2));
    assert_eq!(count("project[eq]x"), Ok(1));
    for bad in ["frob[eq]x", "name[gt]x", "priority[eq]VERY", "created_at[gt]yesterday"] {
        let problem = count(bad).unwrap_err();
        assert_eq!(problem.code, Code::InvalidFilter, "{bad}");
    }
    let problem = count("frob[eq]x").unwrap_err();
    assert!(problem.message.contains("name[eq|ne|in|not in|like|not like]"), "the message lists what works: {}", problem.message);
    assert_eq!(world.query(&[], &["frob"], None, 10).unwrap_err().code, Code::InvalidOrder);
}

#[test]
fn bad_input_is_refused() {
    let mut world = World::new();
    let ticket = world.create(json!({ "name": "a" }));
    assert_eq!(world.run(Op::CreateTicket(Box::default())).unwrap_err().code, Code::InvalidField);
    for (file_name, content) in [("../x", "AA=="), ("", "AA=="), ("x", "%%%"), ("x", "AA")] {
        let file = CreateAttachment { file_name: file_name.into(), content: content.into() };
        assert_eq!(world.run(Op::CreateAttachment(ticket.id.clone(), file)).unwrap_err().code, Code::InvalidField, "{file_name:?} {content:?}");
    }
    let new = CreateTicket { name: Some("b".into()), parent: Some("nowhere".into()), ..CreateTicket::default() };
    assert_eq!(world.run(Op::CreateTicket(Box::new(new))).unwrap_err().code, Code::InvalidField);
}

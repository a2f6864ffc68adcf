//! The mock ticket system, whose tickets lie in the store.

use patchbay_engine::call::CallOptions;
use patchbay_model::Code;
use patchbay_model::connector::ticketing::{CreateComment, CreateTicket, PageRequest, TicketPatch, TicketingAnswer, TicketingOperation};
use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn tickets_are_made_read_changed_and_listed() {
    let world = World::new().await;
    let made = world.integration(json!({ "type": "ticketing_mock_ticketing" }), None).await;
    assert!(made.problems.is_empty(), "{:?}", made.problems);
    let grant = world.connector().await;
    let call = async |operation| world.engine.call_ticketing(&grant, operation, CallOptions::default()).await.map(|outcome| outcome.answer);
    let mut ids = Vec::new();
    for number in 0..3 {
        let new = CreateTicket { name: Some(format!("ticket {number}")), ..CreateTicket::default() };
        let TicketingAnswer::Ticket(ticket) = call(TicketingOperation::CreateTicket(Box::new(new))).await.unwrap() else { panic!("a ticket") };
        ids.push(ticket.id);
    }
    let comment = CreateComment { content: "Looking into it".to_owned(), creator: None };
    call(TicketingOperation::CreateComment(ids[0].clone(), comment)).await.unwrap();
    let TicketingAnswer::Comments(comments) = call(TicketingOperation::ListComments(ids[0].clone())).await.unwrap() else { panic!("comments") };
    assert_eq!(comments[0].content, "Looking into it");
    let TicketingAnswer::Comments(comments) = call(TicketingOperation::ListComments(ids[1].clone())).await.unwrap() else { panic!("comments") };
    assert!(comments.is_empty(), "comments belong to their ticket");
    let patch = TicketPatch { op: "replace".to_owned(), path: "/summary".to_owned(), value: Some(json!("changed")), from: None };
    call(TicketingOperation::PatchTicket(ids[1].clone(), vec![patch])).await.unwrap();
    let query = TicketingOperation::QueryTickets { page: PageRequest { cursor: None, limit: 10 }, filters: Vec::new(), orders: Vec::new() };
    let TicketingAnswer::Tickets(tickets, _) = call(query).await.unwrap() else { panic!("tickets") };
    // Those of the sample project may be among them.
    assert!(tickets.iter().any(|ticket| ticket.id == ids[1] && ticket.summary == "changed"), "{tickets:?}");
    assert_eq!(call(TicketingOperation::GetTicket("nowhere".to_owned())).await.unwrap_err().code, Code::NotFound);

    world.engine.shutdown().await;
    let store = world.bare_store().await;
    let counters = store.read(world.scope()).await.unwrap().counters(None).await.unwrap();
    assert!(counters.requests >= 9 && counters.failed >= 1, "{counters:?}");
}

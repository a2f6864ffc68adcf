//! What calls leave behind: sums, events, time series.

use patchbay_engine::call::CallOptions;
use patchbay_engine::{integration, status};
use patchbay_model::connector::ticketing::{PageRequest, TicketingOperation};
use patchbay_model::list::ListQuery;
use patchbay_model::status::CallSums;
use serde_json::json;

use crate::stand_in::StandIn;
use crate::world::World;

fn query() -> TicketingOperation {
    TicketingOperation::QueryTickets { page: PageRequest { cursor: None, limit: 10 }, filters: Vec::new(), orders: Vec::new() }
}

async fn call(world: &World, operation: TicketingOperation) -> bool {
    let grant = world.connector().await;
    world.engine.call_ticketing(&grant, operation, CallOptions::default()).await.is_ok()
}

async fn sums(world: &World) -> CallSums {
    status::get(&world.engine, &world.grant, "globex", "tracker").await.unwrap().used
}

fn well(request: &str) -> (u16, String) {
    if request.contains("/users/current.json") {
        return (200, json!({ "user": { "id": 7, "login": "ada", "firstname": "Ada", "lastname": "Lovelace" } }).to_string());
    }
    (200, json!({ "issues": [], "total_count": 0, "offset": 0, "limit": 25, "issue_statuses": [], "trackers": [], "issue_priorities": [] }).to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_by_what_they_used() {
    let (world, provider) = (World::new().await, StandIn::new().await);
    provider.answers(well);
    world.integration(json!({ "type": "ticketing_redmine", "url": provider.url, "credential": { "type": "token", "secret": "key" } }), None).await;
    let fresh = status::get(&world.engine, &world.grant, "globex", "tracker").await.unwrap();
    assert_eq!((fresh.used, fresh.status.as_str()), (CallSums::default(), "active"), "a connection test is no call");

    let before = provider.requests();
    assert!(call(&world, query()).await);
    let sent = provider.requests() - before;
    let once = sums(&world).await;
    assert_eq!((once.requests, once.failed, once.api_ops), (1, 0, sent as u64));
    assert!(once.in_bytes >= 10 && once.cpu_time_us > 0 && once.db_ops >= 1, "{once:?}");

    provider.answers(|_| (500, "{}".to_owned()));
    for _ in 0..3 {
        assert!(!call(&world, query()).await);
    }
    provider.answers(|_| (401, "{}".to_owned()));
    assert!(!call(&world, query()).await);
    provider.answers(well);
    for _ in 0..2 {
        assert!(call(&world, query()).await);
    }
    let all = sums(&world).await;
    assert_eq!((all.requests, all.failed), (7, 4));
    assert!(all.cpu_time_us > once.cpu_time_us && all.db_ops > once.db_ops);

    let events = status::events(&world.engine, &world.grant, "globex", "tracker", ListQuery::default()).await.unwrap().items;
    let told: Vec<(u64, bool, &str)> = events.iter().map(|event| (event.request, event.error.is_some(), event.status.as_str())).collect();
    assert_eq!(told.len(), 3, "one per turn, not per call: {events:?}");
    assert_eq!((told[0].0, told[0].1), (2, true));
    assert_eq!(told[1], (5, true, "needs_attention"));
    assert_eq!(told[2], (6, false, "active"));

    let hour = status::of_organization(&world.engine, &world.grant).await.unwrap();
    assert_eq!((hour.points.len(), hour.points.iter().map(|point| point.used.requests).sum::<u64>()), (60, 7));
    let day = status::of_integration(&world.engine, &world.grant, "globex", "tracker", status::Interval::Hour).await.unwrap();
    assert_eq!((day.points.len(), day.points.iter().map(|point| point.used.failed).sum::<u64>()), (24, 4));
    assert_eq!(day.points.iter().map(|point| point.used.in_bytes).sum::<u64>(), all.in_bytes);

    // Another process that has the store open continues from what is written.
    status::reset(&world.engine, &world.grant, "globex", "tracker").await.unwrap();
    let reset = status::get(&world.engine, &world.grant, "globex", "tracker").await.unwrap();
    assert!(reset.used == CallSums::default() && reset.counted_since > fresh.counted_since, "{reset:?}");
    assert!(status::events(&world.engine, &world.grant, "globex", "tracker", ListQuery::default()).await.unwrap().items.is_empty());
    assert!(call(&world, query()).await);
    assert_eq!(sums(&world).await.requests, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_call_counts_and_a_callers_mistake_is_no_event() {
    let world = World::new().await;
    world.integration(json!({ "type": "ticketing_mock_ticketing" }), None).await;
    assert!(!call(&world, TicketingOperation::GetTicket("no-such-ticket".to_owned())).await);
    integration::pause(&world.engine, &world.grant, "globex", "tracker").await.unwrap();
    assert!(!call(&world, query()).await);
    let state = status::get(&world.engine, &world.grant, "globex", "tracker").await.unwrap();
    assert_eq!((state.used.requests, state.used.failed, state.status.as_str()), (2, 2, "paused"));
    assert!(state.used.api_ops >= 1, "the mock's documents are its API: {:?}", state.used);
    let events = status::events(&world.engine, &world.grant, "globex", "tracker", ListQuery::default()).await.unwrap().items;
    assert_eq!(events.iter().map(|event| event.code.as_deref()).collect::<Vec<_>>(), [Some("integration_not_active")]);
}

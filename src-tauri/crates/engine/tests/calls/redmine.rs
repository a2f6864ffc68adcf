//! What calls do with a provider's answers, and what they tell of the integration.

use patchbay_engine::call::CallOptions;
use patchbay_engine::point::CreatePoint;
use patchbay_model::connector::Connector;
use patchbay_model::connector::ticketing::{CreateTicket, PageRequest, TicketingAnswer, TicketingOperation};
use patchbay_model::integration::{AttentionCause, IntegrationStatus};
use patchbay_model::point::IntegrationPoint;
use patchbay_model::{Code, Origin, Problem, Scope};
use serde_json::{Value, json};

use crate::stand_in::StandIn;
use crate::world::World;

const SECRET: &str = "planted-api-key-0123456789";

fn config(url: &str) -> Value {
    json!({ "type": "ticketing_redmine", "url": url, "credential": { "type": "token", "secret": SECRET } })
}

/// Says who the user is and shows one ticket, to whoever has the key.
fn well_behaved(request: &str) -> (u16, String) {
    if !request.to_lowercase().contains(&format!("x-redmine-api-key: {SECRET}")) {
        return (401, json!({ "errors": ["no"] }).to_string());
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    if path.starts_with("/users/current.json") {
        (200, json!({ "user": { "id": 7, "login": "ada", "firstname": "Ada", "lastname": "Lovelace" } }).to_string())
    } else {
        let issue = json!({ "id": 1, "subject": "One", "project": { "id": 1, "name": "Demo" }, "status": { "id": 1, "name": "New" } });
        (200, json!({ "issues": [issue], "issue": issue, "total_count": 1, "offset": 0, "limit": 25, "issue_statuses": [], "trackers": [], "issue_priorities": [] }).to_string())
    }
}

fn query() -> TicketingOperation {
    TicketingOperation::QueryTickets { page: PageRequest { cursor: None, limit: 10 }, filters: Vec::new(), orders: Vec::new() }
}

async fn call(world: &World, operation: TicketingOperation) -> Result<TicketingAnswer, Problem> {
    let grant = world.connector().await;
    world.engine.call_ticketing(&grant, operation, CallOptions::default()).await.map(|outcome| outcome.answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_credential_is_told_and_mends_itself() {
    let (world, stand_in) = (World::new().await, StandIn::new().await);
    stand_in.answers(well_behaved);
    let made = world.integration(config(&stand_in.url), None).await;
    assert!(made.problems.is_empty() && made.integration.status == IntegrationStatus::Active, "{:?}", made.problems);
    let TicketingAnswer::Tickets(tickets, _) = call(&world, query()).await.unwrap() else { panic!("tickets") };
    assert_eq!(tickets[0].summary, "One");

    stand_in.answers(|_| (401, json!({ "errors": [format!("bad key {SECRET}")] }).to_string()));
    let problem = call(&world, query()).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderRefused, "{}", problem.message);
    assert!(!format!("{problem:?}").contains(SECRET), "the provider quotes the key, we do not: {problem:?}");
    assert_eq!(world.now().await.status, IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialRefused });

    stand_in.answers(well_behaved);
    call(&world, query()).await.unwrap();
    assert_eq!(world.now().await.status, IntegrationStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_can_be_looked_at_without_secrets_even_when_it_failed() {
    let (world, stand_in) = (World::new().await, StandIn::new().await);
    stand_in.answers(well_behaved);
    world.integration(config(&stand_in.url), None).await;
    let grant = world.connector().await;
    let trial = world.engine.try_ticketing(&grant, query()).await;
    assert!(trial.answer.is_ok() && !trial.exchanges.is_empty());
    let first = &trial.exchanges[0];
    assert!(first.request.url.starts_with(&stand_in.url) && first.response.as_ref().unwrap().status == 200);
    assert!(first.request.headers.iter().any(|(name, value)| name == "x-redmine-api-key" && value.contains('•')), "{:?}", first.request.headers);
    stand_in.answers(|request| (500, request.to_owned()));
    let failed = world.engine.try_ticketing(&grant, TicketingOperation::GetTicket("1".to_owned())).await;
    assert!(failed.answer.is_err() && !failed.exchanges.is_empty());
    let shown = serde_json::to_string(&(&trial.exchanges, &failed.exchanges)).unwrap();
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(stand_in.last().contains(SECRET), "the provider itself got it");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_where_nothing_may_be() {
    let (world, stand_in) = (World::new().await, StandIn::new().await);
    stand_in.answers(well_behaved);
    let point = CreatePoint {
        name: Some("tickets".to_owned()),
        connector: Connector::Ticketing.as_str().to_owned(),
        environments: serde_json::from_value(json!({ "test": ["*"] })).unwrap(),
        fullname: None,
        description: None,
        policy: Default::default(),
    };
    let point = world.point(point).await;
    world.integration(config(&stand_in.url), Some(&point)).await;
    call(&world, query()).await.unwrap();
    let sent = stand_in.requests();

    patchbay_engine::integration::pause(&world.engine, &world.grant, "globex", "tracker").await.unwrap();
    assert_eq!(call(&world, query()).await.unwrap_err().code, Code::IntegrationNotActive);
    patchbay_engine::integration::resume(&world.engine, &world.grant, "globex", "tracker").await.unwrap();
    call(&world, query()).await.unwrap();
    assert!(stand_in.requests() > sent);
    let sent = stand_in.requests();

    // Rules can change under an integration that was made by other ones.
    let store = world.bare_store().await;
    let mut tx = store.write(Scope::Organization(world.account.organization_id), Origin::Cli).await.unwrap();
    tx.update_point(&IntegrationPoint { environments: serde_json::from_value(json!({ "prod": ["*"] })).unwrap(), ..point.clone() }).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(call(&world, query()).await.unwrap_err().code, Code::ProviderNotAllowed);

    let grant = world.connector().await;
    patchbay_engine::integration::delete(&world.engine, &world.grant, "globex", "tracker").await.unwrap();
    let problem = world.engine.call_ticketing(&grant, query(), CallOptions::default()).await.unwrap_err();
    assert_eq!(problem.code, Code::NotFound);
    assert_eq!(stand_in.requests(), sent, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_gone_is_told_and_what_may_not_be_repeated_is_not() {
    let (world, stand_in) = (World::new().await, StandIn::new().await);
    stand_in.answers(well_behaved);
    world.integration(config(&stand_in.url), None).await;
    let before = stand_in.requests();
    stand_in.answers(|_| (503, "{}".to_owned()));
    let new = CreateTicket { name: Some("one".to_owned()), project: Some("1".to_owned()), ..CreateTicket::default() };
    call(&world, TicketingOperation::CreateTicket(Box::new(new))).await.unwrap_err();
    let posts = stand_in.seen.lock().unwrap().iter().skip(before).filter(|request| request.starts_with("POST")).count();
    assert!(posts <= 1, "a ticket is not made twice: {posts}");

    let closed = { tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap() };
    let change =
        patchbay_engine::integration::UpdateIntegration { provider_config: config(&format!("http://{closed}")), ..patchbay_engine::integration::UpdateIntegration::default() };
    patchbay_engine::integration::update(&world.engine, &world.grant, "globex", "tracker", change).await.unwrap();
    let problem = call(&world, query()).await.unwrap_err();
    assert_eq!(problem.code, Code::ProviderUnreachable, "{}", problem.message);
    assert_eq!(world.now().await.status, IntegrationStatus::NeedsAttention { cause: AttentionCause::ProviderUnreachable });
}

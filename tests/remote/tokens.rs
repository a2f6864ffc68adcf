//! The token pair: renewed in time and once, replaced where it was refused, and over when it is over.

use std::time::Duration;

use patchbay_model::{Code, Secret};
use patchbay_remote::{CacheLimits, Client, Connection, Failure, RemoteStore, TokenPlace};
use serde_json::json;

use crate::world::{World, online, text, until};

async fn adopted(world: &World) -> Client {
    let refresh = Some(world.refresh.clone());
    Client::adopt(world.url(), world.access.clone(), refresh, TokenPlace::Memory, "test", world.clock.context()).await.unwrap().0
}

/// How often any container was refreshed.
async fn refreshes(client: &Client) -> u64 {
    let listed = client.call("audit.list", &json!({"query": {"filter": ["operation[eq]tokens.refresh"], "total": true}})).await.unwrap();
    listed["total"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_is_exchanged_when_it_is_taken_into_use() {
    let world = World::new().await;
    let client = adopted(&world).await;
    assert_eq!(refreshes(&client).await, 1);
    client.call("organization.get", &json!({})).await.unwrap();
    assert_eq!(refreshes(&client).await, 1, "and not again before its time");
    // What was typed in ends with the next refresh.
    world.clock.forward(Duration::from_secs(17 * 3600));
    client.call("organization.get", &json!({})).await.unwrap();
    let Failure::Problem(problem) = world.client().call("organization.get", &json!({})).await.unwrap_err() else { panic!("the server answers") };
    assert_eq!(problem.code, Code::TokenInvalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_is_renewed_at_two_thirds_of_its_life_by_one_of_many_callers() {
    let world = World::new().await;
    let client = adopted(&world).await;
    // An organization's token lives for 24 hours.
    world.clock.forward(Duration::from_secs(15 * 3600));
    client.call("organization.get", &json!({})).await.unwrap();
    assert_eq!(refreshes(&client).await, 1);
    // Once while the secret still works, once when it has ended: then all of them have to wait for the one.
    for (hours, times) in [(2, 2), (40, 3)] {
        world.clock.forward(Duration::from_secs(hours * 3600));
        let callers: Vec<_> = (0..12)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.call("organization.get", &json!({})).await })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap().unwrap();
        }
        assert_eq!(refreshes(&client).await, times, "one of twelve refreshed after {hours} more hours");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn halves_that_are_no_pair_are_refused() {
    let world = World::new().await;
    let (_, container) = world.token("viewer").await;
    let other = world.client().call("tokens.reset", &json!({"path": {"owner_id": world.organization, "refresh_token_id": container}})).await.unwrap();
    let refresh = Secret::new(text(&other, "/result/primary/refresh/secret"));
    let refused = Client::adopt(world.url(), world.access.clone(), Some(refresh), TokenPlace::Memory, "test", world.clock.context()).await;
    let Err(Failure::Problem(problem)) = refused else { panic!("they are of two containers") };
    assert!(problem.code == Code::TokenInvalid && problem.message.contains("Give both halves of one pair"), "{}", problem.message);
    assert_eq!(problem.context.parameter.unwrap().id, "/refresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_ends_the_store_and_what_it_could_read() {
    let world = World::new().await;
    let (access, container) = world.token("viewer").await;
    let cache = world.cache(CacheLimits::default());
    let store = RemoteStore::open(world.client_with(&access), Some(cache), world.clock.context()).await.unwrap();
    until(&store, online).await;
    store.call("organization.get", json!({})).await.unwrap();
    let answers = || std::fs::read_dir(world.folder.path().join("answers")).unwrap().count();
    assert!(answers() >= 2, "reads are kept");
    world.client().call("tokens.delete", &json!({"path": {"refresh_token_id": container}})).await.unwrap();
    let problem = store.call("organization.get", json!({})).await.unwrap_err();
    assert_eq!(problem.code, Code::TokenInvalid);
    until(&store, |connection| matches!(connection, Connection::Ended(problem) if problem.code == Code::TokenInvalid)).await;
    assert_eq!(answers(), 0, "what a revoked token could read is not kept");
    assert_eq!(store.call("organization.get", json!({})).await.unwrap_err().code, Code::TokenInvalid, "and is not shown");
    let again = RemoteStore::open(world.client_with(&access), Some(world.cache(CacheLimits::default())), world.clock.context()).await;
    assert_eq!(again.err().unwrap().code, Code::TokenInvalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_kind_opens_nothing() {
    let world = World::new().await;
    let store = RemoteStore::open(world.client_with(world.refresh.expose()), None, world.clock.context()).await;
    let problem = store.err().unwrap();
    assert!(problem.code == Code::WrongTokenKind && problem.message.contains("organization access token"), "{}", problem.message);
}

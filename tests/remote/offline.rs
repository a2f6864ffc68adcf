//! Without a connection: what was read is still there, nothing can be changed, and afterwards nothing was missed.

use std::time::Duration;

use patchbay_engine::CallerInfo;
use patchbay_model::change::ChangeKind;
use patchbay_model::{Code, Origin, Secret, Timestamp};
use patchbay_remote::{CacheLimits, Connection, Event, RemoteStore};
use serde_json::{Value, json};

use crate::world::{Line, World, event, offline, online, text, until};

fn list() -> Value {
    json!({"query": {"limit": 50}})
}

async fn names(store: &RemoteStore) -> Vec<String> {
    let listed = store.call("accounts.list", list()).await.unwrap();
    listed["result"].as_array().unwrap().iter().map(|account| text(account, "/name")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_line_leaves_reads_and_refuses_writes_until_it_is_mended() {
    let world = World::new().await;
    let line = Line::to(world.address).await;
    world.client().call("accounts.create", &json!({"body": {"name": "globex"}})).await.unwrap();
    let store = world.open_at(line.address).await.unwrap();
    assert_eq!(names(&store).await, ["globex"]);
    let mut events = store.events();

    line.cut();
    let Connection::Offline { since, why } = until(&store, offline).await else { unreachable!() };
    assert!(why.contains(&line.address.to_string()), "{why}");
    assert_eq!(names(&store).await, ["globex"], "what was read is still there");
    let info = store.call("session.info", json!({})).await.unwrap();
    assert_eq!(text(&info, "/organization/id"), world.organization);
    let problem = store.call("accounts.create", json!({"body": {"name": "initech"}})).await.unwrap_err();
    assert!(problem.code == Code::ServerUnreachable && problem.message.contains(&format!("since {since}")) && problem.message.contains("Nothing was sent"), "{}", problem.message);
    let problem = store.call("members.list", list()).await.unwrap_err();
    assert!(problem.code == Code::ServerUnreachable && problem.message.contains("was not looked at before"), "{}", problem.message);

    // Meanwhile others go on.
    world.client().call("accounts.create", &json!({"body": {"name": "umbrella"}})).await.unwrap();
    line.mend();
    store.look_now();
    until(&store, online).await;
    event(&mut events, |event| *event == Event::Everything || matches!(event, Event::Change(change) if change.kind == ChangeKind::Account)).await;
    assert_eq!(names(&store).await, ["globex", "umbrella"]);
    store.call("accounts.create", json!({"body": {"name": "initech"}})).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_meets_the_cut_gives_what_was_kept() {
    let world = World::new().await;
    let line = Line::to(world.address).await;
    let store = world.open_at(line.address).await.unwrap();
    assert!(names(&store).await.is_empty());
    line.cut();
    // Whoever notices first, the listener or the read, the answer is the same.
    for _ in 0..3 {
        assert!(names(&store).await.is_empty());
    }
    until(&store, offline).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_is_found_again_and_no_change_is_missed() {
    let mut world = World::new().await;
    let store = world.open_at(world.address).await.unwrap();
    let mut events = store.events();
    world.client().call("accounts.create", &json!({"body": {"name": "before"}})).await.unwrap();
    event(&mut events, |event| matches!(event, Event::Change(change) if change.kind == ChangeKind::Account)).await;
    world.stop().await;
    until(&store, offline).await;
    world.start().await;
    world.client().call("accounts.create", &json!({"body": {"name": "after"}})).await.unwrap();
    store.look_now();
    until(&store, online).await;
    // The stream goes on behind the last change seen: the one that happened in between is told by itself.
    let made = world.client().call("accounts.get", &json!({"path": {"account_id": "after"}})).await.unwrap();
    let id = text(&made, "/result/id");
    event(&mut events, |event| matches!(event, Event::Change(change) if change.id == id)).await;
    assert_eq!(names(&store).await, ["after", "before"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_opens_as_it_was_last_seen() {
    let mut world = World::new().await;
    let nothing_kept = world.address;
    {
        let store = world.open_at(world.address).await.unwrap();
        assert!(names(&store).await.is_empty());
    }
    world.stop().await;
    let store = world.open_at(world.address).await.unwrap();
    assert!(offline(&store.connection().borrow()));
    assert!(names(&store).await.is_empty());
    let empty = patchbay_remote::RemoteStore::open(world.client(), None, world.clock.context()).await;
    let problem = empty.err().unwrap();
    assert!(problem.code == Code::ServerUnreachable && problem.message.contains(&nothing_kept.to_string()), "{}", problem.message);
    world.start().await;
    store.look_now();
    until(&store, online).await;
    store.call("accounts.create", json!({"body": {"name": "globex"}})).await.unwrap();
    assert_eq!(names(&store).await, ["globex"]);
}

fn since(store: &RemoteStore) -> Timestamp {
    match &*store.connection().borrow() {
        Connection::Offline { since, .. } => *since,
        other => panic!("it is offline, and not {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn since_when_it_is_offline_is_told_at_the_next_start_too() {
    const HOUR: Duration = Duration::from_secs(3600);
    let mut world = World::new().await;
    let now = |world: &World| world.clock.context().now();
    let soon_after = |then: Timestamp, told: Timestamp| then <= told && told.since(then) < HOUR;

    // Ended without a word: what was read last tells.
    let store = world.open_at(world.address).await.unwrap();
    world.clock.forward(HOUR);
    let read = now(&world);
    names(&store).await;
    drop(store);
    world.clock.forward(HOUR);
    world.stop().await;
    let store = world.open_at(world.address).await.unwrap();
    assert!(soon_after(read, since(&store)), "{read} {}", since(&store));

    // Ended in order: it was there until then, though nothing was read.
    world.start().await;
    store.look_now();
    until(&store, online).await;
    world.clock.forward(HOUR);
    let closed = now(&world);
    store.close().await;
    drop(store);
    world.clock.forward(HOUR);
    world.stop().await;
    let store = world.open_at(world.address).await.unwrap();
    assert!(soon_after(closed, since(&store)), "{closed} {}", since(&store));

    // A break that was seen begins where it was seen, however often the program is started before it is over.
    world.start().await;
    store.look_now();
    until(&store, online).await;
    world.clock.forward(HOUR);
    world.stop().await;
    until(&store, offline).await;
    let broken = since(&store);
    for _ in 0..2 {
        world.clock.forward(HOUR);
        let again = world.open_at(world.address).await.unwrap();
        assert_eq!(since(&again), broken);
        again.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_member_saw_is_not_shown() {
    let mut world = World::new().await;
    world.client().call("accounts.create", &json!({"body": {"name": "globex"}})).await.unwrap();
    {
        let store = world.open_at(world.address).await.unwrap();
        assert_eq!(names(&store).await, ["globex"]);
    }
    let (name, password) = ("ada@example.com", "correct horse battery 7");
    let member = json!({"body": {"name": name, "secret": password, "role_binding": ["viewer"]}});
    world.client().call("members.create", &member).await.unwrap();
    let logon = patchbay_engine::member::logon(&world.engine, "acme", name, Secret::new(password), CallerInfo::local(Origin::Api)).await.unwrap();
    let token = logon.token.primary.unwrap().access.secret.unwrap();
    let store = RemoteStore::open(world.client_with(token.expose()), Some(world.cache(CacheLimits::default())), world.clock.context()).await.unwrap();
    world.stop().await;
    until(&store, offline).await;
    assert_eq!(store.call("accounts.list", list()).await.unwrap_err().code, Code::ServerUnreachable, "the other one's answers are gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_lies_in_the_answers_that_are_kept() {
    let world = World::new().await;
    let store = world.open_at(world.address).await.unwrap();
    let account = text(&store.call("accounts.create", json!({"body": {"name": "globex"}})).await.unwrap(), "/result/account/id");
    let planted = "planted-api-key-4711";
    let integration =
        json!({"name": "tickets", "provider_config": {"type": "ticketing_redmine", "url": "https://redmine.example", "credential": {"type": "token", "secret": planted}}});
    let made = store.call("integrations.create", json!({"path": {"account_id": account}, "body": integration})).await.unwrap();
    let revealed = text(&made, "/result/token/access/secret");
    store
        .call("members.create_link", json!({"path": {"member_id": text(&store.call("session.info", json!({})).await.unwrap(), "/member/id")}, "body": {"purpose": "reset"}}))
        .await
        .unwrap();
    for command in ["accounts.list", "integrations.list", "tokens.list", "members.list", "audit.list", "provider_apps.list", "organization_webhooks.list", "overview.get"] {
        store.call(command, json!({})).await.unwrap();
    }
    store.call("credentials.list", json!({"path": {"owner_id": account}})).await.unwrap();
    let folder = world.folder.path().join("answers");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().collect();
    assert!(files.len() >= 9, "{} answers were kept", files.len());
    let secrets = [planted, &revealed, world.access.expose(), world.refresh.expose()];
    for file in files {
        // Nothing is readable at all, names among it.
        let bytes = std::fs::read(file.path()).unwrap();
        let at_rest = String::from_utf8_lossy(&bytes);
        assert!(!secrets.iter().any(|secret| at_rest.contains(secret)) && !at_rest.contains("globex") && !at_rest.contains("result"));
        assert!(!file.file_name().to_string_lossy().contains("list"));
    }
    // Opened with their key, they hold none either.
    let line = Line::to(world.address).await;
    line.cut();
    let cut = world.open_at(line.address).await.unwrap();
    for command in ["accounts.list", "integrations.list", "tokens.list", "members.list", "audit.list", "provider_apps.list", "organization_webhooks.list", "overview.get"] {
        let kept = cut.call(command, json!({})).await.unwrap().to_string();
        assert!(!secrets.iter().any(|secret| kept.contains(secret)), "{command}: {kept}");
    }
}

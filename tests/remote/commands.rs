//! Commands: the same permissions, audit and words as everywhere, and nothing that is no Patchbay is trusted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use patchbay_model::change::ChangeKind;
use patchbay_model::{Code, Problem};
use patchbay_remote::{Client, Event, Failure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::world::{World, event, text, url};

fn refused(failure: Failure) -> Problem {
    match failure {
        Failure::Problem(problem) => problem,
        Failure::Lost(lost) => panic!("the server answers: {}", lost.words),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_run_under_the_tokens_permissions_and_are_audited() {
    let world = World::new().await;
    let client = world.client();
    client.greet().await.unwrap();
    let info = client.call("session.info", &json!({})).await.unwrap();
    assert_eq!(text(&info, "/organization/id"), world.organization);
    let made = client.call("accounts.create", &json!({"body": {"fullname": "Globex Corporation"}})).await.unwrap();
    assert_eq!(text(&made, "/result/account/name"), "globex-corporation");

    let (viewer, _) = world.token("viewer").await;
    let viewer = world.client_with(&viewer);
    let listed = viewer.call("accounts.list", &json!({"query": {"limit": 1, "total": true}})).await.unwrap();
    assert_eq!(listed["total"], 1);
    let problem = refused(viewer.call("accounts.create", &json!({"body": {"name": "evil"}})).await.unwrap_err());
    assert!(problem.code == Code::PermissionDenied && problem.message.contains("accounts.create"), "{}", problem.message);
    let problem = refused(client.call("accounts.create", &json!({"body": {"name": "globex-corporation"}})).await.unwrap_err());
    assert_eq!(problem.code, Code::NameTaken);
    let problem = refused(client.call("accounts.create", &json!({"body": {"name": "Not a name!"}})).await.unwrap_err());
    assert_eq!(problem.context.parameter.unwrap().id, "/name", "a problem keeps what forms need");
    assert_eq!(refused(client.call("accounts.destroy", &json!({})).await.unwrap_err()).code, Code::NotFound);

    let audit = client.call("audit.list", &json!({"query": {"order": ["created_at[asc]"], "filter": ["operation[eq]accounts.create"]}})).await.unwrap();
    let rows: Vec<(String, String, String)> = audit["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (text(row, "/x_patchbay/origin"), row["x_patchbay"]["problem"].as_str().unwrap_or_default().to_owned(), text(row, "/user_agent")))
        .collect();
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert!(rows.iter().all(|(origin, _, agent)| origin == "api" && agent.contains("(test)")), "{rows:?}");
    let problems: Vec<_> = rows.iter().map(|(_, problem, _)| problem.as_str()).collect();
    assert_eq!(problems[..2], ["", "permission_denied"], "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_others_arrive() {
    let world = World::new().await;
    let store = world.open_at(world.address).await.unwrap();
    let mut events = store.events();
    world.client().call("accounts.create", &json!({"body": {"name": "globex"}})).await.unwrap();
    let Event::Change(change) = event(&mut events, |event| matches!(event, Event::Change(change) if change.kind == ChangeKind::Account)).await else { unreachable!() };
    let read = store.call("accounts.get", json!({"path": {"account_id": change.id}})).await.unwrap();
    assert_eq!(text(&read, "/result/name"), "globex");
}

/// Answers every connection with this text.
async fn answering(answer: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

fn http(status: &str, kind: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn at(world: &World, address: SocketAddr) -> Client {
    let context = world.clock.context();
    let held = patchbay_remote::Held::access_only(world.access.clone(), context.now());
    Client::new(url(address), held, patchbay_remote::TokenPlace::Memory, "test", context).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_or_another_program_is_told_in_a_sentence() {
    let world = World::new().await;
    let version = |version: &str, contract: Value| http("200 OK", "application/json", &json!({"name": "patchbay", "version": version, "contract": contract}).to_string());
    for (answer, words) in [
        (version("9.0.0", json!(99)), "runs Patchbay 9.0.0, which is too new for this one"),
        (version("0.0.1", json!(0)), "runs Patchbay 0.0.1, which is too old for this one"),
        (http("200 OK", "application/json", "{\"name\":\"other\",\"version\":\"1\"}"), "does not understand"),
    ] {
        let problem = refused(at(&world, answering(answer).await).greet().await.unwrap_err());
        assert!(problem.code == Code::ServerIncompatible && problem.message.contains(words), "{}", problem.message);
    }
    for (answer, words) in [
        (http("200 OK", "text/html", "<html>Welcome to the hotel network</html>"), "is not Patchbay"),
        (http("302 Found", "text/html", ""), "sends us elsewhere"),
        (http("502 Bad Gateway", "text/html", "<html>"), "the proxy in front of it answers 502"),
    ] {
        let failure = at(&world, answering(answer).await).call("session.info", &json!({})).await.unwrap_err();
        let problem = failure.problem_of("session.info");
        assert!(problem.code == Code::ServerUnreachable && problem.message.contains(words), "{}", problem.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_and_not_answered_is_said_to_be_unknown_and_not_repeated() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        // Takes what comes, and hangs up in the middle of it.
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 64]).await;
        }
    });
    let problem = at(&world, address).call("accounts.create", &json!({"body": {"name": "globex"}})).await.unwrap_err().problem_of("accounts.create");
    assert!(problem.code == Code::ServerUnreachable && problem.message.contains("is not known: look before you repeat it"), "{}", problem.message);
    assert_eq!(connections.load(Ordering::SeqCst), 1, "it was sent once");
    // Refused connections were certainly not used: then nothing is in doubt.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let problem = at(&world, nobody).call("accounts.create", &json!({"body": {"name": "globex"}})).await.unwrap_err().problem_of("accounts.create");
    assert!(problem.message.contains("cannot be reached") && !problem.message.contains("not known"), "{}", problem.message);
}

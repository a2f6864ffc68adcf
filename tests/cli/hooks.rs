//! kill -9 in the middle of a delivery to a webhook: the event comes again, under the same id.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::Bench;

/// Longer than the lease of a delivery, 20 s, which has to end before another process takes it over.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request to the receiver, and the connection on which it waits for an answer.
struct Arrived {
    delivery: String,
    attempt: String,
    body: String,
    stream: TcpStream,
}

fn read(mut stream: TcpStream) -> Option<Arrived> {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = |name: &str| head.lines().find_map(|line| line.to_lowercase().strip_prefix(&format!("{name}: ")).map(ToOwned::to_owned)).unwrap_or_default();
            if body.len() >= header("content-length").parse().unwrap_or(0) {
                return Some(Arrived { delivery: header("x-patchbay-delivery"), attempt: header("x-patchbay-attempt"), body: body.to_owned(), stream });
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(read) => request.extend_from_slice(&chunk[..read]),
        }
    }
}

/// Everything that arrives, in order.
fn receiver() -> (String, mpsc::Receiver<Arrived>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, arrivals) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Some(arrived) = read(stream)
                && sender.send(arrived).is_err()
            {
                return;
            }
        }
    });
    (url, arrivals)
}

#[test]
fn a_delivery_survives_kill_9() {
    let (bench, made) = Bench::new();
    let token = made["organization"]["token"]["access"]["secret"].as_str().unwrap().to_owned();
    let (url, arrivals) = receiver();
    let server = bench.serve(&["--allow-private-networks"]);
    let hook = json!({ "name": "hook", "filters": ["account_create"], "url": url, "secret": { "value": "a-secret" } });
    let (status, answer) = server.call("POST", "/v1/organization/webhooks", &token, Some(&hook)).unwrap();
    assert_eq!(status, 201, "{answer}");
    for name in ["first", "second"] {
        let (status, answer) = server.call("POST", "/v1/accounts", &token, Some(&json!({ "name": name }))).unwrap();
        assert_eq!(status, 201, "{answer}");
    }
    let interrupted = arrivals.recv_timeout(PATIENCE).expect("the first event arrives");
    assert_eq!(interrupted.attempt, "1");
    server.signal("KILL");
    assert_eq!(server.ended().0, None, "it was killed");
    drop(interrupted.stream);
    assert_eq!(bench.run(&["store", "verify"]).done().json()["clean"], true);

    let server = bench.serve(&["--allow-private-networks"]);
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let mut arrived = arrivals.recv_timeout(PATIENCE).expect("both events arrive in the end");
        arrived.stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        seen.push(arrived);
    }
    let again = seen.iter().find(|arrived| arrived.delivery == interrupted.delivery).expect("under the same id");
    assert_eq!((again.attempt.as_str(), &again.body), ("2", &interrupted.body), "the same event as the second attempt");
    let names: Vec<Value> = seen.iter().map(|arrived| serde_json::from_str::<Value>(&arrived.body).unwrap()["account"]["name"].clone()).collect();
    assert!(names.contains(&json!("first")) && names.contains(&json!("second")), "{names:?}");
    let path = format!("/v1/x/organization/webhooks/hook/deliveries/{}", interrupted.delivery);
    let log = loop {
        let (status, answer) = server.call("GET", &path, &token, None).unwrap();
        assert_eq!(status, 200, "{answer}");
        // The receiver has its event a moment before that is written down.
        if answer["result"]["state"] != "sending" {
            break answer["result"].clone();
        }
    };
    assert_eq!((&log["state"], log["log"].as_array().unwrap().len()), (&json!("delivered"), 2), "{log}");
    assert!(log["log"][0]["error"].as_str().unwrap().contains("ended while this attempt was under way"), "{log}");
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));
}

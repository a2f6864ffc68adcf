//! How a server leaves: it says so, still takes requests for a while, finishes what runs, and can be hurried.

use std::net::SocketAddr;
use std::time::Duration;

use patchbay_server::Server;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::listening::{ask, engine, local};

/// A server that can be asked to leave and to hurry.
struct Leaver {
    address: SocketAddr,
    access: String,
    leave: oneshot::Sender<Duration>,
    cut: oneshot::Sender<()>,
    left: JoinHandle<usize>,
    _folder: tempfile::TempDir,
}

async fn start() -> Leaver {
    let (engine, access, folder) = engine().await;
    let server = Server::bind(engine, local()).await.unwrap();
    let address = server.address().unwrap();
    let (leave, leaves) = oneshot::channel();
    let (cut, cuts) = oneshot::channel::<()>();
    let left = tokio::spawn(server.run_until(async { leaves.await.unwrap() }, async { cuts.await.unwrap() }));
    Leaver { address, access, leave, cut, left, _folder: folder }
}

impl Leaver {
    async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        ask(&mut stream, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n", self.access)).await
    }

    /// A request that is under way: its body has begun and not ended.
    async fn half(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "POST /v1/accounts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 16\r\nexpect: 100-continue\r\n\r\n",
            self.access
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // The server asks for the body when it has begun to work on the request.
        let mut word = [0; 25];
        stream.read_exact(&mut word).await.unwrap();
        assert_eq!(&word, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(b"{\"name\":").await.unwrap();
        stream
    }
}

/// Waits for an answer of `/readyz` that begins like this.
async fn readiness(server: &Leaver, status: &str) -> String {
    loop {
        let answer = server.get("/readyz").await;
        if answer.starts_with(&format!("HTTP/1.1 {status}")) {
            return answer;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaving_server_says_so_and_still_takes_requests_until_it_is_hurried() {
    let server = start().await;
    readiness(&server, "200").await;
    let mut kept = TcpStream::connect(server.address).await.unwrap();
    kept.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 2048];
    let read = kept.read(&mut first).await.unwrap();
    assert!(!String::from_utf8_lossy(&first[..read]).contains("connection: close"), "nothing says so before");
    let mut events = TcpStream::connect(server.address).await.unwrap();
    let body = format!("{{\"token\":\"{}\"}}", server.access);
    let head = format!("POST /session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    events.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 8192];
    let read = events.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap().split(';').next().unwrap().to_owned();
    let mut events = TcpStream::connect(server.address).await.unwrap();
    events.write_all(format!("GET /events HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\n\r\n").as_bytes()).await.unwrap();
    let half = server.half().await;

    let Leaver { leave, .. } = server;
    let server = Leaver { leave: oneshot::channel().0, ..server };
    leave.send(Duration::from_secs(3600)).unwrap();
    let answer = readiness(&server, "503").await;
    let problem: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(problem["code"], "shutting_down", "{problem}");
    assert!(server.get("/healthz").await.starts_with("HTTP/1.1 200"), "it lives");
    assert!(server.get("/v1/organization").await.starts_with("HTTP/1.1 200"), "and works");
    let answer = ask(&mut kept, "GET /v1/organization HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.contains("connection: close"), "a connection that was kept open is closed behind its answer: {answer}");
    let mut told = String::new();
    events.read_to_string(&mut told).await.unwrap();
    assert!(told.contains("\nid: ") && told.contains("event: reconnect\n"), "listeners are sent to another server, and know where to go on: {told}");
    assert!(!server.left.is_finished(), "a request is still under way");

    server.cut.send(()).unwrap();
    assert_eq!(server.left.await.unwrap(), 1, "whoever does not want to wait is told what was cut");
    drop(half);
    assert!(TcpStream::connect(server.address).await.is_err(), "the port is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_finished() {
    let server = start().await;
    let mut half = server.half().await;
    let (address, left) = (server.address, server.left);
    server.leave.send(Duration::from_millis(50)).unwrap();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!left.is_finished(), "nothing new is taken, and what is under way goes on");
    let answer = ask(&mut half, "\"late\" }").await;
    assert!(answer.starts_with("HTTP/1.1 201") && answer.contains("connection: close"), "{answer}");
    assert_eq!(left.await.unwrap(), 0);
}

//! Listening on real sockets: plain and TLS, limits, and an orderly end. The certificate under `tls` is of nobody.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use patchbay_engine::Engine;
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_model::Problem;
use patchbay_server::{ServeOptions, Server, TlsFiles};
use patchbay_vault::{KeyAccess, KeySource, system_context};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Running {
    address: SocketAddr,
    access: String,
    end: oneshot::Sender<()>,
    done: JoinHandle<Result<(), Problem>>,
    _folder: tempfile::TempDir,
}

pub(crate) async fn engine() -> (Engine, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let keys = KeyAccess::from(KeySource::File(folder.path().join("key")));
    let (engine, created) = installation::create(&StoreUrl::Sqlite(folder.path().join("store.db")), &keys, "Acme", system_context()).await.unwrap();
    let access = created.token.primary.unwrap().access.secret.unwrap().expose().to_owned();
    (engine, access, folder)
}

pub(crate) fn local() -> ServeOptions {
    ServeOptions::local("127.0.0.1:0".parse().unwrap())
}

fn tls_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/server/tls")
}

async fn start(options: ServeOptions) -> Running {
    let (engine, access, folder) = engine().await;
    let server = Server::bind(engine, options).await.unwrap();
    let address = server.address().unwrap();
    let (end, ended) = oneshot::channel();
    let done = tokio::spawn(server.run(async {
        let _ = ended.await;
    }));
    Running { address, access, end, done, _folder: folder }
}

/// Sends a request on a connection of its own and reads until the other side closes or says nothing more.
pub(crate) async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), head: &str) -> String {
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_answers_and_ends_with_streams_open() {
    let running = start(local()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let answer = ask(&mut stream, "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let body = format!("{{\"token\":\"{}\"}}", running.access);
    let answer =
        ask(&mut stream, &format!("POST /session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()))
            .await;
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap().split(';').next().unwrap().to_owned();
    let mut events = TcpStream::connect(running.address).await.unwrap();
    events.write_all(format!("GET /events HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\n\r\n").as_bytes()).await.unwrap();
    let mut first = [0; 1024];
    let read = events.read(&mut first).await.unwrap();
    assert!(String::from_utf8_lossy(&first[..read]).starts_with("HTTP/1.1 200"));

    let asked = Instant::now();
    running.end.send(()).unwrap();
    running.done.await.unwrap().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(5), "an open event stream does not hold the end up");
    assert!(TcpStream::connect(running.address).await.is_err(), "the port is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_beyond_the_limits_are_refused() {
    let running = start(local()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let answer = ask(&mut stream, &format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(80 * 1024))).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many: String = (0..200).map(|number| format!("x-{number}: y\r\n")).collect();
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let answer = ask(&mut stream, &format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{many}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let answer = ask(&mut stream, "rubbish\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    // A body that is announced as too large is refused before it is sent.
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = format!(
        "POST /v1/accounts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 9999999\r\nconnection: close\r\n\r\n",
        running.access
    );
    let answer = ask(&mut stream, &head).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    running.end.send(()).unwrap();
    running.done.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_spoken_with_a_secure_cookie() {
    let files = TlsFiles { certificate: tls_folder().join("certificate.pem"), key: tls_folder().join("key.pem") };
    let running = start(ServeOptions { tls: Some(files), ..local() }).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(tls_folder().join("certificate.pem")).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(running.address).await.unwrap();
    let mut stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    let body = format!("{{\"token\":\"{}\"}}", running.access);
    let answer = ask(
        &mut stream,
        &format!("POST /session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("set-cookie: __Host-patchbay_session") && answer.contains("; Secure"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age="), "{answer}");

    let mut plain = TcpStream::connect(running.address).await.unwrap();
    let answer = ask(&mut plain, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(!answer.contains("200"), "plain HTTP is not answered on a TLS port: {answer}");
    running.end.send(()).unwrap();
    running.done.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_served_is_told_in_a_sentence() {
    let (engine, _, folder) = engine().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    let refused = async |options: ServeOptions| Server::bind(engine.clone(), options).await.err().unwrap().message;
    assert!(refused(ServeOptions::local(listen)).await.contains("another program uses it"));
    assert!(refused(ServeOptions::local("0.0.0.0:0".parse().unwrap())).await.contains("--tls-cert"));
    let broken = folder.path().join("broken.pem");
    std::fs::write(&broken, "no certificate").unwrap();
    for (certificate, key) in
        [(broken.clone(), tls_folder().join("key.pem")), (tls_folder().join("certificate.pem"), broken.clone()), (folder.path().join("none.pem"), broken.clone())]
    {
        let message = refused(ServeOptions { tls: Some(TlsFiles { certificate, key }), ..local() }).await;
        assert!(message.contains("cannot be used") && message.contains(".pem"), "{message}");
    }
}

//! The client against servers on loopback that answer what a test tells them to.

use std::future::Future;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use patchbay_model::{Clock, Code, Context, Entropy, Problem, Secret, Timestamp};
use reqwest::header::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

use super::*;

struct Still;
impl Clock for Still {
    fn now(&self) -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }
}
impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(1);
    }
}

const OPEN: NetworkPolicy = NetworkPolicy { allow_private: true, rehearsal: None };

fn client(policy: NetworkPolicy) -> HttpClient {
    HttpClient::new(policy, Context::new(Arc::new(Still), Arc::new(Still))).unwrap()
}

/// Answers each request with the next script, the last one again and again; nothing at all where a script is empty.
struct Peer {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    async fn answering(scripts: &[&[u8]]) -> Self {
        let scripts: Vec<Vec<u8>> = scripts.iter().map(|script| script.to_vec()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, count) = (Arc::clone(&seen), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (scripts, log, count) = (scripts.clone(), Arc::clone(&log), Arc::clone(&count));
                tokio::spawn(async move {
                    let mut request = vec![0; 65536];
                    let mut length = 0;
                    while !String::from_utf8_lossy(&request[..length]).contains("\r\n\r\n") {
                        match stream.read(&mut request[length..]).await {
                            Ok(0) | Err(_) => return,
                            Ok(read) => length += read,
                        }
                    }
                    log.lock().unwrap().push(String::from_utf8_lossy(&request[..length]).into_owned());
                    let script = &scripts[count.fetch_add(1, Ordering::SeqCst).min(scripts.len() - 1)];
                    if script.is_empty() {
                        tokio::time::sleep(Duration::from_secs(60)).await;
                    }
                    let _ = stream.write_all(script).await;
                });
            }
        });
        Self { address, seen }
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn get(url: Url) -> HttpRequest {
    HttpRequest { method: reqwest::Method::GET, url, headers: HeaderMap::new(), body: bytes::Bytes::new(), template: "/x".into() }
}

fn limits(repeat: Repeat) -> Limits {
    Limits { deadline: Instant::now() + Duration::from_secs(10), max_bytes: 1 << 20, repeat }
}

#[tokio::test]
async fn an_answer_comes_whole_and_nothing_is_followed_or_kept() {
    let peer = Peer::answering(&[&answer("302 Found", "location: http://127.0.0.1:1/\r\nset-cookie: a=b\r\n", b"moved")]).await;
    let client = client(OPEN);
    for _ in 0..2 {
        let got = client.send(&get(peer.url("/a?secret=1")), limits(Repeat::Idempotent), None, None).await.unwrap();
        assert_eq!((got.status.as_u16(), &got.body[..]), (302, &b"moved"[..]), "a redirect is an answer");
    }
    let seen = peer.seen.lock().unwrap();
    assert!(seen[0].to_lowercase().contains("user-agent: patchbay/") && seen[0].to_lowercase().contains("accept-encoding: gzip"), "{}", seen[0]);
    assert!(!seen[1].to_lowercase().contains("cookie"), "cookies are off");
}

#[tokio::test]
async fn large_answers_are_stopped_announced_or_not_and_packed() {
    let big = vec![b'x'; 3 << 20];
    let announced = answer("200 OK", "", &big);
    let mut unannounced = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    unannounced.extend_from_slice(&big);
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&vec![0; 64 << 20]).unwrap();
    let packed = packer.finish().unwrap();
    assert!(packed.len() < 1 << 17, "the packed answer itself is small");
    let packed = answer("200 OK", "content-encoding: gzip\r\n", &packed);
    for script in [announced, unannounced, packed] {
        let peer = Peer::answering(&[&script]).await;
        let failure = client(OPEN).send(&get(peer.url("/")), limits(Repeat::Idempotent), None, None).await.unwrap_err();
        assert!(matches!(failure, HttpFailure::TooLarge { .. }), "{failure}");
        assert_eq!(peer.requests(), 1, "asking again would bring the same");
    }
}

#[tokio::test]
async fn a_silent_provider_is_a_timeout_and_a_closed_port_unreachable() {
    let peer = Peer::answering(&[b""]).await;
    let short = Limits { deadline: Instant::now() + Duration::from_millis(200), ..limits(Repeat::Idempotent) };
    let failure = client(OPEN).send(&get(peer.url("/")), short, None, None).await.unwrap_err();
    assert!(matches!(failure, HttpFailure::Timeout { sent: true, .. }) && !failure.never_sent(), "{failure}");
    assert_eq!(Problem::from(failure).code, Code::ProviderTimeout);

    let closed = { TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap() };
    let failure = client(OPEN).send(&get(Url::parse(&format!("http://{closed}/")).unwrap()), limits(Repeat::OnlyUnsent), None, None).await.unwrap_err();
    assert!(failure.never_sent(), "{failure}");
    assert!(failure.to_string().contains("refused"), "the system's words are told: {failure}");
    assert_eq!(Problem::from(failure).code, Code::ProviderUnreachable);
}

#[tokio::test]
async fn only_what_may_be_repeated_is() {
    let (busy, good) = (answer("503 Service Unavailable", "retry-after: 0\r\n", b""), answer("200 OK", "", b"done"));
    let peer = Peer::answering(&[&busy, &answer("429 Too Many Requests", "retry-after: Sun, 22 Nov 2026 10:00:00 GMT\r\n", b""), &good]).await;
    let got = client(OPEN).send(&get(peer.url("/")), limits(Repeat::Idempotent), None, None).await.unwrap();
    assert_eq!((got.status.as_u16(), peer.requests()), (200, 3));

    let peer = Peer::answering(&[&busy, &good]).await;
    let got = client(OPEN).send(&get(peer.url("/")), limits(Repeat::OnlyUnsent), None, None).await.unwrap();
    assert_eq!((got.status.as_u16(), peer.requests()), (503, 1), "what may have had an effect is not sent again");

    let cut: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nhal";
    let peer = Peer::answering(&[cut, &good]).await;
    assert_eq!(client(OPEN).send(&get(peer.url("/")), limits(Repeat::Idempotent), None, None).await.unwrap().body, "done");
    let peer = Peer::answering(&[cut, &good]).await;
    let failure = client(OPEN).send(&get(peer.url("/")), limits(Repeat::OnlyUnsent), None, None).await.unwrap_err();
    assert!(matches!(failure, HttpFailure::Broken { .. }) && peer.requests() == 1, "{failure}");
    let peer = Peer::answering(&[&busy]).await;
    let got = client(OPEN).send(&get(peer.url("/")), limits(Repeat::Idempotent), None, None).await.unwrap();
    assert_eq!((got.status.as_u16(), peer.requests()), (503, 3), "after three tries it is what it is");
}

#[tokio::test]
async fn a_long_pause_is_told_to_the_caller_and_holds_the_lane() {
    let peer = Peer::answering(&[&answer("429 Too Many Requests", "retry-after: 90\r\n", b"")]).await;
    let (client, lanes, key) = (client(OPEN), Lanes::default(), uuid::Uuid::from_u128(7));
    let turn = lanes.enter(key, None, limits(Repeat::Idempotent).deadline).await.unwrap();
    let got = client.send(&get(peer.url("/")), limits(Repeat::Idempotent), Some(turn.lane()), None).await.unwrap();
    assert_eq!((got.status.as_u16(), peer.requests()), (429, 1), "nobody waits 90 s inside a call");
    let problem = lanes.enter(key, None, limits(Repeat::Idempotent).deadline).await.err().unwrap();
    assert_eq!(problem.code, Code::ProviderRateLimited);
    assert!((89..=90).contains(&problem.retry_after.unwrap()), "{:?}", problem.retry_after);
}

#[tokio::test]
async fn private_targets_are_refused_in_every_spelling() {
    let peer = Peer::answering(&[&answer("200 OK", "", b"")]).await;
    let port = peer.address.port();
    let closed = client(NetworkPolicy::default());
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "127.1", "10.0.0.1", "169.254.169.254", "0.0.0.0"] {
        for scheme in ["http", "https"] {
            let url = Url::parse(&format!("{scheme}://{host}:{port}/")).unwrap();
            let failure = closed.send(&get(url), limits(Repeat::Idempotent), None, None).await.unwrap_err();
            assert_eq!(Problem::from(failure.clone()).code, Code::PrivateTarget, "{scheme}://{host}: {failure}");
        }
    }
    let open = client(OPEN);
    for host in ["169.254.169.254", "[fd00:ec2::254]", "0.0.0.0", "224.0.0.1"] {
        let failure = open.send(&get(Url::parse(&format!("https://{host}/")).unwrap()), limits(Repeat::Idempotent), None, None).await.unwrap_err();
        assert!(matches!(failure, HttpFailure::PrivateTarget(_)), "{host}: {failure}");
    }
    let failure = open.send(&get(Url::parse("http://1.1.1.1/").unwrap()), limits(Repeat::Idempotent), None, None).await.unwrap_err();
    assert!(matches!(failure, HttpFailure::PlainText(_)), "{failure}");
    for bad in ["ftp://127.0.0.1/", "file:///etc/passwd", "https://user:pass@example.com/"] {
        let failure = open.send(&get(Url::parse(bad).unwrap()), limits(Repeat::Idempotent), None, None).await.unwrap_err();
        assert!(matches!(failure, HttpFailure::BadUrl(_)) && !failure.to_string().contains("pass@"), "{bad}: {failure}");
    }
    assert_eq!(peer.requests(), 0, "nothing was sent anywhere");
}

/// Says one thing the first time and another ever after, as a name under an attacker's control may.
struct Turncoat(AtomicUsize);
impl Lookup for Turncoat {
    fn addresses(&self, _: String) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>> {
        let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move { Ok(vec![if first { IpAddr::from([93, 184, 216, 34]) } else { IpAddr::from([127, 0, 0, 1]) }]) })
    }
}

#[tokio::test]
async fn a_name_that_turns_to_a_private_address_is_refused_when_connecting() {
    let peer = Peer::answering(&[&answer("200 OK", "", b"")]).await;
    let lookup = Arc::new(Turncoat(AtomicUsize::new(0)));
    assert_eq!(lookup.addresses(String::new()).await.unwrap(), [IpAddr::from([93, 184, 216, 34])], "a check before the call sees a public address");
    let client = HttpClient::with_lookup(NetworkPolicy::default(), Context::new(Arc::new(Still), Arc::new(Still)), lookup).unwrap();
    let url = Url::parse(&format!("https://rebind.example:{}/", peer.address.port())).unwrap();
    let failure = client.send(&get(url), limits(Repeat::Idempotent), None, None).await.unwrap_err();
    assert_eq!(failure, HttpFailure::PrivateTarget(format!("rebind.example:{}", peer.address.port())));
    assert_eq!(peer.requests(), 0);
}

#[tokio::test]
async fn a_recording_holds_every_try_and_no_secret() {
    let secret = Secret::new("s3cr3t-value");
    let body = br#"{"echo":"s3cr3t-value","access_token":"abc","n":1}"#;
    let peer = Peer::answering(&[&answer("503 Busy", "retry-after: 0\r\n", b""), &answer("200 OK", "content-type: application/json\r\nx-echo: s3cr3t-value\r\n", body)]).await;
    let mut mask = Mask::default();
    mask.cover(&secret);
    let mut recorder = Recorder::new(mask);
    let mut request = get(peer.url("/issues.json?q=s3cr3t-value&limit=2"));
    request.headers.insert("x-redmine-api-key", secret.expose().parse().unwrap());
    let got = client(OPEN).send(&request, limits(Repeat::Idempotent), None, Some(&mut recorder)).await.unwrap();
    assert_eq!(&got.body[..], body, "only the recording is covered");
    let exchanges = recorder.into_exchanges();
    assert_eq!(exchanges.iter().map(|exchange| exchange.response.as_ref().unwrap().status).collect::<Vec<_>>(), [503, 200]);
    let text = serde_json::to_string(&exchanges).unwrap();
    assert!(!text.contains("s3cr3t") && !text.contains("\"abc\""), "{text}");
    assert!(text.contains("limit=2") && text.contains(r#"\"n\":1"#), "what is no secret is shown: {text}");
}

#[tokio::test]
async fn connections_are_kept_alive() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
                }
            });
        }
    });
    let client = client(OPEN);
    for _ in 0..5 {
        client.send(&get(url.clone()), limits(Repeat::Idempotent), None, None).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let (acceptor, listener) = (tokio_rustls::TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let url = Url::parse(&format!("https://localhost:{}/", listener.local_addr().unwrap().port())).unwrap();
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if acceptor.accept(stream).await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let failure = client(OPEN).send(&get(url), limits(Repeat::OnlyUnsent), None, None).await.unwrap_err();
    assert!(failure.never_sent() && failure.to_string().to_lowercase().contains("certificate"), "{failure}");
    assert_eq!(seen.load(Ordering::SeqCst), 0, "no session came about");
}

//! A provider with refresh tokens that rotate, small enough that it never does anything by itself: what arrives, what is
//! rotated and which answers are destroyed is counted here, independently of everything that is tested.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// The code that every consent brings.
pub(crate) const CODE: &str = "yes";
/// So much is kept of what happened.
const TOLD: usize = 100;

/// What becomes of a refresh token that is sent a second time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reuse {
    /// It ends the whole grant (RFC 9700 section 4.14.2).
    EndsFamily,
    /// The same, and whether a token is alive can be asked before it is sent (RFC 7662).
    EndsFamilyAndTells,
    /// It gets what it got the first time.
    Grace,
}

/// What is done to the next refresh.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// The connection ends before anything was done.
    LoseBefore,
    /// The connection ends after the token was rotated.
    LoseAfter,
    /// After the token was rotated nothing more happens, until whoever asked is dead.
    Hold,
}

/// A refresh as the provider saw it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub(crate) token: String,
    /// Whether it was rotated by this request.
    pub(crate) rotated: bool,
    /// Whether the answer was handed over.
    pub(crate) delivered: bool,
}

#[derive(Default)]
struct State {
    made: u64,
    /// The refresh token in force.
    refresh: String,
    access: String,
    /// What came in place of a rotated token: refresh token and access token.
    successors: HashMap<String, (String, String)>,
    fault: Option<Fault>,
    seen: Vec<Seen>,
    /// What happened last, for the story of a round that went wrong.
    told: std::collections::VecDeque<String>,
}

pub(crate) struct Peer {
    pub(crate) issuer: String,
    reuse: Reuse,
    state: Mutex<State>,
    rotated: mpsc::UnboundedSender<()>,
}

impl Peer {
    /// Starts it; the receiver hears of each answer that is held.
    pub(crate) async fn start(reuse: Reuse) -> (Arc<Self>, mpsc::UnboundedReceiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (rotated, held) = mpsc::unbounded_channel();
        let peer = Arc::new(Self { issuer: format!("http://{}", listener.local_addr().unwrap()), reuse, state: Mutex::default(), rotated });
        let serving = peer.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let peer = serving.clone();
                // Whoever is killed leaves half a request behind.
                tokio::spawn(async move { drop(peer.serve(stream).await) });
            }
        });
        (peer, held)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The access token in force is no longer taken.
    pub(crate) fn expire_access(&self) {
        let mut state = self.state();
        state.access.clear();
        state.tell("access ended".to_owned());
    }

    /// What happened last, oldest first.
    pub(crate) fn told(&self) -> Vec<String> {
        self.state().told.iter().cloned().collect()
    }

    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    /// The refreshes so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        loop {
            let Some((head, body)) = read(&mut stream).await? else { return Ok(()) };
            let Some(answer) = self.answer(&head, &body).await else { return Ok(()) };
            stream.write_all(answer.as_bytes()).await?;
        }
    }

    async fn answer(&self, head: &str, body: &str) -> Option<String> {
        let issuer = &self.issuer;
        let path = head.split(' ').nth(1).unwrap_or_default();
        if path == "/.well-known/openid-configuration" {
            let tells = if self.reuse == Reuse::EndsFamilyAndTells { format!(r#","introspection_endpoint":"{issuer}/introspect""#) } else { String::new() };
            return Some(json(
                200,
                &format!(
                    r#"{{"issuer":"{issuer}","authorization_endpoint":"{issuer}/authorize","token_endpoint":"{issuer}/token","userinfo_endpoint":"{issuer}/userinfo","token_endpoint_auth_methods_supported":["none"]{tells}}}"#
                ),
            ));
        }
        if path == "/userinfo" {
            let bearer = head.lines().find_map(|line| line.strip_prefix("authorization: Bearer ").or_else(|| line.strip_prefix("Authorization: Bearer ")));
            let mut state = self.state();
            let access = state.access.clone();
            let good = !access.is_empty() && bearer.map(str::trim) == Some(access.as_str());
            state.tell(format!("userinfo {bearer:?}, in force {access}"));
            return Some(if good { json(200, r#"{"sub":"1","name":"Ada Lovelace"}"#) } else { json(401, r#"{"error":"invalid_token"}"#) });
        }
        let fields: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        if path == "/introspect" {
            let active = fields.get("token").is_some_and(|token| *token == self.state().refresh);
            return Some(json(200, &format!(r#"{{"active":{active}}}"#)));
        }
        if fields.get("grant_type").map(String::as_str) == Some("authorization_code") {
            // A code that is none is how the engine tries a client at night (RFC 6749 section 5.2).
            if fields.get("code").map(String::as_str) != Some(CODE) {
                return Some(json(400, r#"{"error":"invalid_grant"}"#));
            }
            let mut state = self.state();
            let (refresh, access) = state.make();
            (state.refresh, state.access) = (refresh.clone(), access.clone());
            state.tell(format!("code for {refresh}"));
            return Some(granted(&refresh, &access));
        }
        self.refresh(fields.get("refresh_token")?).await
    }

    async fn refresh(&self, token: &str) -> Option<String> {
        let (answer, hold) = {
            let mut state = self.state();
            let fault = state.fault.take();
            let mut seen = Seen { token: token.to_owned(), rotated: false, delivered: true };
            let answer = if fault == Some(Fault::LoseBefore) {
                seen.delivered = false;
                None
            } else if token == state.refresh {
                let (refresh, access) = state.make();
                state.successors.insert(token.to_owned(), (refresh.clone(), access.clone()));
                (state.refresh, state.access) = (refresh.clone(), access.clone());
                seen.rotated = true;
                seen.delivered = fault.is_none();
                Some(granted(&refresh, &access)).filter(|_| fault != Some(Fault::LoseAfter))
            } else {
                match (self.reuse, state.successors.get(token).cloned()) {
                    // Within the grace it gets what it got the first time, as long as that is in force.
                    (Reuse::Grace, Some((refresh, access))) if refresh == state.refresh => Some(granted(&refresh, &access)),
                    _ => {
                        state.refresh.clear();
                        state.access.clear();
                        Some(json(400, r#"{"error":"invalid_grant"}"#))
                    }
                }
            };
            let line = format!("{seen:?} {fault:?}, in force {} {}", state.refresh, state.access);
            state.tell(line);
            state.seen.push(seen);
            (answer, fault == Some(Fault::Hold))
        };
        if hold {
            self.rotated.send(()).unwrap();
            return std::future::pending().await;
        }
        answer
    }
}

impl State {
    fn tell(&mut self, what: String) {
        if self.told.len() == TOLD {
            self.told.pop_front();
        }
        self.told.push_back(what);
    }

    fn make(&mut self) -> (String, String) {
        self.made += 1;
        (format!("refresh-{}", self.made), format!("access-{}", self.made))
    }
}

fn granted(refresh: &str, access: &str) -> String {
    json(200, &format!(r#"{{"access_token":"{access}","refresh_token":"{refresh}","token_type":"Bearer","expires_in":86400}}"#))
}

fn json(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Head and body of the next request; none when the other end is gone.
async fn read(stream: &mut TcpStream) -> std::io::Result<Option<(String, String)>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").and_then(|text| text.trim().parse::<usize>().ok()));
            let whole = end + 4 + length.unwrap_or_default();
            if bytes.len() >= whole {
                return Ok(Some((head, String::from_utf8_lossy(&bytes[end + 4..whole]).into_owned())));
            }
        }
        match stream.read(&mut chunk).await? {
            0 => return Ok(None),
            count => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

//! The contract of a server: commands over `/rpc`, and the version that both sides must share.

use std::time::Duration;

use patchbay_api::contract::CONTRACT;
use patchbay_api::operation::{self, Method as RouteMethod};
use patchbay_model::{Code, Context, Operation, Problem, RemoteUrl, Secret};
use reqwest::{Method, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{self, Outcome};
use crate::token::{Held, Keeper, TokenPlace, kept};
use crate::transport::{Lost, Transport};

/// How long a read may take.
const READ: Duration = Duration::from_secs(30);
/// How long anything else may take: a call may wait for a provider.
const WRITE: Duration = Duration::from_secs(120);
/// How often a command is tried that a busy server refuses before it does anything.
const TRIES: u32 = 3;
/// How long such a server is left alone where it does not say.
const BUSY: Duration = Duration::from_millis(300);
/// How long at most.
const LONGEST_BUSY: Duration = Duration::from_secs(2);
/// How long the first question may take.
const GREETING: Duration = Duration::from_secs(10);

/// Why a command has no result.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The server refused it, or it cannot be asked.
    Problem(Problem),
    /// The server cannot be reached.
    Lost(Lost),
}

impl Failure {
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Problem(problem) => &problem.message,
            Self::Lost(lost) => &lost.words,
        }
    }

    /// The problem of a command. What was sent and not answered may have been done: that is said, since repeating it is for
    /// the caller to decide.
    pub fn problem_of(self, command: &str) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Lost(lost) if lost.unsent || is_read(command) => {
                Problem::new(Code::ServerUnreachable, format!("{} Check the address and the network, then try again.", lost.words))
            }
            Self::Lost(lost) => Problem::new(Code::ServerUnreachable, format!("{} Whether the change was made is not known: look before you repeat it.", lost.words)),
        }
    }
}

/// Whether a command only reads, so that it may be repeated and its answer kept.
pub(crate) fn is_read(command: &str) -> bool {
    command == "session.info" || Operation::from_id(command).and_then(operation::route).is_some_and(|route| route.method == RouteMethod::Get)
}

/// The program's side of one server. Clones share the connection and the token.
#[derive(Clone)]
pub struct Client {
    transport: std::sync::Arc<Transport>,
    keeper: Keeper,
}

impl Client {
    /// A client with a token. Nothing is asked yet. `program` is what the server's audit log calls us.
    ///
    /// # Errors
    /// `internal` when no HTTP client can be set up.
    pub fn new(url: RemoteUrl, token: Held, place: TokenPlace, program: &str, context: Context) -> Result<Self, Problem> {
        Ok(Self { transport: std::sync::Arc::new(Transport::new(url, program)?), keeper: Keeper::new(token, false, place, context) })
    }

    /// A client with the token that lies in the keyring.
    ///
    /// # Errors
    /// `token_missing` when there is none, `key_unavailable` when the keyring cannot be used.
    pub async fn kept(url: RemoteUrl, item: patchbay_vault::KeyringItem, program: &str, context: Context) -> Result<Self, Problem> {
        let held = kept(item.clone()).await?.ok_or_else(|| Problem::new(Code::TokenMissing, format!("The keyring holds no token for {url}. Enter one to open it.")))?;
        Ok(Self { transport: std::sync::Arc::new(Transport::new(url, program)?), keeper: Keeper::new(held, true, TokenPlace::Keyring(item), context) })
    }

    /// Takes a token into use: the server must know it, and a pair is renewed at once, so that what was typed in or copied
    /// ends with the next refresh. Then it is put where it belongs. Gives `session.info`.
    ///
    /// # Errors
    /// [`Failure::Lost`], what the server refuses, and `key_unavailable`.
    pub async fn adopt(url: RemoteUrl, access: Secret, refresh: Option<Secret>, place: TokenPlace, program: &str, context: Context) -> Result<(Self, Value), Failure> {
        let now = context.now();
        let first = Self::new(url.clone(), Held::access_only(access.clone(), now), TokenPlace::Memory, program, context.clone()).map_err(Failure::Problem)?;
        first.greet().await?;
        let info = first.call("session.info", &json!({})).await?;
        let client = match refresh {
            None => Self { transport: first.transport, keeper: Keeper::new(Held::access_only(access, now), false, place, context) },
            Some(refresh) => {
                let container = info.get("token_id").and_then(Value::as_str).ok_or_else(|| Failure::Problem(incompatible(&url)))?;
                let pair = Held::pair(access, refresh, container.to_owned(), now);
                // Not in the keyring yet, and counted as kept: there is nothing there that the first refresh could end.
                let client = Self { transport: first.transport, keeper: Keeper::new(pair, true, place, context) };
                client.keeper.access(&client.transport).await.map_err(|failure| refresh_refused(failure, &url))?;
                client
            }
        };
        if !client.keeper.is_kept() {
            client.keeper.keep().await.map_err(Failure::Problem)?;
        }
        Ok((client, info))
    }

    /// The server's address.
    pub fn url(&self) -> &RemoteUrl {
        self.transport.url()
    }

    /// Asks for the version, and whether both sides speak the same contract.
    ///
    /// # Errors
    /// `server_incompatible` in one sentence that says which side to update.
    pub async fn greet(&self) -> Result<(), Failure> {
        #[derive(Deserialize)]
        struct Version {
            name: String,
            version: String,
            #[serde(default)]
            contract: u32,
        }
        let answered = self.transport.send(Method::GET, "/v1/version", None, None, GREETING).await.map_err(Failure::Lost)?;
        let url = self.url();
        let version = match answer::read(url, &answered) {
            Outcome::Done(body) => serde_json::from_value::<Version>(body).ok().filter(|version| version.name == "patchbay"),
            Outcome::Refused(problem) => return Err(Failure::Problem(problem)),
            Outcome::Foreign(lost) => return Err(Failure::Lost(lost)),
        };
        let Some(Version { version, contract, .. }) = version else { return Err(Failure::Problem(incompatible(url))) };
        let ours = env!("CARGO_PKG_VERSION");
        // Versions are the server's text and go into a sentence.
        let version: String = version.chars().filter(|c| !c.is_control()).take(40).collect();
        let sentence = match contract.cmp(&CONTRACT) {
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Less => format!("{url} runs Patchbay {version}, which is too old for this one ({ours}). Update the server, or use an older application."),
            std::cmp::Ordering::Greater => format!("{url} runs Patchbay {version}, which is too new for this one ({ours}). Update this Patchbay."),
        };
        Err(Failure::Problem(Problem::new(Code::ServerIncompatible, sentence)))
    }

    /// Runs a command of the contract and gives its result.
    ///
    /// # Errors
    /// Problems of the command as the server raised them, and [`Failure::Lost`].
    pub async fn call(&self, command: &str, params: &Value) -> Result<Value, Failure> {
        let body = json!({ "command": command, "params": params });
        let patience = if is_read(command) { READ } else { WRITE };
        let mut tries = 0;
        let outcome = loop {
            tries += 1;
            let (access, turn) = self.keeper.access(&self.transport).await?;
            let mut outcome = self.post(&body, &access, patience).await?;
            if dead(&outcome)
                && let Some((access, _)) = self.keeper.instead_of(&self.transport, turn).await?
            {
                // Refused for its token, it was not begun.
                outcome = self.post(&body, &access, patience).await?;
            }
            match &outcome {
                // Nothing was done (product.md section 7), and waiting mends it.
                Outcome::Refused(problem) if tries < TRIES && matches!(problem.code, Code::StoreBusy | Code::ShuttingDown) => {
                    tokio::time::sleep(problem.retry_after.map_or(BUSY, Duration::from_secs).min(LONGEST_BUSY)).await;
                }
                _ => break outcome,
            }
        };
        match outcome {
            Outcome::Done(result) => Ok(result),
            Outcome::Refused(problem) => Err(Failure::Problem(problem)),
            Outcome::Foreign(lost) => Err(Failure::Lost(lost)),
        }
    }

    async fn post(&self, body: &Value, access: &Secret, patience: Duration) -> Result<Outcome, Failure> {
        let answered = self.transport.send(Method::POST, "/rpc", Some(access), Some(body), patience).await.map_err(Failure::Lost)?;
        Ok(answer::read(self.url(), &answered))
    }

    /// Opens the stream of changes, behind the last one seen.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(crate) async fn events(&self, last: Option<&str>) -> Result<Response, Failure> {
        let (access, turn) = self.keeper.access(&self.transport).await?;
        let mut response = self.transport.stream("/events", &access, last).await.map_err(Failure::Lost)?;
        if response.status().as_u16() == 401
            && let Some((access, _)) = self.keeper.instead_of(&self.transport, turn).await?
        {
            response = self.transport.stream("/events", &access, last).await.map_err(Failure::Lost)?;
        }
        let streams = response.headers().get(reqwest::header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if response.status().is_success() && streams {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(|error| Failure::Lost(self.transport.lost(error)))?.to_vec();
        Err(match answer::read(self.url(), &crate::transport::Answered { status, body }) {
            Outcome::Refused(problem) => Failure::Problem(problem),
            Outcome::Foreign(lost) => Failure::Lost(lost),
            Outcome::Done(_) => Failure::Problem(incompatible(self.url())),
        })
    }

    /// The access secret, renewed if that is due.
    pub(crate) async fn access(&self) -> Result<Secret, Failure> {
        self.keeper.access(&self.transport).await.map(|(access, _)| access)
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    pub(crate) fn lost(&self, error: reqwest::Error) -> Lost {
        self.transport.lost(error)
    }

    pub(crate) fn broken(&self, why: &dyn std::fmt::Display) -> Lost {
        self.transport.broken(&why.to_string())
    }

    /// How long until the token is to be renewed.
    pub(crate) fn due_in(&self) -> Option<Duration> {
        self.keeper.due_in()
    }

    /// Renews the token if that is due.
    pub(crate) async fn renew(&self) -> Result<(), Failure> {
        self.keeper.access(&self.transport).await.map(drop)
    }
}

fn dead(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(problem) if problem.code == Code::TokenInvalid)
}

fn incompatible(url: &RemoteUrl) -> Problem {
    Problem::new(Code::ServerIncompatible, format!("{url} answers in a way that this Patchbay ({}) does not understand. Update the older of the two.", env!("CARGO_PKG_VERSION")))
}

/// The access secret was good, so it is the other one that is not.
fn refresh_refused(failure: Failure, url: &RemoteUrl) -> Failure {
    match failure {
        Failure::Problem(problem) if matches!(problem.code, Code::TokenInvalid | Code::WrongTokenKind | Code::NotFound) => Failure::Problem(
            Problem::new(Code::TokenInvalid, format!("{url} does not take the refresh token with this access token. Give both halves of one pair, or the access token alone."))
                .at_body("/refresh"),
        ),
        other => other,
    }
}

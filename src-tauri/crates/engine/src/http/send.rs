//! The client itself.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use patchbay_model::{Code, Context, Problem};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode, redirect};
use url::{Host, Url};

use super::lane::Lane;
use super::resolve::{ForbiddenAddress, GuardedResolver, SystemLookup};
use super::{Lookup, NetworkPolicy, Recorder, retry};

const CONNECT: Duration = Duration::from_secs(5);
/// Longest silence in the middle of an answer.
const READ: Duration = Duration::from_secs(20);
/// Longest life of a pooled connection that nothing uses; below the keep-alive of common servers.
const IDLE: Duration = Duration::from_secs(50);
const USER_AGENT: &str = concat!("Patchbay/", env!("CARGO_PKG_VERSION"));

/// A request to a provider.
#[derive(Clone)]
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// Whole URL.
    pub url: Url,
    /// Headers.
    pub headers: HeaderMap,
    /// Body; empty for none.
    pub body: Bytes,
    /// The path with its ids left out, for the log.
    pub template: Cow<'static, str>,
}

/// When a request may be sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// Twice does what once does: repeat after a lost connection, 429, 502, 503, 504.
    Idempotent,
    /// Only when it certainly never reached the provider.
    OnlyUnsent,
}

/// Bounds of one request.
#[derive(Clone, Copy)]
pub struct Limits {
    /// When all tries must have ended.
    pub deadline: Instant,
    /// Most bytes of the answer's body after decompression.
    pub max_bytes: usize,
    /// Whether it may be repeated.
    pub repeat: Repeat,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, decompressed.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HttpFailure {
    /// The URL is not one that a provider can have.
    #[error("The URL for {0} cannot be called: only http and https without user name and password are. Correct the configuration.")]
    BadUrl(String),
    /// Plain text to somewhere outside the operator's own networks.
    #[error("{0} is not called over plain http, where others can read the credential. Use https, or let the operator allow private networks if the server stands in one.")]
    PlainText(String),
    /// The address lies in a network that is not allowed.
    #[error("{0} lies in a private network, which Patchbay does not call unless its operator allows it (--allow-private-networks).")]
    PrivateTarget(String),
    /// No connection came about.
    #[error("{host} cannot be reached: {why}. Check the URL and the network.")]
    Unreachable {
        /// Host and port.
        host: String,
        /// The system's words.
        why: String,
    },
    /// The time was up.
    #[error("{host} did not answer in time.")]
    Timeout {
        /// Host and port.
        host: String,
        /// Whether the request may have reached the provider.
        sent: bool,
    },
    /// The answer is larger than the cap.
    #[error("The answer of {host} is larger than {limit} bytes. Ask for less at a time.")]
    TooLarge {
        /// Host and port.
        host: String,
        /// The cap.
        limit: usize,
    },
    /// The connection broke after the request had been sent.
    #[error("The connection to {host} broke before the answer was complete: {why}. Try again.")]
    Broken {
        /// Host and port.
        host: String,
        /// What broke.
        why: String,
    },
}

impl HttpFailure {
    /// Whether the provider certainly did not see the request.
    pub fn never_sent(&self) -> bool {
        matches!(self, Self::BadUrl(_) | Self::PlainText(_) | Self::PrivateTarget(_) | Self::Unreachable { .. } | Self::Timeout { sent: false, .. })
    }

    fn worth_repeating(&self, repeat: Repeat) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Broken { .. } => repeat == Repeat::Idempotent,
            // After a timeout the time of the caller is better spent on being told.
            Self::Timeout { .. } | Self::BadUrl(_) | Self::PlainText(_) | Self::PrivateTarget(_) | Self::TooLarge { .. } => false,
        }
    }
}

impl From<HttpFailure> for Problem {
    fn from(failure: HttpFailure) -> Self {
        let code = match &failure {
            HttpFailure::BadUrl(_) => Code::InvalidConfig,
            HttpFailure::PlainText(_) | HttpFailure::PrivateTarget(_) => Code::PrivateTarget,
            HttpFailure::Unreachable { .. } | HttpFailure::Broken { .. } => Code::ProviderUnreachable,
            HttpFailure::Timeout { .. } => Code::ProviderTimeout,
            HttpFailure::TooLarge { .. } => Code::ProviderInvalidAnswer,
        };
        Self::new(code, failure.to_string())
    }
}

/// The client. Cheap to share; connections are pooled and kept alive.
pub struct HttpClient {
    /// Made when it is first needed: reading the system's certificates takes longer than opening a store.
    tls: OnceLock<Option<reqwest::Client>>,
    /// Plain text has its own client, since its resolver gives out other addresses.
    plain: reqwest::Client,
    lookup: Arc<dyn Lookup>,
    policy: NetworkPolicy,
    context: Context,
}

impl HttpClient {
    /// A client under the operator's policy.
    ///
    /// # Errors
    /// `internal` when the client cannot be set up.
    pub fn new(policy: NetworkPolicy, context: Context) -> Result<Self, Problem> {
        Self::with_lookup(policy, context, Arc::new(SystemLookup))
    }

    /// The same with another way to look names up.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_lookup(policy: NetworkPolicy, context: Context, lookup: Arc<dyn Lookup>) -> Result<Self, Problem> {
        // Fails only when a provider of ciphers is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let plain = build(GuardedResolver { lookup: Arc::clone(&lookup), policy, tls: false }, Some(Vec::new()))
            .map_err(|error| Problem::internal(format_args!("the HTTP client cannot be set up ({error})")))?;
        Ok(Self { tls: OnceLock::new(), plain, lookup, policy, context })
    }

    fn tls(&self) -> Option<&reqwest::Client> {
        let make = || {
            let resolver = || GuardedResolver { lookup: Arc::clone(&self.lookup), policy: self.policy, tls: true };
            build(resolver(), None).or_else(|_| build(resolver(), Some(bundled_roots()))).ok()
        };
        self.tls.get_or_init(make).as_ref()
    }

    /// The policy under which it works.
    pub fn policy(&self) -> NetworkPolicy {
        self.policy
    }

    /// Sends a request, repeats it where that is safe, and reads the whole answer.
    ///
    /// A 429 pauses `lane` for as long as the provider asks.
    ///
    /// # Errors
    /// Why there is no answer. An answer with an error status is an answer.
    pub async fn send(&self, request: &HttpRequest, limits: Limits, lane: Option<&Lane>, mut recorder: Option<&mut Recorder>) -> Result<HttpAnswer, HttpFailure> {
        let client = self.client_for(&request.url)?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let started = Instant::now();
            let outcome = self.once(client, request, limits).await;
            log(request, &outcome, started.elapsed(), attempt);
            match (&outcome, recorder.as_deref_mut()) {
                (Ok(answer), Some(recorder)) => recorder.answered(request, answer.status.as_u16(), &answer.headers, &answer.body, started.elapsed()),
                (Err(failure), Some(recorder)) => recorder.unanswered(request, &failure.to_string()),
                (_, None) => {}
            }
            let asked = match &outcome {
                Ok(answer) if retry::worth_repeating(answer.status) => {
                    let asked = retry::retry_after(&answer.headers, self.context.now());
                    if answer.status == StatusCode::TOO_MANY_REQUESTS
                        && let (Some(lane), Some(wait)) = (lane, asked)
                    {
                        lane.pause_for(wait);
                    }
                    if limits.repeat == Repeat::OnlyUnsent {
                        return outcome;
                    }
                    asked
                }
                Ok(_) => return outcome,
                Err(failure) if failure.worth_repeating(limits.repeat) => None,
                Err(_) => return outcome,
            };
            let wait = asked.unwrap_or_else(|| retry::backoff(attempt, self.context.entropy()));
            let in_time = Instant::now() + wait < limits.deadline;
            if attempt >= retry::ATTEMPTS || wait > retry::LONGEST_WAIT || !in_time {
                return outcome;
            }
            tokio::time::sleep(wait).await;
        }
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, HttpFailure> {
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(HttpFailure::BadUrl(place(url))),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(HttpFailure::BadUrl(place(url)));
        }
        if self.policy.rehearsal.is_some() {
            return Ok(&self.plain);
        }
        // The resolver never sees an address that stands in the URL itself.
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(HttpFailure::BadUrl(place(url))),
        };
        match literal {
            Some(address) if !self.policy.allows(address, tls) => Err(self.forbidden(url, tls)),
            // Without this, a name would be looked up only to be told the same.
            None if !tls && !self.policy.allow_private => Err(HttpFailure::PlainText(place(url))),
            _ if tls => self.tls().ok_or_else(|| HttpFailure::Unreachable { host: place(url), why: "TLS cannot be set up on this machine".to_owned() }),
            _ => Ok(&self.plain),
        }
    }

    fn forbidden(&self, url: &Url, tls: bool) -> HttpFailure {
        if !tls && self.policy.allow_private { HttpFailure::PlainText(place(url)) } else { HttpFailure::PrivateTarget(place(url)) }
    }

    async fn once(&self, client: &reqwest::Client, request: &HttpRequest, limits: Limits) -> Result<HttpAnswer, HttpFailure> {
        let host = || place(&request.url);
        let left = limits.deadline.saturating_duration_since(Instant::now());
        let url = self.policy.shown(request.url.clone());
        let outgoing = client.request(request.method.clone(), url).headers(request.headers.clone()).timeout(left);
        let outgoing = if request.body.is_empty() { outgoing } else { outgoing.body(request.body.clone()) };
        let mut answer = outgoing.send().await.map_err(|error| self.failure(error, &request.url))?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        let too_large = || HttpFailure::TooLarge { host: host(), limit: limits.max_bytes };
        let announced = answer.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        if announced > limits.max_bytes {
            return Err(too_large());
        }
        // Chunks come after decompression, so a small answer that unpacks into a huge one is stopped here as well.
        let mut body = BytesMut::with_capacity(announced);
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.failure(error, &request.url))? {
            if body.len() + chunk.len() > limits.max_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpAnswer { status, headers, body: body.freeze() })
    }

    fn failure(&self, error: reqwest::Error, url: &Url) -> HttpFailure {
        let error = error.without_url();
        let host = place(url);
        let mut deepest: &dyn StdError = &error;
        loop {
            if deepest.is::<ForbiddenAddress>() {
                return self.forbidden(url, url.scheme() == "https");
            }
            match deepest.source() {
                Some(source) => deepest = source,
                None => break,
            }
        }
        if error.is_timeout() {
            return HttpFailure::Timeout { host, sent: !error.is_connect() };
        }
        let why = deepest.to_string();
        if error.is_connect() { HttpFailure::Unreachable { host, why } } else { HttpFailure::Broken { host, why } }
    }
}

fn build(resolver: GuardedResolver, roots: Option<Vec<reqwest::Certificate>>) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .referer(false)
        // A proxy would look the names up itself, out of reach of the rules on addresses.
        .no_proxy()
        .connect_timeout(CONNECT)
        .read_timeout(READ)
        .pool_idle_timeout(IDLE)
        .tcp_nodelay(true)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .dns_resolver(Arc::new(resolver));
    match roots {
        None => builder,
        Some(roots) => builder.tls_certs_only(roots),
    }
    .build()
}

/// Mozilla's roots as compiled in, for machines without a certificate store of their own.
fn bundled_roots() -> Vec<reqwest::Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter_map(|root| reqwest::Certificate::from_der(root).ok()).collect()
}

/// Host, and port where it is not the scheme's own.
fn place(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => url.scheme().to_owned(),
    }
}

/// One line per try. No query, no headers, no bodies, and of the path only what is the same for everybody.
fn log(request: &HttpRequest, outcome: &Result<HttpAnswer, HttpFailure>, took: Duration, attempt: u32) {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let host = request.url.host_str().unwrap_or_default();
    match outcome {
        Ok(answer) => tracing::debug!(method = %request.method, host, path = %request.template, status = answer.status.as_u16(), ms, attempt, "called a provider"),
        Err(failure) => tracing::warn!(method = %request.method, host, path = %request.template, ms, attempt, %failure, "a provider gave no answer"),
    }
}

//! Requests to one server, and what can go wrong on the way.

use std::time::Duration;

use patchbay_model::{Problem, RemoteUrl, Secret};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Response, redirect};
use serde_json::Value;

const CONNECT: Duration = Duration::from_secs(5);
/// Longest silence in the middle of an answer. The server's event stream gives a sign of life every 15 seconds.
pub(crate) const SILENCE: Duration = Duration::from_secs(40);
/// Longest life of a pooled connection that nothing uses.
const IDLE: Duration = Duration::from_secs(50);
/// Most bytes of an answer; the largest that a server gives is a part of an exported audit log, about 4 MB.
const LARGEST: usize = 64 << 20;

/// Why there is no answer of a Patchbay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lost {
    /// What happened, in words that name the server.
    pub words: String,
    /// Whether the request certainly did not arrive, so that nothing was done.
    pub unsent: bool,
    /// Whether the server may just be slow: its connection stands.
    pub slow: bool,
}

/// An answer, whatever its status.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// The way to one server.
pub(crate) struct Transport {
    client: reqwest::Client,
    /// For what a server thinks about for long: it does not mind silence.
    patient: reqwest::Client,
    url: RemoteUrl,
}

impl Transport {
    /// `program` is what the server's audit log calls us.
    ///
    /// # Errors
    /// `internal` when no HTTP client can be set up.
    pub(crate) fn new(url: RemoteUrl, program: &str) -> Result<Self, Problem> {
        // Fails only when a provider of ciphers is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let build = |patient: bool, roots: Option<Vec<reqwest::Certificate>>| {
            let builder = reqwest::Client::builder()
                .user_agent(format!("Patchbay/{} ({program})", env!("CARGO_PKG_VERSION")))
                // A token must not follow to another place.
                .redirect(redirect::Policy::none())
                .referer(false)
                .https_only(url.is_encrypted())
                .connect_timeout(CONNECT)
                .pool_idle_timeout(IDLE)
                .tcp_nodelay(true)
                .tls_version_min(reqwest::tls::Version::TLS_1_2);
            let builder = if patient { builder } else { builder.read_timeout(SILENCE) };
            // A proxy sees of https what the network sees. Of http it would see the token.
            let builder = if url.is_encrypted() { builder } else { builder.no_proxy() };
            match roots {
                None => builder,
                Some(roots) => builder.tls_certs_only(roots),
            }
            .build()
        };
        let client = |patient| {
            let client = if url.is_encrypted() { build(patient, None).or_else(|_| build(patient, Some(bundled_roots()))) } else { build(patient, Some(Vec::new())) };
            client.map_err(|error| Problem::internal(format_args!("the HTTP client cannot be set up ({error})")))
        };
        let (client, patient) = (client(false)?, client(true)?);
        Ok(Self { client, patient, url })
    }

    pub(crate) fn url(&self) -> &RemoteUrl {
        &self.url
    }

    /// Sends a request and reads the whole answer, within `patience`. One that certainly did not arrive is sent once more.
    pub(crate) async fn send(&self, method: Method, path: &str, bearer: Option<&Secret>, body: Option<&Value>, patience: Duration) -> Result<Answered, Lost> {
        match self.once(method.clone(), path, bearer, body, patience).await {
            Err(lost) if lost.unsent && !lost.slow => self.once(method, path, bearer, body, patience).await,
            done => done,
        }
    }

    async fn once(&self, method: Method, path: &str, bearer: Option<&Secret>, body: Option<&Value>, patience: Duration) -> Result<Answered, Lost> {
        let mut request = self.request(method, path, bearer)?.timeout(patience);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let mut response = request.send().await.map_err(|error| self.lost(error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(error))? {
            if body.len() + chunk.len() > LARGEST {
                return Err(self.broken(&format!("its answer is larger than {} MiB", LARGEST >> 20)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answered { status, body })
    }

    /// Opens a stream of events, behind the last one seen.
    pub(crate) async fn stream(&self, path: &str, bearer: &Secret, last: Option<&str>) -> Result<Response, Lost> {
        let mut request = self.request(Method::GET, path, Some(bearer))?.header(ACCEPT, "text/event-stream");
        if let Some(last) = last {
            request = request.header(HeaderName::from_static("last-event-id"), last);
        }
        request.send().await.map_err(|error| self.lost(error))
    }

    fn request(&self, method: Method, path: &str, bearer: Option<&Secret>) -> Result<reqwest::RequestBuilder, Lost> {
        self.of(&self.client, method, path, bearer)
    }

    /// A request whose answer may take long; its own timeout is all that ends it.
    pub(crate) fn patient(&self, method: Method, path: &str, bearer: &Secret) -> Result<reqwest::RequestBuilder, Lost> {
        self.of(&self.patient, method, path, Some(bearer))
    }

    fn of(&self, client: &reqwest::Client, method: Method, path: &str, bearer: Option<&Secret>) -> Result<reqwest::RequestBuilder, Lost> {
        let url = self.url.route(path).map_err(|problem| self.broken(&problem.message))?;
        let mut request = client.request(method, url);
        if let Some(bearer) = bearer {
            // What cannot stand in a header is no token. Its words are not repeated.
            let mut value = HeaderValue::from_str(&format!("Bearer {}", bearer.expose())).map_err(|_| self.broken("the token has characters that no token has"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        Ok(request)
    }

    pub(crate) fn broken(&self, why: &str) -> Lost {
        Lost { words: format!("{} cannot be used: {why}.", self.url), unsent: false, slow: false }
    }

    /// The error without its URL, which says nothing more, and with the cause that lies deepest.
    pub(crate) fn lost(&self, error: reqwest::Error) -> Lost {
        let error = error.without_url();
        let mut deepest: &dyn std::error::Error = &error;
        while let Some(source) = deepest.source() {
            deepest = source;
        }
        let (url, why) = (&self.url, deepest.to_string());
        let unsent = error.is_connect() || error.is_builder();
        if error.is_timeout() && !error.is_connect() {
            return Lost { words: format!("{url} did not answer in time."), unsent: false, slow: true };
        }
        let words = if certificate(&error) {
            format!(
                "{url} cannot be trusted: its certificate does not verify ({why}). Nothing was sent. Check the address; a certificate of your own authority has to be known to this machine."
            )
        } else if unsent {
            format!("{url} cannot be reached: {why}.")
        } else {
            format!("The connection to {url} broke: {why}.")
        };
        Lost { words, unsent, slow: false }
    }
}

/// Whether TLS failed by what the server showed, and not by the network.
fn certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return matches!(error, rustls::Error::InvalidCertificate(_));
    }
    // An I/O error does not name the error inside it as its source, but that one's source.
    let inside = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    inside.is_some_and(|inside| certificate(inside)) || error.source().is_some_and(certificate)
}

/// Mozilla's roots as compiled in, for machines without a certificate store of their own.
fn bundled_roots() -> Vec<reqwest::Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter_map(|root| reqwest::Certificate::from_der(root).ok()).collect()
}

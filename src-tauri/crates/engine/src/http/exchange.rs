//! What went to a provider and what came back, for people to look at. Secrets are covered when it is written down, so
//! there is no moment at which a recording holds one.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::Serialize;

use super::{HttpRequest, Mask};

/// Most characters of a body that are kept.
const SHOWN: usize = 64 * 1024;

/// One request and what came of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Exchange {
    /// What was sent.
    pub request: ExchangeRequest,
    /// What came back; nothing when the provider did not answer.
    pub response: Option<ExchangeResponse>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A request as sent, secrets covered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ExchangeRequest {
    /// HTTP method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Name and value, in order.
    pub headers: Vec<(String, String)>,
    /// The body, cut where it is long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// An answer as received, secrets covered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ExchangeResponse {
    /// HTTP status.
    pub status: u16,
    /// Name and value, in order.
    pub headers: Vec<(String, String)>,
    /// The body, cut where it is long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Milliseconds from sending to the last byte.
    pub duration_ms: u64,
}

/// Writes exchanges down for one call.
pub struct Recorder {
    mask: Mask,
    exchanges: Vec<Exchange>,
}

impl Recorder {
    /// A recorder that covers what `mask` knows.
    pub fn new(mask: Mask) -> Self {
        Self { mask, exchanges: Vec::new() }
    }

    /// What it covers; a credential that comes up later is added here before it is used.
    pub fn mask_mut(&mut self) -> &mut Mask {
        &mut self.mask
    }

    /// Everything written down.
    pub fn into_exchanges(self) -> Vec<Exchange> {
        self.exchanges
    }

    pub(crate) fn answered(&mut self, request: &HttpRequest, status: u16, headers: &HeaderMap, body: &[u8], took: Duration) {
        let response =
            ExchangeResponse { status, headers: self.mask.headers(headers), body: self.shown(body, headers), duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX) };
        self.push(request, Some(response), None);
    }

    pub(crate) fn unanswered(&mut self, request: &HttpRequest, why: &str) {
        let why = self.mask.text(why).into_owned();
        self.push(request, None, Some(why));
    }

    fn push(&mut self, request: &HttpRequest, response: Option<ExchangeResponse>, error: Option<String>) {
        let request = ExchangeRequest {
            method: request.method.to_string(),
            url: self.mask.url(&request.url),
            headers: self.mask.headers(&request.headers),
            body: self.shown(&request.body, &request.headers),
        };
        self.exchanges.push(Exchange { request, response, error });
    }

    fn shown(&self, body: &[u8], headers: &HeaderMap) -> Option<String> {
        if body.is_empty() {
            return None;
        }
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut text = self.mask.body(body, kind);
        if let Some((cut, _)) = text.char_indices().nth(SHOWN) {
            text.truncate(cut);
            text.push_str("… (cut)");
        }
        Some(text)
    }
}

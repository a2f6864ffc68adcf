//! Requests and answers as values.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::Url;

/// A request to a provider.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SimRequest {
    /// In capitals.
    pub method: String,
    /// Host of the provider, with its port where it has one.
    pub host: String,
    /// With the slash in front, escaped as sent.
    pub path: String,
    /// What stands behind the question mark.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As sent.
    pub body: Vec<u8>,
}

impl SimRequest {
    /// A request for an address of a provider, or for the same address behind that of a host of this simulator.
    pub fn to(method: &str, url: &Url) -> Self {
        let mut host = url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
        let mut path = url.path().to_owned();
        if url.scheme() == "http" && matches!(url.host(), Some(url::Host::Ipv4(_) | url::Host::Ipv6(_))) {
            let (first, rest) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
            (host, path) = (first.to_owned(), format!("/{rest}"));
        }
        Self { method: method.to_owned(), host, path, query: url.query().unwrap_or_default().to_owned(), ..Self::default() }
    }

    /// The same with a form as its body.
    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        self.body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes();
        self
    }

    /// The same with a header more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn params(&self) -> BTreeMap<String, String> {
        pairs(self.query.as_bytes())
    }

    pub(crate) fn is_form(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    }

    pub(crate) fn is_json(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.contains("json"))
    }

    /// What the body says by name, be it a form or JSON.
    pub(crate) fn fields(&self) -> BTreeMap<String, String> {
        if self.is_form() {
            return pairs(&self.body);
        }
        let Ok(Value::Object(members)) = serde_json::from_slice(&self.body) else { return BTreeMap::new() };
        members.into_iter().filter_map(|(name, value)| Some((name, scalar(&value)?))).collect()
    }

    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// User name and password of Basic (RFC 7617).
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        let coded = self.header("authorization")?.strip_prefix("Basic ")?;
        let plain = String::from_utf8(STANDARD.decode(coded).ok()?).ok()?;
        plain.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
    }

    pub(crate) fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }
}

fn pairs(text: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What comes back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SimReply {
    /// An answer.
    Answer(SimAnswer),
    /// The connection ends without one.
    Drop,
    /// The connection ends after the headers and this much of the body.
    DropAfter(SimAnswer, usize),
    /// Nothing ever comes, and the connection stays.
    Stall,
    /// The body has no end.
    Endless,
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SimAnswer {
    /// Status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// How long it takes.
    pub delay: Duration,
    /// Under which number it stands in the log.
    pub number: u64,
}

impl SimAnswer {
    pub(crate) fn of(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), kind.to_owned()), ("cache-control".to_owned(), "no-store".to_owned())],
            body: body.into(),
            delay: Duration::ZERO,
            number: 0,
        }
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::of(status, "application/json", value.to_string())
    }

    pub(crate) fn page(status: u16, html: String) -> Self {
        Self::of(status, "text/html; charset=utf-8", html)
    }

    pub(crate) fn redirect(to: &str) -> Self {
        let mut answer = Self::of(303, "text/plain", "");
        answer.headers.push(("location".to_owned(), to.to_owned()));
        answer
    }

    pub(crate) fn nothing_here(what: &str) -> Self {
        Self::json(404, &json!({ "error": "not_found", "error_description": what }))
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn value(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

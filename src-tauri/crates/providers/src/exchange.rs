//! What goes to a provider and what comes back, as plain values.

use serde_json::Value;
use url::Url;

/// HTTP method of a request to a provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// The method as HTTP writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One part of a `multipart/form-data` body (RFC 7578).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Name of the form field.
    pub name: String,
    /// Name of the file, if it is one.
    pub file_name: Option<String>,
    /// Media type of the content.
    pub content_type: Option<String>,
    /// The content.
    pub bytes: Vec<u8>,
}

/// The body of a request.
#[derive(Clone, PartialEq, Debug)]
pub enum RequestBody {
    /// None.
    Empty,
    /// JSON, sent as `application/json`.
    Json(Value),
    /// Raw bytes of a media type.
    Bytes {
        /// The media type.
        content_type: String,
        /// The content.
        bytes: Vec<u8>,
    },
    /// `multipart/form-data`; the sender chooses the boundary.
    Multipart(Vec<Part>),
}

/// A request for the engine to send.
///
/// The adapter never sets `Authorization` or any other header that holds a secret: the engine adds the credential as
/// [`crate::Place`] says when [`Self::authenticated`] is true, and only then.
#[derive(Clone, PartialEq, Debug)]
pub struct ProviderRequest {
    /// The method.
    pub method: Method,
    /// The whole address, query included.
    pub url: Url,
    /// Headers beyond the credential, the length and the media type of the body. Names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: RequestBody,
    /// Whether the credential goes with it.
    pub authenticated: bool,
    /// Whether sending it twice does what sending it once does, so that the engine may try again after a lost answer.
    pub idempotent: bool,
    /// Most bytes of the answer's body that make sense; more is a fault of the provider.
    pub max_answer_bytes: usize,
    /// For what it is signed, where that is another service than the credential's place says.
    pub signed_for: Option<SignedFor>,
}

/// A service of AWS, and the region in which it is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedFor {
    /// Which service.
    pub service: String,
    /// In which region.
    pub region: String,
}

impl ProviderRequest {
    /// Bound of ordinary JSON answers.
    pub const MAX_JSON: usize = 16 << 20;
    /// Bound of downloaded files.
    pub const MAX_FILE: usize = 64 << 20;

    /// A request with the credential, no body and an `accept` header for JSON.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: RequestBody::Empty,
            authenticated: true,
            idempotent: matches!(method, Method::Get | Method::Put | Method::Delete),
            max_answer_bytes: Self::MAX_JSON,
            signed_for: None,
        }
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = RequestBody::Json(body);
        self
    }

    /// With a header; it replaces one of the same name. `name` must be in lower case.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without the credential.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.authenticated = false;
        self
    }
}

/// An answer of a provider: any status, as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderResponse {
    /// The status.
    pub status: u16,
    /// Headers in the order they came; values that are not text are left out.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

impl ProviderResponse {
    /// The first header of this name, ignoring case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether the status says success.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

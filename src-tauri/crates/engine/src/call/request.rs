//! A provider's request, as an adapter made it, turned into what the client sends.

use std::borrow::Cow;

use bytes::Bytes;
use patchbay_model::{Entropy, Problem};
use patchbay_providers::{Method, Part, ProviderRequest, ProviderResponse, RequestBody};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::http::{HttpAnswer, HttpRequest};

/// The request without its credential.
///
/// # Errors
/// `internal` when an adapter made an impossible header.
pub(crate) fn outgoing(request: &ProviderRequest, operation: &'static str, entropy: &dyn Entropy) -> Result<HttpRequest, Problem> {
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 2);
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Problem::internal("an adapter made an impossible header"))?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| Problem::internal("an adapter made an impossible header value"))?;
        headers.insert(name, value);
    }
    let (kind, body) = match &request.body {
        RequestBody::Empty => (None, Bytes::new()),
        RequestBody::Json(value) => (Some(Cow::Borrowed("application/json")), Bytes::from(value.to_string())),
        RequestBody::Bytes { content_type, bytes } => (Some(Cow::Borrowed(content_type.as_str())), Bytes::from(bytes.clone())),
        RequestBody::Multipart(parts) => {
            let boundary = boundary(entropy);
            (Some(Cow::Owned(format!("multipart/form-data; boundary={boundary}"))), multipart(parts, &boundary))
        }
    };
    if let Some(kind) = kind {
        let kind = HeaderValue::from_str(&kind).map_err(|_| Problem::internal("an adapter made an impossible content type"))?;
        // Some want their own name for what is JSON.
        headers.entry(CONTENT_TYPE).or_insert(kind);
    }
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    };
    Ok(HttpRequest { method, url: request.url.clone(), headers, body, template: operation.into() })
}

/// The answer as adapters read it.
pub(crate) fn incoming(answer: HttpAnswer) -> ProviderResponse {
    ProviderResponse {
        status: answer.status.as_u16(),
        headers: answer.headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect(),
        body: answer.body.into(),
    }
}

/// Random, so that no content can contain it.
fn boundary(entropy: &dyn Entropy) -> String {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    format!("patchbay-{}", uuid::Uuid::from_bytes(random).simple())
}

/// RFC 7578, names escaped as browsers do (HTML, "multipart form data").
fn multipart(parts: &[Part], boundary: &str) -> Bytes {
    let escape = |name: &str| name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let mut body = Vec::with_capacity(parts.iter().map(|part| part.bytes.len() + 256).sum());
    for part in parts {
        body.extend_from_slice(format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{}\"", escape(&part.name)).as_bytes());
        if let Some(name) = &part.file_name {
            body.extend_from_slice(format!("; filename=\"{}\"", escape(name)).as_bytes());
        }
        if let Some(kind) = part.content_type.as_deref().filter(|kind| !kind.contains(['\r', '\n'])) {
            body.extend_from_slice(format!("\r\ncontent-type: {kind}").as_bytes());
        }
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(&part.bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_cannot_break_out_of_its_part() {
        let part = Part { name: "file".to_owned(), file_name: Some("a\"\r\nx: y.txt".to_owned()), content_type: Some("text/plain\r\nx: y".to_owned()), bytes: b"hello".to_vec() };
        let body = multipart(&[part], "B");
        assert_eq!(&body[..], &b"--B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a%22%0D%0Ax: y.txt\"\r\n\r\nhello\r\n--B--\r\n"[..]);
    }
}

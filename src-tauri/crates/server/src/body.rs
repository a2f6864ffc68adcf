//! Bodies of requests: JSON, bounded in size, depth and time.

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use futures_util::StreamExt;
use patchbay_api::image::MEDIA_TYPE;
use patchbay_model::problem::Location;
use patchbay_model::{Code, Problem};
use serde_json::Value;
use tokio::io::AsyncWriteExt;

/// Most bytes of a management request.
pub(crate) const MANAGEMENT: usize = 1 << 20;
/// Most bytes of a connector request: attachments travel as base64 in JSON.
pub(crate) const CONNECTOR: usize = 32 << 20;
/// How long a caller may take to send its body.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads a JSON body; nothing when none was sent.
///
/// Nesting is bounded by the JSON parser itself (128 levels).
pub(crate) async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Option<Value>, Problem> {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|value| value.parse::<u64>().ok());
    if length == Some(0) || (length.is_none() && !headers.contains_key(TRANSFER_ENCODING) && http_body_ended(&body)) {
        return Ok(None);
    }
    let too_large = || {
        Problem::new(Code::PayloadTooLarge, format!("The body is larger than {} KiB, which is the most that this route takes. Send less at once.", most >> 10))
            .at(Location::Header, "content-length")
    };
    if length.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > most)) {
        return Err(too_large());
    }
    json_type(headers)?;
    let bytes = tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, most))
        .await
        .map_err(|_| Problem::new(Code::InvalidRequest, format!("The body did not arrive within {} s. Send it again.", PATIENCE.as_secs())))?
        .map_err(|error| if length_exceeded(&error) { too_large() } else { Problem::new(Code::InvalidBody, "The body ended early. Send it again.") })?;
    if bytes.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "it ends too early",
            _ if error.to_string().contains("recursion limit") => "it is nested too deeply",
            _ => "it is not well-formed",
        };
        Problem::new(Code::InvalidBody, format!("The body cannot be read as JSON: {what}, at line {} column {}.", error.line(), error.column())).at_body("")
    })
}

/// Most bytes of a form that a page sends.
const FORM: usize = 64 << 10;
/// Most fields of a form.
const FIELDS: usize = 100;

/// Reads a form as browsers send it (`application/x-www-form-urlencoded`).
pub(crate) async fn form(headers: &HeaderMap, body: Body) -> Result<Vec<(String, String)>, Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next()).unwrap_or_default();
    if !kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Problem::new(Code::UnsupportedMediaType, "This address takes the form of its page and nothing else.").at(Location::Header, "content-type"));
    }
    let too_large = || Problem::new(Code::PayloadTooLarge, format!("What was entered is longer than {} kB together. Enter less.", FORM >> 10));
    let bytes = tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, FORM))
        .await
        .map_err(|_| Problem::new(Code::InvalidRequest, "The form did not arrive in time. Send it again."))?
        .map_err(|error| if length_exceeded(&error) { too_large() } else { Problem::new(Code::InvalidBody, "The form ended early. Send it again.") })?;
    let fields: Vec<_> = url::form_urlencoded::parse(&bytes).take(FIELDS + 1).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    if fields.len() > FIELDS { Err(too_large()) } else { Ok(fields) }
}

/// Most bytes of an image of an organization.
const LARGEST_IMAGE: u64 = 16 << 30;

/// How long a caller may take to send a part of an image.
const PART: Duration = Duration::from_secs(60);

/// Whether the body is a file as it is.
pub(crate) fn is_bytes(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|kind| kind.eq_ignore_ascii_case(MEDIA_TYPE))
}

/// Whether the caller wants a file as it is.
pub(crate) fn wants_bytes(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|kind| kind.eq_ignore_ascii_case(MEDIA_TYPE))
}

/// Writes a body into a file, part by part.
pub(crate) async fn spool(body: Body, file: std::fs::File) -> Result<std::fs::File, Problem> {
    let mut file = tokio::fs::File::from_std(file);
    let mut parts = body.into_data_stream();
    let mut bytes = 0;
    loop {
        let part = tokio::time::timeout(PART, parts.next())
            .await
            .map_err(|_| Problem::new(Code::InvalidRequest, format!("Nothing of the body arrived for {} s. Send it again.", PART.as_secs())))?;
        let Some(part) = part else { break };
        let part = part.map_err(|_| Problem::new(Code::InvalidBody, "The body ended early. Send it again."))?;
        bytes += part.len() as u64;
        if bytes > LARGEST_IMAGE {
            return Err(Problem::new(Code::PayloadTooLarge, "The image is larger than 16 GiB. Copy the store with `patchbay store copy` on a machine that reaches both stores.")
                .at(Location::Header, "content-length"));
        }
        file.write_all(&part).await.map_err(full)?;
    }
    file.flush().await.map_err(full)?;
    Ok(file.into_std().await)
}

fn full(error: std::io::Error) -> Problem {
    Problem::new(Code::StoreReadOnly, format!("The server has no room for the image ({}). Free some space in its temporary folder and try again.", error.kind()))
}

fn http_body_ended(body: &Body) -> bool {
    hyper::body::Body::is_end_stream(body)
}

fn length_exceeded(error: &axum::Error) -> bool {
    // The only other errors of reading are those of the connection.
    error.to_string().contains("length limit exceeded")
}

fn json_type(headers: &HeaderMap) -> Result<(), Problem> {
    let refuse = |found: &str| {
        let shown: String = found.chars().take(80).collect();
        Err(Problem::new(Code::UnsupportedMediaType, format!("The body is of type `{shown}`, but this route takes application/json. Send JSON with that content type."))
            .at(Location::Header, "content-type"))
    };
    let Some(value) = headers.get(CONTENT_TYPE) else { return refuse("unknown") };
    let Ok(text) = value.to_str() else { return refuse("unreadable") };
    let mime = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if mime == "application/json" || (mime.starts_with("application/") && mime.ends_with("+json")) { Ok(()) } else { refuse(&mime) }
}

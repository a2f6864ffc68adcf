//! Answers: the wire's envelopes and Problems as HTTP.

use axum::body::{Body, Bytes};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::stream;
use patchbay_api::export::AuditExport;
use patchbay_api::reply::Reply;
use patchbay_api::wire::problem;
use patchbay_model::{Code, Problem, Timestamp};
use serde::Serialize;
use tokio::io::AsyncReadExt;
use uuid::Uuid;

/// `start_after` of the next page.
pub(crate) const NEXT: HeaderName = HeaderName::from_static("x-next-start-after");
/// What undoes a delete.
pub(crate) const DELETION: HeaderName = HeaderName::from_static("x-patchbay-deletion");

/// When a request came and under which id the log has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) at: Timestamp,
    pub(crate) id: Uuid,
}

/// An answer with a JSON body.
pub(crate) fn json(status: u16, body: &impl Serialize) -> Response {
    text(status, serde_json::to_string(body).unwrap_or_default())
}

fn text(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer of an operation. A 204 has no body; what it would hold travels in headers.
pub(crate) fn reply(reply: Reply) -> Response {
    let mut response = if reply.status == 204 {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    } else {
        text(reply.status, reply.body)
    };
    for (name, value) in [(NEXT, reply.next), (DELETION, reply.deletion)] {
        // Sort keys may be any text; header values may be UTF-8 (RFC 9110 section 5.5).
        if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// An export, written while it is read. An error half-way ends the connection, so that a part is never taken for the whole.
pub(crate) fn export(export: AuditExport) -> Response {
    let format = export.format();
    let parts = stream::try_unfold(export, |mut export| async move {
        let part = export.next().await.map_err(|problem| std::io::Error::other(problem.message))?;
        Ok::<_, std::io::Error>(part.map(|part| (Bytes::from(part), export)))
    });
    let mut response = Response::new(Body::from_stream(parts));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(named) = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", format.file_name())) {
        headers.insert(CONTENT_DISPOSITION, named);
    }
    response
}

/// A calendar, as programs for calendars take it.
pub(crate) fn calendar(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(patchbay_api::calendar::MEDIA_TYPE));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"patchbay-deadlines.ics\""));
    response
}

/// Bytes of a file that are read at once.
const PART: usize = 1 << 16;

/// A file as it is, from its beginning.
pub(crate) fn file(file: std::fs::File) -> Result<Response, Problem> {
    let length = file.metadata().map_err(|error| Problem::internal(format_args!("a file cannot be read ({error})")))?.len();
    let parts = stream::try_unfold(tokio::fs::File::from_std(file), |mut file| async move {
        let mut part = vec![0; PART];
        let read = file.read(&mut part).await?;
        part.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(part), file)))
    });
    let mut response = Response::new(Body::from_stream(parts));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(patchbay_api::image::MEDIA_TYPE));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A problem as `application/problem+json`.
pub(crate) fn problem(problem: &Problem, stamp: Stamp) -> Response {
    let wire = problem::Problem::new(problem, stamp.at, stamp.id);
    let mut response = json(wire.status, &wire);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(seconds) = problem.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    // RFC 6750 section 3.
    match problem.code {
        Code::TokenMissing => headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"patchbay\"")),
        Code::TokenInvalid => headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"patchbay\", error=\"invalid_token\"")),
        _ => None,
    };
    response
}

/// A problem with the methods that are allowed instead (RFC 9110 section 15.5.6).
pub(crate) fn method_not_allowed(method: &str, path: &str, allowed: &str, stamp: Stamp) -> Response {
    let shown: String = method.chars().take(20).collect();
    let trouble = Problem::new(Code::MethodNotAllowed, format!("{path} does not take {shown}. Use {allowed}."));
    let mut response = problem(&trouble, stamp);
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_code_has_its_status_and_the_required_fields() {
        let stamp = Stamp { at: "2026-11-22T00:00:00Z".parse().unwrap(), id: Uuid::nil() };
        for code in Code::ALL {
            let response = problem(&Problem::new(*code, "What happened, and what to do.").retry_after(7), stamp);
            assert_eq!(response.status().as_u16(), code.status(), "{}", code.as_str());
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
            assert_eq!(response.headers()[RETRY_AFTER], "7");
            assert_eq!(response.headers().contains_key(WWW_AUTHENTICATE), matches!(code, Code::TokenMissing | Code::TokenInvalid), "{}", code.as_str());
            let body: serde_json::Value = serde_json::from_slice(&axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap()).unwrap();
            assert_eq!(body["status"], code.status());
            assert_eq!(body["type"], format!("urn:patchbay:problem:{}", code.as_str()));
            for field in ["message", "occurred_at", "instance", "title"] {
                assert!(body[field].is_string(), "{}: {field}", code.as_str());
            }
            assert!(body.as_object().unwrap().values().all(|value| !value.is_null()), "what is not there is absent, not null");
        }
    }
}

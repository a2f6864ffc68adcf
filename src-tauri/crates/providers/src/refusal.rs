//! Refusals of providers, made into problems with the provider's own words.

use patchbay_model::{Code, Problem};
use serde_json::Value;

use crate::exchange::ProviderResponse;
use crate::reading::cut;

/// Longest message of a provider that is passed on, in bytes.
const MAX_MESSAGE: usize = 600;

/// Most seconds of a `Retry-After` that are passed on; a day.
const MAX_RETRY_AFTER: u64 = 86_400;

/// Headers in which providers name a request, for their support.
const REQUEST_IDS: &[&str] = &["x-request-id", "x-arequestid", "atl-traceid", "x-trace-id", "x-amzn-requestid", "x-correlation-id", "request-id"];

/// Makes a problem of an answer whose status is no success. `noun` and `reference` name the object that was asked for.
pub(crate) fn refused(provider: &str, response: &ProviderResponse, noun: &str, reference: &str) -> Problem {
    let status = response.status;
    let message = message(response);
    let says = message.as_deref().map(|message| format!(" It says: {message}")).unwrap_or_default();
    let reference = cut(reference, 200);
    let object = if reference.is_empty() { noun.to_owned() } else { format!("{noun} `{reference}`") };
    let mut problem = match status {
        401 => Problem::new(Code::ProviderRefused, format!("{provider} refuses the credential (status 401).{says} Replace the credential, then test the connection.")),
        403 => Problem::new(
            Code::ProviderRefused,
            format!("{provider} does not let this credential use the {object} (status 403).{says} Give the user the permission there, or use another credential."),
        ),
        404 | 410 => {
            Problem::new(Code::NotFound, format!("{provider} has no {object}, or hides it from this credential (status {status}).{says} Check the id and the user's permissions."))
        }
        429 => Problem::new(Code::ProviderRateLimited, format!("{provider} asks to slow down (status 429).{says} Try again later.")),
        400 | 409 | 422 => Problem::new(Code::ProviderRefused, format!("{provider} refuses the request for the {object} (status {status}).{says} Correct the values.")),
        300..=399 => Problem::new(
            Code::ProviderRefused,
            format!("{provider} answers for the {object} with a redirect (status {status}). Correct the configured address: it must be the final one."),
        ),
        500..=599 => Problem::new(Code::ProviderUnreachable, format!("{provider} is out of order (status {status}).{says} Try again later.")),
        _ => Problem::new(Code::ProviderRefused, format!("{provider} answers for the {object} with status {status}.{says}")),
    };
    problem.context.raw_error = message;
    problem.context.provider_details.insert("status".to_owned(), status.into());
    if let Some(id) = REQUEST_IDS.iter().find_map(|name| response.header(name)) {
        problem.context.provider_details.insert("request_id".to_owned(), cut(id, 200).into());
    }
    if matches!(status, 429 | 503) {
        problem.retry_after = retry_after(response);
    }
    problem
}

/// Seconds of `Retry-After` (RFC 9110 section 10.2.3); a date is left to the default.
fn retry_after(response: &ProviderResponse) -> Option<u64> {
    response.header("retry-after")?.trim().parse::<u64>().ok().map(|seconds| seconds.min(MAX_RETRY_AFTER))
}

/// The provider's words: of the shapes of JSON errors in use, else none. HTML is never passed on.
fn message(response: &ProviderResponse) -> Option<String> {
    let value: Value = serde_json::from_slice(&response.body).ok()?;
    let mut parts: Vec<String> = Vec::new();
    let mut add = |text: &str| {
        let text = text.trim();
        if !text.is_empty() && parts.len() < 10 {
            parts.push(text.to_owned());
        }
    };
    for key in ["errorMessages", "errors", "error", "error_description", "message", "detail", "title"] {
        match value.get(key) {
            Some(Value::String(text)) => add(text),
            Some(Value::Array(list)) => list.iter().take(10).for_each(|entry| match entry {
                Value::String(text) => add(text),
                entry => entry.get("message").or_else(|| entry.get("detail")).and_then(Value::as_str).into_iter().for_each(&mut add),
            }),
            Some(Value::Object(map)) => map.iter().take(10).for_each(|(field, text)| {
                if let Some(text) = text.as_str() {
                    add(&format!("{field}: {text}"));
                }
            }),
            _ => {}
        }
    }
    let clean: String = parts.join(" ").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    (!clean.is_empty()).then(|| mask(cut(&clean, MAX_MESSAGE)))
}

/// Hides what follows `Bearer`, `Basic`, `token=` and the like, in case a provider repeats what it was sent.
fn mask(text: &str) -> String {
    let mut hide = false;
    text.split(' ')
        .map(|word| {
            let lower = word.to_ascii_lowercase();
            if std::mem::replace(&mut hide, lower == "bearer" || lower == "basic") && word.len() >= 8 {
                return "***".to_owned();
            }
            for key in ["token=", "key=", "secret=", "password=", "authorization:"] {
                if let Some(at) = lower.find(key)
                    && let Some(kept) = word.get(..at + key.len())
                {
                    return format!("{kept}***");
                }
            }
            word.to_owned()
        })
        .collect::<Vec<_>>()
        .join(" ")
}

//! Answers of token endpoints, written through the pointers that the engine reads them with.

use std::time::Duration;

use patchbay_model::Timestamp;
use patchbay_providers::manifest::answer::{ExpiryPlace, ExpiryUnit, Pointer};
use patchbay_providers::manifest::lifetime::Silent;
use patchbay_providers::manifest::{At, Cause, Manifest, Server};
use serde_json::{Map, Value, json};

use crate::fault::Fault;
use crate::site::{Site, put};
use crate::wire::SimAnswer;

/// Tokens under one name.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    /// Which place of the manifest.
    pub(crate) place: usize,
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
    /// Seconds until the access token ends.
    pub(crate) seconds: Option<u64>,
    /// Seconds until the refresh token does.
    pub(crate) refresh_seconds: Option<u64>,
    /// When the grant ends, whatever is done.
    pub(crate) absolute: Option<Timestamp>,
}

/// An answer with tokens.
pub(crate) fn granted(site: &Site, server: &Server, issued: &[Issued], scopes: &[String], fault: Option<&Fault>, now: Timestamp) -> SimAnswer {
    if fault == Some(&Fault::Ok200Error) {
        return SimAnswer::json(200, &json!({ "error": "temporarily_unavailable", "error_description": "simulated" }));
    }
    let mut body = Value::Object(Map::new());
    let mut headers = Vec::new();
    let text = Value::String;
    for tokens in issued {
        let Some(place) = server.answer.tokens.get(tokens.place) else { continue };
        put(&mut body, &place.access, if fault == Some(&Fault::WrongType) { json!(17) } else { text(tokens.access.clone()) });
        if let (Some(pointer), Some(refresh)) = (&place.refresh, tokens.refresh.clone().filter(|_| fault != Some(&Fault::NoRefreshToken))) {
            put(&mut body, pointer, text(refresh));
        }
        let told = !matches!(server.lifetime.access.silent, Silent::AsDocumented | Silent::JwtExp) && fault != Some(&Fault::NoExpiry);
        if let (Some(expires), Some(seconds)) = (&place.expires, tokens.seconds.filter(|_| told)) {
            if fault == Some(&Fault::WrongType) {
                put(&mut body, &expires.at, json!("soon"));
            } else {
                put_end(&mut body, expires, seconds, now);
            }
        }
        if let (Some(expires), Some(seconds)) = (&place.refresh_expires, tokens.refresh_seconds) {
            put_end(&mut body, expires, seconds, now);
        }
        if let (Some(expires), Some(at)) = (&place.absolute_expires, tokens.absolute) {
            put_end(&mut body, expires, at.since(now).as_secs(), now);
        }
        if let Some(pointer) = place.scope.as_ref().filter(|_| fault != Some(&Fault::ScopeLess)) {
            let separator = server.answer.scope_separator.as_deref().unwrap_or(&server.scopes.separator);
            put(&mut body, pointer, text(scopes.join(separator)));
        }
    }
    for (key, keep) in &server.answer.keep {
        let value = site.kept(key);
        if let Some(at) = &keep.at {
            put(&mut body, at, text(value.clone()));
        }
        headers.extend(keep.header.as_ref().map(|name| (name.to_ascii_lowercase(), value)));
    }
    if let Some(ok) = &server.answer.ok {
        let value = ok.equals.clone().unwrap_or(Value::Bool(true));
        if ok.pointer.of(&body).is_none() {
            put(&mut body, &ok.pointer, value);
        }
    }
    // What has fields of its own says nothing of a type; the others say what RFC 6749 does.
    if server.answer.tokens.first().is_some_and(|first| *first == patchbay_providers::manifest::answer::TokenPlace::default()) && server.answer.ok.is_none() {
        put_text(&mut body, "token_type", "Bearer");
    }
    let mut answer = SimAnswer::json(200, &body);
    answer.headers.extend(headers);
    answer
}

fn put_text(body: &mut Value, name: &str, value: &str) {
    if let Some(members) = body.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
}

/// Writes when something ends.
pub(crate) fn put_end(body: &mut Value, place: &ExpiryPlace, seconds: u64, now: Timestamp) {
    put(body, &place.at, end(place.unit, seconds, now));
}

pub(crate) fn end(unit: ExpiryUnit, seconds: u64, now: Timestamp) -> Value {
    let at = now.plus(Duration::from_secs(seconds));
    match unit {
        ExpiryUnit::Seconds => json!(seconds),
        ExpiryUnit::Milliseconds => json!(seconds.saturating_mul(1000)),
        ExpiryUnit::UnixTime => json!(at.unix_millis() / 1000),
        ExpiryUnit::UnixMilliseconds => json!(at.unix_millis()),
        ExpiryUnit::Iso8601 => json!(at.to_string()),
    }
}

/// A refusal in the provider's own words where the manifest knows them.
pub(crate) struct Complaint {
    pub(crate) code: String,
    pub(crate) words: String,
    pub(crate) status: Option<u16>,
}

impl Complaint {
    pub(crate) fn of(manifest: &Manifest, at: At, cause: Cause, code: &str, words: &str) -> Self {
        let rule = manifest.error.iter().find(|rule| rule.at == at && rule.cause == cause);
        let contains = rule.and_then(|rule| rule.contains.as_deref());
        Self {
            code: rule.and_then(|rule| rule.code.clone()).unwrap_or_else(|| code.to_owned()),
            words: contains.map_or_else(|| words.to_owned(), |contains| format!("{contains} ({words})")),
            status: rule.and_then(|rule| rule.status),
        }
    }
}

/// A refusal of a token endpoint.
pub(crate) fn refused(site: &Site, server: &Server, cause: Cause, code: &str, words: &str) -> (SimAnswer, String) {
    let complaint = Complaint::of(site.manifest(), At::Token, cause, code, words);
    let mut body = Value::Object(Map::new());
    let word = server.answer.error.iter().find(|pointer| pointer.as_str() == "/error").or(server.answer.error.first());
    let explained = server.answer.error_words.first();
    if let Some(pointer) = word {
        put(&mut body, pointer, Value::String(complaint.code.clone()));
    }
    if let Some(pointer) = explained.filter(|explained| word != Some(*explained)) {
        put(&mut body, pointer, Value::String(complaint.words));
    }
    let mut usual = if code == "invalid_client" { 401 } else { 400 };
    if let Some(ok) = &server.answer.ok {
        if ok.equals == Some(Value::Bool(true)) {
            put(&mut body, &ok.pointer, Value::Bool(false));
        }
        usual = 200;
    }
    (SimAnswer::json(complaint.status.unwrap_or(usual), &body), complaint.code)
}

/// A pointer's place with text in it, unless something stands there.
pub(crate) fn put_once(body: &mut Value, pointer: Option<&Pointer>, value: Value) {
    if let Some(pointer) = pointer.filter(|pointer| pointer.of(body).is_none_or(Value::is_null)) {
        put(body, pointer, value);
    }
}

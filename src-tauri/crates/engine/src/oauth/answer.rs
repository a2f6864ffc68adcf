//! Reading what a token endpoint answers.
//!
//! Providers take liberties with RFC 6749 section 5, so the reader takes whatever can be understood, led by what the manifest says:
//! numbers as text, lists of scopes, a missing `token_type`, forms instead of JSON, errors with status 200, several tokens at once.

use std::collections::BTreeMap;
use std::time::Duration;

use patchbay_model::{Secret, Timestamp};
use patchbay_providers::Server;
use patchbay_providers::manifest::answer::{Answer as Facts, ExpiryPlace, ExpiryUnit, Keep, Pointer, TokenPlace};
use patchbay_providers::manifest::lifetime::{AccessLifetime, Silent};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value};

use super::tokens::{Expiry, Finding, MAIN, NewTokens, Token};

/// Longest value of a token that is taken.
const LONGEST_TOKEN: usize = 64 * 1024;
/// Longest value that is kept beside tokens.
const LONGEST_KEPT: usize = 4096;
/// Longest lifetime that is believed; a token that is said to live longer is renewed after this.
const LONGEST_LIFE: u64 = 366 * 86_400;
/// What is assumed where neither answer nor manifest says how long a token lives.
const ASSUMED_LIFE: u64 = 3600;

/// What a token endpoint answered.
pub(crate) enum Answer {
    /// Tokens.
    Granted(Box<NewTokens>),
    /// An error (RFC 6749 section 5.2).
    Refused(Refusal),
    /// Neither.
    Nonsense,
}

/// An error of a token endpoint, in the provider's words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Refusal {
    /// The word of the error.
    pub(crate) error: String,
    /// Its explanation, bounded.
    pub(crate) description: Option<String>,
    /// HTTP status.
    pub(crate) status: u16,
}

/// Reads an answer.
pub(crate) fn read(server: &Server, status: u16, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Answer {
    let facts = &server.answer;
    let Some(answer) = fields(headers, body, facts) else { return Answer::Nonsense };
    let well = status < 400 && facts.ok.as_ref().is_none_or(|ok| ok.holds(&answer));
    if well {
        let mut new = NewTokens::default();
        for place in &facts.tokens {
            match token(server, place, &answer, now, &mut new.findings) {
                Some(token) => {
                    // The first is the one that requests carry, whatever it is called.
                    let main = place.name == MAIN || facts.tokens.first() == Some(place);
                    new.tokens.insert(if main { MAIN.to_owned() } else { place.name.clone() }, token);
                }
                None if place.optional => {}
                None => return refused(facts, &answer, status).map_or(Answer::Nonsense, Answer::Refused),
            }
        }
        if !new.tokens.is_empty() {
            keep(&facts.keep, headers, &answer, &mut new);
            return Answer::Granted(Box::new(new));
        }
    }
    match refused(facts, &answer, status) {
        Some(refusal) => Answer::Refused(refusal),
        // It says that it failed, and not why.
        None if !well && facts.ok.is_some() => Answer::Refused(Refusal { error: "error".to_owned(), description: None, status }),
        None => Answer::Nonsense,
    }
}

/// The answer as an object, out of JSON or out of a form.
fn fields(headers: &HeaderMap, body: &[u8], facts: &Facts) -> Option<Value> {
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        return value.is_object().then_some(value);
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let marked_up = kind.contains("html") || kind.contains("xml") || body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<');
    // A page can contain anything, also what looks like a form.
    if marked_up {
        return None;
    }
    let form: Map<String, Value> = url::form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect();
    let form = Value::Object(form);
    let told = facts.tokens.iter().map(|place| &place.access).chain(&facts.error).any(|pointer| pointer.of(&form).is_some());
    told.then_some(form)
}

/// A text that can stand in a header.
fn text<'a>(at: &Pointer, answer: &'a Value) -> Option<&'a str> {
    at.of(answer).and_then(Value::as_str).filter(|text| !text.is_empty() && text.len() <= LONGEST_TOKEN && !text.chars().any(char::is_control))
}

fn token(server: &Server, place: &TokenPlace, answer: &Value, now: Timestamp, findings: &mut Vec<Finding>) -> Option<Token> {
    let access = text(&place.access, answer)?;
    let until = |place: &Option<ExpiryPlace>| place.as_ref().and_then(|place| until(place, answer, now));
    let (expires, expiry) = match until(&place.expires) {
        Some(expires) => (expires, Expiry::Told),
        None => unsaid(&server.lifetime.access, access, &place.name, now, findings),
    };
    let lifetime = |seconds: Option<u64>| seconds.map(|seconds| now.plus(Duration::from_secs(seconds)));
    let refresh = place.refresh.as_ref().and_then(|at| text(at, answer)).map(Secret::new);
    Some(Token {
        access: Secret::new(access),
        scope: place.scope.as_ref().and_then(|at| scope(at.of(answer)?, server)),
        obtained: now,
        expires,
        expiry,
        refresh_expires: until(&place.refresh_expires).or_else(|| lifetime(server.lifetime.idle_seconds)).filter(|_| refresh.is_some()),
        absolute_expires: until(&place.absolute_expires),
        refresh,
    })
}

/// When a token ends whose answer does not say it: by itself, by the manifest, and never "never".
fn unsaid(lifetime: &AccessLifetime, access: &str, name: &str, now: Timestamp, findings: &mut Vec<Finding>) -> (Timestamp, Expiry) {
    let after = |seconds: u64| now.plus(Duration::from_secs(seconds));
    let own = patchbay_vault::unverified_claims(access).and_then(|claims| claims.get("exp").and_then(number)).and_then(|exp| bounded_until(exp, now));
    if let Some(own) = own {
        return (own, Expiry::Jwt);
    }
    let seconds = lifetime.seconds.unwrap_or(ASSUMED_LIFE);
    match lifetime.silent {
        Silent::NonExpiring { .. } => (after(LONGEST_LIFE), Expiry::NonExpiring),
        Silent::AsDocumented => (after(seconds), Expiry::Assumed),
        Silent::Finding | Silent::JwtExp => {
            findings.push(Finding::NoExpiry { token: name.to_owned(), assumed: seconds });
            (after(seconds), Expiry::Assumed)
        }
    }
}

/// A number as a number or as text, without its fraction.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let number = number.as_f64().filter(|number| *number >= 1.0)?;
            Duration::try_from_secs_f64(number).ok().map(|whole| whole.as_secs())
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The end of something; none for zero, the past and nonsense.
pub(crate) fn until(place: &ExpiryPlace, answer: &Value, now: Timestamp) -> Option<Timestamp> {
    let value = place.at.of(answer)?;
    let after = |seconds: u64| (seconds > 0).then(|| now.plus(Duration::from_secs(seconds.min(LONGEST_LIFE))));
    match place.unit {
        ExpiryUnit::Seconds => after(number(value)?),
        ExpiryUnit::Milliseconds => after(number(value)? / 1000),
        ExpiryUnit::UnixTime => bounded_until(number(value)?, now),
        ExpiryUnit::UnixMilliseconds => bounded_until(number(value)? / 1000, now),
        ExpiryUnit::Iso8601 => {
            let at: Timestamp = value.as_str()?.trim().parse().ok()?;
            after(at.since(now).as_secs())
        }
    }
}

/// A moment in seconds since 1970, no further away than is believed.
fn bounded_until(seconds: u64, now: Timestamp) -> Option<Timestamp> {
    let today = u64::try_from(now.unix_millis() / 1000).ok()?;
    let left = seconds.checked_sub(today).filter(|left| *left > 0)?;
    Some(now.plus(Duration::from_secs(left.min(LONGEST_LIFE))))
}

/// Granted scopes as one text, with the separator of the server between them.
fn scope(value: &Value, server: &Server) -> Option<String> {
    match value {
        Value::String(scope) => Some(line(scope, LONGEST_KEPT)),
        Value::Array(scopes) => {
            let separator = server.answer.scope_separator.as_ref().unwrap_or(&server.scopes.separator);
            Some(line(&scopes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(separator), LONGEST_KEPT))
        }
        _ => None,
    }
}

fn keep(places: &BTreeMap<String, Keep>, headers: &HeaderMap, answer: &Value, new: &mut NewTokens) {
    for (name, place) in places {
        let in_body = place.at.as_ref().and_then(|at| at.of(answer)).and_then(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        });
        let in_header = || place.header.as_deref().and_then(|name| headers.get(name)).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let found = in_body.or_else(in_header).filter(|text| !text.is_empty() && text.len() <= LONGEST_KEPT && !text.chars().any(char::is_control));
        // Where values are words that stand for something, another word stands for nothing.
        let Some(value) = found.and_then(|value| if place.means.is_empty() { Some(value) } else { place.means.get(&value).cloned() }) else { continue };
        if place.secret {
            new.secrets.insert(name.clone(), Secret::new(value));
        } else {
            new.kept.insert(name.clone(), value);
        }
    }
}

/// The error in an answer: where the manifest says, else where RFC 6749 does.
fn refused(facts: &Facts, answer: &Value, status: u16) -> Option<Refusal> {
    let word = |value: &Value| match value {
        Value::String(word) if !word.is_empty() => Some(word.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(members) => Some(["code", "type", "error"].iter().find_map(|name| members.get(*name).and_then(Value::as_str)).unwrap_or("error").to_owned()),
        _ => None,
    };
    let error = facts.error.iter().filter_map(|at| at.of(answer)).chain(answer.get("error")).find_map(word)?;
    let explained = facts.error_words.iter().filter_map(|at| at.of(answer)).chain(["error_description", "error_message", "message"].iter().filter_map(|name| answer.get(*name)));
    let description = explained.filter_map(Value::as_str).find(|words| !words.is_empty()).or_else(|| answer.pointer("/error/message").and_then(Value::as_str));
    Some(Refusal { error: line(&error, 100), description: description.map(bounded), status })
}

/// A provider's words for people: one line of at most 300 characters.
pub(crate) fn bounded(text: &str) -> String {
    line(text, 300)
}

fn line(text: &str, characters: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(characters).collect::<String>().trim().to_owned()
}

/// A server as RFC 6749 describes one, with other facts where they are given.
#[cfg(test)]
pub(crate) fn sample(facts: Value) -> Server {
    let mut server = serde_json::json!({
        "endpoints": { "fixed": { "authorize": "https://a.test/authorize?tenant=1", "token": "https://a.test/token" } },
        "client_auth": ["basic"], "pkce": "allowed", "lifetime": { "access": { "seconds": 600 } }, "rotation": "unknown",
        "redirect": { "loopback": "no" }, "window": "works", "revocation": { "how": "none", "manual": { "steps": ["Ask."] } },
    });
    server.as_object_mut().unwrap().extend(facts.as_object().unwrap().clone());
    serde_json::from_value(server).unwrap()
}

#[cfg(test)]
mod tests;

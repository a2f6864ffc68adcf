//! Reading of answers that may be anything: nothing here fails on a wrong type, it gives nothing instead.

use patchbay_model::{Code, Problem, Timestamp};
use serde_json::{Map, Value};

use crate::exchange::ProviderResponse;

/// Longest text taken from an answer into a unified field, in bytes. Longer ones are cut at a character.
const MAX_TEXT: usize = 1 << 20;

/// Most rows taken from one answer, whatever was asked for.
pub(crate) const MAX_ROWS: usize = 5_000;

/// Most pages that are read within one operation.
const MAX_PAGES: u32 = 100;

/// Counts the pages that one operation reads, so that a list without end is given up.
#[derive(Clone, Copy, Default)]
pub(crate) struct Pages(u32);

impl Pages {
    /// One page more.
    pub(crate) fn next(self, provider: &str) -> Result<Self, Problem> {
        if self.0 < MAX_PAGES { Ok(Self(self.0 + 1)) } else { Err(invalid(provider, "has no end: page follows page")) }
    }
}

/// The JSON of an answer.
pub(crate) fn json(provider: &str, response: &ProviderResponse) -> Result<Value, Problem> {
    serde_json::from_slice(&response.body).map_err(|_| invalid(provider, "is not JSON"))
}

/// An answer that cannot be used; `what` continues "The answer of X".
pub(crate) fn invalid(provider: &str, what: &str) -> Problem {
    Problem::new(Code::ProviderInvalidAnswer, format!("The answer of {provider} {what}. Check that the configured address is that of its API and not of a proxy or login page."))
}

/// A member that is a text or a number, as text; empty counts as missing.
pub(crate) fn text(value: &Value, key: &str) -> Option<String> {
    scalar(value.get(key)?)
}

/// A text or a number, as text; empty counts as missing.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(cut(text, MAX_TEXT).to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The part of a text that fits into so many bytes.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Names out of an answer, for a message: bounded in number and length, without control characters.
pub(crate) fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().take(30).map(|name| cut(name.as_ref(), 80).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()).collect();
    if names.is_empty() { "none that this credential can see".to_owned() } else { names.join(", ") }
}

/// The value at a path of members.
pub(crate) fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, key| value.get(key).unwrap_or(&Value::Null))
}

/// The rows of a member that is a list; none when it is anything else.
pub(crate) fn rows<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let rows = value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    rows.get(..MAX_ROWS).unwrap_or(rows)
}

/// A point in time as providers write it: RFC 3339, or ISO 8601 with an offset without colon (`+0000`).
pub(crate) fn time(value: &Value, key: &str) -> Option<Timestamp> {
    let text = value.get(key)?.as_str()?;
    text.parse().ok().or_else(|| chrono::DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").ok().map(|time| Timestamp::from(time.to_utc())))
}

/// A day (`2026-01-31`) as its first moment in UTC.
pub(crate) fn day(value: &Value, key: &str) -> Option<Timestamp> {
    let day = value.get(key)?.as_str()?.parse::<chrono::NaiveDate>().ok()?;
    Some(Timestamp::from(day.and_hms_opt(0, 0, 0)?.and_utc()))
}

/// Keeps members that hold something, for `unmapped`; none when nothing is left.
pub(crate) fn unmapped(value: &Value, keys: &[&str]) -> Option<Map<String, Value>> {
    let kept: Map<String, Value> = keys
        .iter()
        .filter_map(|key| value.get(key).filter(|value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())).map(|value| ((*key).to_owned(), value.clone())))
        .collect();
    (!kept.is_empty()).then_some(kept)
}

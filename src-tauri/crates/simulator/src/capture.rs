//! Templates read backwards: which values stand in a text that was made by one.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use patchbay_providers::manifest::{Slot, Template};
use serde_json::Value;
use url::Url;

pub(crate) type Values = BTreeMap<Slot, String>;

/// Marks that no filter of a template changes, other than their case.
const OPEN: &str = "zqslot";
const CLOSE: &str = "qz";

/// The text of a template of which every value is known.
pub(crate) fn fill(template: &Template, values: &Values) -> Option<String> {
    template.fill(|slot| values.get(slot).map(|value| Cow::Borrowed(value.as_str()))).ok()
}

/// A text with places whose values are not known beforehand.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Any(Slot),
}

impl Pattern {
    /// None where a property of the configuration that it needs is not given, so that nothing is sent in its place.
    pub(crate) fn of(template: &Template, values: &Values) -> Option<Self> {
        let (text, slots) = marked(template, values)?;
        Some(Self::split(&text, &slots))
    }

    fn split(text: &str, slots: &[Slot]) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        // Filters can change the case of a mark.
        while let Some(at) = rest.to_ascii_lowercase().find(OPEN) {
            let behind = &rest[at + OPEN.len()..];
            let Some(end) = behind.to_ascii_lowercase().find(CLOSE) else { break };
            let Some(slot) = behind[..end].parse::<usize>().ok().and_then(|number| slots.get(number)) else { break };
            if at > 0 {
                pieces.push(Piece::Text(rest[..at].to_owned()));
            }
            pieces.push(Piece::Any(slot.clone()));
            rest = &behind[end + CLOSE.len()..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Self { pieces }
    }

    /// What stands in its places, if the text is one that it makes.
    pub(crate) fn capture(&self, text: &str) -> Option<Values> {
        let mut found = Values::new();
        let mut rest = text;
        for (number, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Text(plain) => rest = rest.strip_prefix(plain.as_str())?,
                Piece::Any(slot) => {
                    let end = match self.pieces.get(number + 1) {
                        Some(Piece::Text(next)) => rest.find(next.as_str())?,
                        _ => rest.len(),
                    };
                    if end == 0 {
                        return None;
                    }
                    let value = &rest[..end];
                    if found.get(slot).is_some_and(|known| known != value) {
                        return None;
                    }
                    found.insert(slot.clone(), value.to_owned());
                    rest = &rest[end..];
                }
            }
        }
        rest.is_empty().then_some(found)
    }
}

fn marked(template: &Template, values: &Values) -> Option<(String, Vec<Slot>)> {
    let slots = RefCell::new(Vec::new());
    let text = template
        .fill(|slot| {
            if let Some(value) = values.get(slot) {
                return Some(Cow::Borrowed(value.as_str()));
            }
            if matches!(slot, Slot::Config(_) | Slot::Meaning(..)) {
                return None;
            }
            slots.borrow_mut().push(slot.clone());
            Some(Cow::Owned(format!("{OPEN}{}{CLOSE}", slots.borrow().len() - 1)))
        })
        .ok()?;
    Some((text, slots.into_inner()))
}

/// An address with places whose values are not known beforehand.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) host: String,
    path: Pattern,
    query: Vec<(String, Pattern)>,
}

impl Address {
    /// Reads an address; what begins with a slash, and nothing at all, lie below `base`.
    pub(crate) fn of(template: &Template, base: Option<&str>, values: &Values) -> Option<Self> {
        let (text, slots) = marked(template, values)?;
        let text = if text.is_empty() || text.starts_with('/') {
            // What a signed address carries behind the question mark stays behind the path.
            let base = base?;
            let (front, query) = base.split_once('?').map_or((base, None), |(front, query)| (front, Some(query)));
            format!("{}{text}{}", front.trim_end_matches('/'), query.map(|query| format!("?{query}")).unwrap_or_default())
        } else {
            text
        };
        let url = Url::parse(&text).ok()?;
        Some(Self {
            host: url[url::Position::BeforeHost..url::Position::AfterPort].to_owned(),
            path: Pattern::split(url.path(), &slots),
            query: url.query_pairs().map(|(name, value)| (name.into_owned(), Pattern::split(&value, &slots))).collect(),
        })
    }

    /// What stands in its places, if a request is for it.
    pub(crate) fn capture(&self, host: &str, path: &str, params: &BTreeMap<String, String>) -> Option<Values> {
        if !self.host.eq_ignore_ascii_case(host) {
            return None;
        }
        let mut found: Values = self.path.capture(path)?.into_iter().map(|(slot, value)| (slot, unescaped(&value))).collect();
        for (name, pattern) in &self.query {
            found.extend(pattern.capture(params.get(name)?)?);
        }
        Some(found)
    }
}

fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok()).and_then(|two| u8::from_str_radix(two, 16).ok());
        match hex.filter(|_| bytes[at] == b'%') {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Whether JSON is what a body with templates makes; what stands in their places goes to `found`.
pub(crate) fn json_fits(written: &Value, sent: Option<&Value>, values: &Values, found: &mut Values) -> bool {
    match written {
        Value::String(text) => {
            let Ok(template) = Template::parse(text) else { return false };
            match (Pattern::of(&template, values), sent) {
                (None, None | Some(Value::Null)) => true,
                (Some(pattern), Some(Value::String(sent))) => match pattern.capture(sent) {
                    Some(more) => {
                        found.extend(more);
                        true
                    }
                    None => false,
                },
                _ => false,
            }
        }
        Value::Object(members) => members.iter().all(|(name, inner)| json_fits(inner, sent.and_then(|sent| sent.get(name)), values, found)),
        Value::Array(list) => list.iter().enumerate().all(|(number, inner)| json_fits(inner, sent.and_then(|sent| sent.get(number)), values, found)),
        other => sent == Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    #[test]
    fn values_are_read_back() {
        let mut values = Values::new();
        values.insert(Slot::Config("site".to_owned()), "https://x.example.com/".to_owned());
        let address = Address::of(&template("{config.site|origin}/users/{username|path}/keys"), None, &values).unwrap();
        let found = address.capture("x.example.com", "/users/a%20b/keys", &BTreeMap::new()).unwrap();
        assert_eq!(found.get(&Slot::Username).map(String::as_str), Some("a b"));
        assert!(address.capture("y.example.com", "/users/a/keys", &BTreeMap::new()).is_none());
        assert!(address.capture("x.example.com", "/users/a/key", &BTreeMap::new()).is_none());

        let header = Pattern::of(&template("Token token={secret}"), &values).unwrap();
        assert_eq!(header.capture("Token token=abc").unwrap().get(&Slot::Secret).map(String::as_str), Some("abc"));
        assert!(header.capture("Token abc").is_none());
        assert!(header.capture("Token token=").is_none(), "a place is never empty");
        assert!(Pattern::of(&template("{config.other}"), &values).is_none(), "what is not given is not sent");
    }

    #[test]
    fn bodies_are_compared_with_their_templates() {
        let written = serde_json::json!({ "user": "{username}", "kind": "login", "n": 3, "more": "{config.other}" });
        let mut found = Values::new();
        assert!(json_fits(&written, Some(&serde_json::json!({ "user": "u", "kind": "login", "n": 3 })), &Values::new(), &mut found));
        assert_eq!(found.get(&Slot::Username).map(String::as_str), Some("u"));
        assert!(!json_fits(&written, Some(&serde_json::json!({ "user": "u", "kind": "other", "n": 3 })), &Values::new(), &mut found));
    }
}

//! Taking secrets out of what people get to see.

use std::borrow::Cow;

use base64::Engine as _;
use patchbay_model::{Problem, Secret};
use reqwest::header::HeaderMap;
use serde_json::Value;
use url::Url;

/// What stands where a secret was.
pub(crate) const MASKED: &str = "••••••";

/// Secrets shorter than this are not looked for in texts: they would blot out ordinary words.
const SHORTEST: usize = 4;

/// Names of fields and parameters whose values are secret whatever they are.
const SECRET_NAMES: [&str; 14] = [
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "client_assertion",
    "code_verifier",
    "password",
    "passwd",
    "secret",
    "api_key",
    "apikey",
    "private_key",
    "assertion",
    "key",
];

/// Knows the secrets of one call and covers them, in clear and in the encodings in which they travel.
#[derive(Default)]
pub struct Mask {
    needles: Vec<Secret>,
}

impl Mask {
    /// Covers `secret` from now on: as it is, percent-encoded, escaped for JSON, and in Base64.
    pub fn cover(&mut self, secret: &Secret) {
        let text = secret.expose();
        if text.len() < SHORTEST {
            return;
        }
        let percent: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let json = Value::from(text).to_string();
        let json = json.trim_matches('"');
        let base64 = base64::engine::general_purpose::STANDARD.encode(text);
        for form in [text, &percent, &percent.replace('+', "%20"), json, &base64, base64.trim_end_matches('=')] {
            if !self.needles.iter().any(|needle| needle.expose() == form) {
                self.needles.push(Secret::new(form));
            }
        }
        // Longest first: a short form inside a long one would leave the rest of it standing.
        self.needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
    }

    /// The text with every known secret covered.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut covered = Cow::Borrowed(text);
        for needle in &self.needles {
            if covered.contains(needle.expose()) {
                covered = Cow::Owned(covered.replace(needle.expose(), MASKED));
            }
        }
        covered
    }

    /// The problem with every known secret covered in its words: a provider may quote what it was sent.
    #[must_use]
    pub fn problem(&self, mut problem: Problem) -> Problem {
        let cover = |text: &mut String| {
            if let Cow::Owned(covered) = self.text(text) {
                *text = covered;
            }
        };
        cover(&mut problem.message);
        problem.detail.as_mut().map(cover);
        problem.remediation.as_mut().map(cover);
        problem.context.raw_error.as_mut().map(cover);
        for value in problem.context.provider_details.values_mut() {
            self.json(value);
        }
        problem
    }

    /// The URL without fragment and with secret query values covered.
    pub(crate) fn url(&self, url: &Url) -> String {
        let mut shown = url.clone();
        shown.set_fragment(None);
        if url.query().is_some_and(|query| !query.is_empty()) {
            let pairs: Vec<(String, String)> = url
                .query_pairs()
                .map(|(name, value)| if secret_name(&name) || name == "code" { (name.into_owned(), MASKED.to_owned()) } else { (name.into_owned(), value.into_owned()) })
                .collect();
            if pairs.iter().any(|(_, value)| value == MASKED) {
                shown.query_pairs_mut().clear().extend_pairs(pairs);
            }
        }
        self.text(shown.as_str()).replace("%E2%80%A2", "•")
    }

    /// Headers, one line each, secret ones covered. Of `Authorization` the scheme stays.
    pub(crate) fn headers(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        headers
            .iter()
            .map(|(name, value)| {
                let text = String::from_utf8_lossy(value.as_bytes());
                let shown = match secret_header(name.as_str()) {
                    true => match text.split_once(' ').filter(|_| name.as_str().ends_with("authorization")) {
                        Some((scheme, _)) => format!("{scheme} {MASKED}"),
                        None => MASKED.to_owned(),
                    },
                    false => self.text(&text).into_owned(),
                };
                (name.as_str().to_owned(), shown)
            })
            .collect()
    }

    /// A body for show: JSON and forms by name and by known secrets, other text by known secrets, anything else only counted.
    pub(crate) fn body(&self, body: &[u8], content_type: &str) -> String {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        if kind.ends_with("x-www-form-urlencoded") {
            let pairs = url::form_urlencoded::parse(body).map(|(name, value)| {
                let shown = if secret_name(&name) || name == "code" { MASKED.to_owned() } else { self.text(&value).into_owned() };
                format!("{name}={shown}")
            });
            return pairs.collect::<Vec<_>>().join("&");
        }
        if kind.ends_with("json")
            && let Ok(mut value) = serde_json::from_slice::<Value>(body)
        {
            self.json(&mut value);
            return value.to_string();
        }
        let textual = kind.is_empty() || kind.starts_with("text/") || kind.ends_with("json") || kind.ends_with("xml");
        match std::str::from_utf8(body) {
            Ok(text) if textual => self.text(text).into_owned(),
            _ => format!("({} bytes of {})", body.len(), if kind.is_empty() { "unknown type" } else { kind }),
        }
    }

    fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(covered) = self.text(text) {
                    *text = covered;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            // `key` names too many things in JSON (a Jira issue has one) to be hidden there.
            Value::Object(members) => members.iter_mut().for_each(|(name, value)| match value {
                Value::String(text) if secret_name(name) && name != "key" => MASKED.clone_into(text),
                other => self.json(other),
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn secret_name(name: &str) -> bool {
    SECRET_NAMES.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

fn secret_header(name: &str) -> bool {
    ["authorization", "cookie", "token", "secret", "api-key", "apikey", "password", "csrf"].iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask() -> Mask {
        let mut mask = Mask::default();
        mask.cover(&Secret::new("p\"a ss/+wörd"));
        mask.cover(&Secret::new("abc"));
        mask
    }

    #[test]
    fn a_secret_is_covered_in_every_encoding() {
        let mask = mask();
        for form in ["p\"a ss/+wörd", "p%22a+ss%2F%2Bw%C3%B6rd", "p%22a%20ss%2F%2Bw%C3%B6rd", "p\\\"a ss/+wörd", "cCJhIHNzLyt3w7ZyZA==", "cCJhIHNzLyt3w7ZyZA"] {
            assert_eq!(mask.text(&format!("<{form}>")), format!("<{MASKED}>"), "{form} is covered");
        }
        assert_eq!(mask.text("abc stays"), "abc stays", "a very short secret does not blot out words");
    }

    #[test]
    fn urls_headers_and_bodies_are_covered_by_name() {
        let mask = mask();
        let url = Url::parse("https://x.test/cb?code=c0de&state=s&key=k#frag").unwrap();
        assert_eq!(mask.url(&url), format!("https://x.test/cb?code={MASKED}&state=s&key={MASKED}"));
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer abcdef".parse().unwrap());
        headers.insert("x-redmine-api-key", "0123".parse().unwrap());
        headers.insert("set-cookie", "s=1".parse().unwrap());
        headers.insert("accept", "application/json".parse().unwrap());
        let shown = mask.headers(&headers);
        assert_eq!(shown[0].1, format!("Bearer {MASKED}"));
        assert_eq!((shown[1].1.as_str(), shown[2].1.as_str(), shown[3].1.as_str()), (MASKED, MASKED, "application/json"));
        assert_eq!(
            mask.body(br#"{"a":[{"access_token":"x","key":"DEMO-1","note":"p\"a ss/+w\u00f6rd!"}]}"#, "application/json;charset=utf-8"),
            format!(r#"{{"a":[{{"access_token":"{MASKED}","key":"DEMO-1","note":"{MASKED}!"}}]}}"#)
        );
        assert_eq!(mask.body(b"grant_type=x&code=1&client_secret=2", "application/x-www-form-urlencoded"), format!("grant_type=x&code={MASKED}&client_secret={MASKED}"));
        assert_eq!(mask.body(&[0xff, 0xfe], "image/png"), "(2 bytes of image/png)");
    }

    #[test]
    fn a_problem_does_not_quote_a_secret() {
        let mut problem = Problem::new(patchbay_model::Code::ProviderRefused, "no: p\"a ss/+wörd").with_detail("p\"a ss/+wörd");
        problem.context.raw_error = Some("p\"a ss/+wörd".to_owned());
        let problem = mask().problem(problem);
        assert_eq!(problem.message, format!("no: {MASKED}"));
        assert_eq!((problem.detail.as_deref(), problem.context.raw_error.as_deref()), (Some(MASKED), Some(MASKED)));
    }
}

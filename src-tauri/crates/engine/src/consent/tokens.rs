//! Sets of tokens: reading them from a provider's answer, and keeping them.
//!
//! Providers take liberties with RFC 6749 section 5.1, so the reader takes whatever can be understood: numbers as text, a
//! list of scopes, a missing `token_type`, forms instead of JSON, errors with status 200.

use std::time::Duration;

use patchbay_model::{Problem, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Longest value of a token that is taken.
const LONGEST_TOKEN: usize = 64 * 1024;
/// Longest lifetime that is believed; a token that is said to live longer is renewed after this.
const LONGEST_LIFE: u64 = 366 * 86_400;

/// What a person's authorization gave. The plain text of an `o_auth_user` credential is this as JSON.
#[derive(Clone, Deserialize)]
pub(crate) struct TokenSet {
    /// Goes with requests.
    pub(crate) access_token: Secret,
    /// Gets the next set.
    #[serde(default)]
    pub(crate) refresh_token: Option<Secret>,
    /// What was granted, where the provider said it.
    #[serde(default)]
    pub(crate) scope: Option<String>,
    /// When the set came.
    pub(crate) obtained: Timestamp,
    /// When the access token ends. Never "never": where the provider says nothing, the manifest does.
    pub(crate) expires: Timestamp,
}

#[derive(Serialize)]
struct Written<'a> {
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    obtained: Timestamp,
    expires: Timestamp,
}

impl TokenSet {
    /// Reads what [`Self::to_secret`] wrote.
    ///
    /// # Errors
    /// `internal` when the sealed value is something else.
    pub(crate) fn from_secret(secret: &Secret) -> Result<Self, Problem> {
        // The parser's own words could quote the value.
        serde_json::from_str(secret.expose()).map_err(|_| Problem::internal("a sealed set of tokens has another form than Patchbay writes"))
    }

    /// The plain text to seal.
    ///
    /// # Errors
    /// Never in practice.
    pub(crate) fn to_secret(&self) -> Result<Secret, Problem> {
        let written = Written {
            access_token: self.access_token.expose(),
            refresh_token: self.refresh_token.as_ref().map(Secret::expose),
            scope: self.scope.as_deref(),
            obtained: self.obtained,
            expires: self.expires,
        };
        serde_json::to_string(&written).map(Secret::new).map_err(|_| Problem::internal("a set of tokens could not be written"))
    }

    /// From when on it should be renewed: after two thirds of its life, and at least a minute before its end where it
    /// lives long enough for that.
    pub(crate) fn due(&self) -> Timestamp {
        let life = self.expires.since(self.obtained);
        let two_thirds = self.obtained.plus(life.mul_f64(2.0 / 3.0));
        two_thirds.min(self.expires.minus(Duration::from_secs(60).min(life / 3)))
    }

    /// Whether the access token is of use at `now`, with a little time for the request to arrive.
    pub(crate) fn usable(&self, now: Timestamp) -> bool {
        now < self.expires.minus(Duration::from_secs(5).min(self.expires.since(self.obtained) / 10))
    }
}

/// What the token endpoint gave.
pub(crate) enum TokenAnswer {
    /// A new set. A refresh that gives no new refresh token leaves the old one in force (RFC 6749 section 6).
    Granted(TokenSet),
    /// An error (RFC 6749 section 5.2).
    Refused(Refusal),
}

/// An error of the token endpoint, in the provider's words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Refusal {
    /// `error`.
    pub(crate) error: String,
    /// `error_description`, bounded.
    pub(crate) description: Option<String>,
    /// HTTP status.
    pub(crate) status: u16,
}

/// Reads an answer. `default_life` is how long the access token lives where the answer does not say.
///
/// # Errors
/// Nothing, when the answer is neither tokens nor an error.
pub(crate) fn read(status: u16, body: &[u8], default_life: Duration, now: Timestamp) -> Option<TokenAnswer> {
    let fields = fields(body)?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty() && text.len() <= LONGEST_TOKEN && !text.chars().any(char::is_control));
    let Some(access) = text("access_token").filter(|_| status < 400) else {
        let error = match fields.get("error") {
            Some(Value::String(error)) => bounded(error),
            Some(Value::Object(error)) => bounded(error.get("code").or_else(|| error.get("type")).and_then(Value::as_str).unwrap_or("error")),
            _ => return None,
        };
        let description = ["error_description", "error_message", "message"].iter().find_map(|name| fields.get(*name).and_then(Value::as_str)).map(bounded);
        return Some(TokenAnswer::Refused(Refusal { error, description, status }));
    };
    let life = seconds(fields.get("expires_in")).unwrap_or(default_life);
    Some(TokenAnswer::Granted(TokenSet {
        access_token: Secret::new(access),
        refresh_token: text("refresh_token").map(Secret::new),
        scope: match fields.get("scope") {
            Some(Value::String(scope)) => Some(bounded(scope)),
            Some(Value::Array(scopes)) => Some(bounded(&scopes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))),
            _ => None,
        },
        obtained: now,
        expires: now.plus(life),
    }))
}

fn fields(body: &[u8]) -> Option<Map<String, Value>> {
    if let Ok(value) = serde_json::from_slice(body) {
        return if let Value::Object(fields) = value { Some(fields) } else { None };
    }
    let form: Map<String, Value> = url::form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect();
    (form.contains_key("access_token") || form.contains_key("error")).then_some(form)
}

/// Seconds as a number or as text; nothing for zero, less than zero and nonsense.
fn seconds(value: Option<&Value>) -> Option<Duration> {
    let seconds = match value? {
        Value::Number(number) => {
            number.as_u64().or_else(|| number.as_f64().filter(|seconds| *seconds >= 1.0).map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default().as_secs()))?
        }
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (seconds > 0).then(|| Duration::from_secs(seconds.min(LONGEST_LIFE)))
}

/// A provider's words for people: one line of at most 300 characters.
pub(crate) fn bounded(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn granted(body: &str) -> TokenSet {
        match read(200, body.as_bytes(), Duration::from_secs(3600), now()) {
            Some(TokenAnswer::Granted(set)) => set,
            _ => panic!("{body} holds tokens"),
        }
    }

    #[test]
    fn liberties_of_providers_are_taken_as_they_come() {
        let strict = granted(r#"{"access_token":"a","token_type":"Bearer","expires_in":60,"refresh_token":"r","scope":"x y"}"#);
        assert_eq!((strict.expires, strict.refresh_token.unwrap().expose(), strict.scope.as_deref()), (now().plus(Duration::from_secs(60)), "r", Some("x y")));
        let loose = granted(r#"{"access_token":"a","expires_in":"60","scope":["x","y"]}"#);
        assert_eq!((loose.expires, loose.refresh_token.is_none(), loose.scope.as_deref()), (now().plus(Duration::from_secs(60)), true, Some("x y")));
        let form = granted("access_token=a&scope=x&expires_in=60.");
        assert_eq!(form.expires, now().plus(Duration::from_secs(3600)), "what is no number is the default");
        for missing in [r#"{"access_token":"a"}"#, r#"{"access_token":"a","expires_in":0}"#, r#"{"access_token":"a","expires_in":null}"#, r#"{"access_token":"a","expires_in":-1}"#]
        {
            assert_eq!(granted(missing).expires, now().plus(Duration::from_secs(3600)), "a missing end is never no end: {missing}");
        }
        assert_eq!(granted(r#"{"access_token":"a","expires_in":1e30}"#).expires, now().plus(Duration::from_secs(3600)));
        assert_eq!(granted(r#"{"access_token":"a","expires_in":99999999999}"#).expires, now().plus(Duration::from_secs(LONGEST_LIFE)));
    }

    #[test]
    fn errors_are_told_whatever_the_status() {
        for (status, body, error) in [
            (400, r#"{"error":"invalid_grant","error_description":"grant\nis gone"}"#, "invalid_grant"),
            (200, r#"{"ok":false,"error":"bad_verification_code"}"#, "bad_verification_code"),
            (401, r#"{"error":{"code":"invalid_client","message":"no"}}"#, "invalid_client"),
            (400, "error=redirect_uri_mismatch", "redirect_uri_mismatch"),
            (400, r#"{"access_token":"a","error":"invalid_request"}"#, "invalid_request"),
        ] {
            match read(status, body.as_bytes(), Duration::ZERO, now()) {
                Some(TokenAnswer::Refused(refusal)) => assert_eq!((refusal.error.as_str(), refusal.status), (error, status), "{body}"),
                _ => panic!("{body} is an error"),
            }
        }
        for nothing in ["", "<html>", "[]", "null", "{}", r#"{"access_token":""}"#, r#"{"access_token":5}"#, "{\"access_token\":\"a\\r\\nx: y\"}"] {
            assert!(read(200, nothing.as_bytes(), Duration::ZERO, now()).is_none(), "{nothing:?} is nothing");
        }
    }

    #[test]
    fn a_set_is_due_before_it_ends() {
        let hour = granted(r#"{"access_token":"a","expires_in":3600}"#);
        assert_eq!(hour.due(), now().plus(Duration::from_secs(2400)));
        let short = granted(r#"{"access_token":"a","expires_in":3}"#);
        assert!(short.due() > now() && short.due() < short.expires, "even a very short life has a time in which it is good");
        assert!(short.usable(now()) && !short.usable(short.expires));
        let back = TokenSet::from_secret(&hour.to_secret().unwrap()).unwrap();
        assert_eq!((back.access_token.expose(), back.expires), ("a", hour.expires));
    }
}

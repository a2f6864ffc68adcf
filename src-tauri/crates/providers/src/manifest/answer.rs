//! How token answers are read: where tokens stand, what says that one is an error, what is kept beside them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A place in a JSON document (RFC 6901): empty for the whole, else with a slash in front.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer(String);

impl Pointer {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands there.
    pub fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        value.pointer(&self.0)
    }
}

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() || text.starts_with('/') { Ok(Self(text)) } else { Err(format!("`{text}` is no JSON pointer; write `/{}`", text.replace('.', "/"))) }
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.0
    }
}

impl JsonSchema for Pointer {
    fn schema_name() -> Cow<'static, str> {
        "Pointer".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(/.*)?$", "description": "A place in a JSON document (RFC 6901)." })
    }
}

/// How a token answer is read.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// Where its tokens stand. The first is the one that requests carry.
    pub tokens: Vec<TokenPlace>,
    /// What holds in an answer that is none of an error, beside its status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ok: Option<Success>,
    /// Where the word of an error stands.
    pub error: Vec<Pointer>,
    /// Where its explanation stands.
    pub error_words: Vec<Pointer>,
    /// What is kept beside the tokens.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keep: BTreeMap<String, Keep>,
    /// Between scopes of an answer, where it is another than asked with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_separator: Option<String>,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            tokens: vec![TokenPlace::default()],
            ok: None,
            error: vec![Pointer("/error".to_owned())],
            error_words: vec![Pointer("/error_description".to_owned())],
            keep: BTreeMap::new(),
            scope_separator: None,
        }
    }
}

/// What an answer says when it is good.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// Where.
    pub pointer: Pointer,
    /// What stands there; without it, anything but `null` and `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Value>,
}

impl Success {
    /// Whether it holds.
    pub fn holds(&self, answer: &Value) -> bool {
        match (&self.equals, self.pointer.of(answer)) {
            (Some(wanted), Some(found)) => wanted == found,
            (None, Some(found)) => !matches!(found, Value::Null | Value::Bool(false)),
            (_, None) => false,
        }
    }
}

/// Where one token of an answer stands.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TokenPlace {
    /// Its name in the set.
    pub name: String,
    /// The access token.
    pub access: Pointer,
    /// The refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Pointer>,
    /// When the access token ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<ExpiryPlace>,
    /// When the refresh token ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_expires: Option<ExpiryPlace>,
    /// When the whole grant ends, whatever is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute_expires: Option<ExpiryPlace>,
    /// What was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Pointer>,
    /// Whether an answer may lack it.
    #[serde(skip_serializing_if = "super::is_default")]
    pub optional: bool,
}

impl Default for TokenPlace {
    /// As RFC 6749 section 5.1 says.
    fn default() -> Self {
        Self {
            name: "main".to_owned(),
            access: Pointer("/access_token".to_owned()),
            refresh: Some(Pointer("/refresh_token".to_owned())),
            expires: Some(ExpiryPlace { at: Pointer("/expires_in".to_owned()), unit: ExpiryUnit::Seconds }),
            refresh_expires: None,
            absolute_expires: None,
            scope: Some(Pointer("/scope".to_owned())),
            optional: false,
        }
    }
}

/// Where an answer says when something ends.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpiryPlace {
    /// Where.
    pub at: Pointer,
    /// In what.
    pub unit: ExpiryUnit,
}

/// In what an end is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryUnit {
    /// Seconds from now.
    Seconds,
    /// Milliseconds from now.
    Milliseconds,
    /// Seconds since 1970.
    UnixTime,
    /// Milliseconds since 1970.
    UnixMilliseconds,
    /// A time in words (RFC 3339).
    Iso8601,
}

/// Something that is kept beside the tokens: out of the body, or of a header.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// Where in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Pointer>,
    /// In which header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// What is kept in place of each value, where the value is a word that stands for something (a region for a host). Other values are refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub means: BTreeMap<String, String>,
    /// Whether it is sealed with the tokens and never shown.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub secret: bool,
}

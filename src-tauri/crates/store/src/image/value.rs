//! Typed values of an image, and how they are written: the same bytes whichever database they come from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchbay_model::Timestamp;
use patchbay_model::credential::Envelope;
use patchbay_model::json::canonical;
use serde_json::Value as Json;
use uuid::Uuid;

/// Type of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A UUID, written with hyphens.
    Uuid,
    /// The id of an integration definition, which a store may know under an id of its own.
    Definition,
    /// Text as it is.
    Text,
    /// A whole number.
    Int,
    /// True or false.
    Bool,
    /// A point in time, RFC 3339 in UTC with six digits.
    Time,
    /// A structure, canonical.
    Json,
    /// Bytes, in base64.
    Bytes,
    /// An envelope.
    Sealed,
}

/// A value of a column.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Null,
    Uuid(Uuid),
    Text(String),
    Int(i64),
    Bool(bool),
    Time(Timestamp),
    Json(Json),
    Bytes(Vec<u8>),
    Sealed(Envelope),
}

impl Value {
    /// As it stands in a row of an image.
    pub(crate) fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Uuid(id) => Json::String(id.to_string()),
            Self::Text(text) => Json::String(text.clone()),
            Self::Int(number) => Json::from(*number),
            Self::Bool(bool) => Json::Bool(*bool),
            Self::Time(at) => Json::String(at.to_string()),
            // One level deeper than the value itself, so that a structure that is `null` is told from none.
            Self::Json(value) => Json::Array(vec![canonical(value)]),
            Self::Bytes(bytes) => Json::String(STANDARD.encode(bytes)),
            Self::Sealed(Envelope { v, key_id, ct }) => serde_json::json!([v, key_id, ct]),
        }
    }

    /// Reads what [`Self::to_json`] wrote. Nothing when it is not of this type.
    pub(crate) fn from_json(kind: Kind, json: Json) -> Option<Self> {
        if json.is_null() {
            return Some(Self::Null);
        }
        Some(match kind {
            Kind::Uuid | Kind::Definition => Self::Uuid(Uuid::try_parse(json.as_str()?).ok()?),
            Kind::Text => match json {
                Json::String(text) => Self::Text(text),
                _ => return None,
            },
            Kind::Int => Self::Int(json.as_i64()?),
            Kind::Bool => Self::Bool(json.as_bool()?),
            Kind::Time => Self::Time(json.as_str()?.parse().ok()?),
            Kind::Json => match json {
                Json::Array(mut one) if one.len() == 1 => Self::Json(one.pop()?),
                _ => return None,
            },
            Kind::Bytes => Self::Bytes(STANDARD.decode(json.as_str()?).ok()?),
            Kind::Sealed => match json.as_array()?.as_slice() {
                [v, key_id, ct] => Self::Sealed(Envelope { v: u32::try_from(v.as_u64()?).ok()?, key_id: key_id.as_str()?.to_owned(), ct: ct.as_str()?.to_owned() }),
                _ => return None,
            },
        })
    }

    /// The id in it.
    pub(crate) fn uuid(&self) -> Option<Uuid> {
        match self {
            Self::Uuid(id) => Some(*id),
            _ => None,
        }
    }

    /// The text in it.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_back_and_others_refused() {
        let id = Uuid::from_u128(7);
        let envelope = Envelope { v: 1, key_id: "k".into(), ct: "AA==".into() };
        for (kind, value, text) in [
            (Kind::Uuid, Value::Uuid(id), r#""00000000-0000-0000-0000-000000000007""#),
            (Kind::Text, Value::Text("a\nü".into()), "\"a\\nü\""),
            (Kind::Int, Value::Int(-5), "-5"),
            (Kind::Bool, Value::Bool(true), "true"),
            (Kind::Time, Value::Time("2026-11-22T01:02:03.5Z".parse().unwrap()), r#""2026-11-22T01:02:03.500000Z""#),
            (Kind::Json, Value::Json(Json::Null), "[null]"),
            (Kind::Json, Value::Json(serde_json::json!({"a": 1})), r#"[{"a":1}]"#),
            (Kind::Bytes, Value::Bytes(vec![0, 255]), r#""AP8=""#),
            (Kind::Sealed, Value::Sealed(envelope), r#"[1,"k","AA=="]"#),
        ] {
            assert_eq!(value.to_json().to_string(), text);
            assert_eq!(Value::from_json(kind, value.to_json()), Some(value), "{text} is read back");
            assert_eq!(Value::from_json(kind, Json::Null), Some(Value::Null));
        }
        for (kind, bad) in [
            (Kind::Uuid, "\"x\""),
            (Kind::Int, "1.5"),
            (Kind::Bool, "1"),
            (Kind::Time, "\"now\""),
            (Kind::Json, "{}"),
            (Kind::Bytes, "\"*\""),
            (Kind::Sealed, "[1]"),
            (Kind::Text, "1"),
        ] {
            assert_eq!(Value::from_json(kind, serde_json::from_str(bad).unwrap()), None, "{bad} is no {kind:?}");
        }
    }
}

//! Where a credential goes in a request.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::template::{Slot, Template};

/// Where a credential goes in a request: a word for what is common, else what is written where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// `Authorization: Bearer` of the secret or access token (RFC 6750 section 2.1).
    Bearer,
    /// `Authorization: Basic` of `username` and `secret`, or of client id and secret (RFC 7617).
    Basic,
    /// Nowhere: the address itself is the secret, or a certificate speaks for us.
    Nowhere,
    /// AWS Signature Version 4, for the service and region that `auth` names.
    Sigv4,
    /// As written.
    Parts(Box<PlaceParts>),
}

impl Place {
    /// The names of the tokens that stand in it by name.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        let parts = match self {
            Self::Parts(parts) => Some(parts),
            Self::Bearer | Self::Basic | Self::Nowhere | Self::Sigv4 => None,
        };
        let templates = parts.into_iter().flat_map(|parts| {
            let pair = parts.pair.iter().flat_map(|pair| [&pair.user, &pair.password]);
            parts.headers.values().chain(parts.query.values()).chain(pair)
        });
        templates.flat_map(Template::slots).filter_map(|slot| match slot {
            Slot::Token(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// What goes where.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlaceParts {
    /// The secret or access token alone in this header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Basic with the secret as user name and this as password (Freshdesk).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_is_key: Option<String>,
    /// Basic with this as user name and the secret as password (Azure DevOps).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_is_key: Option<String>,
    /// Basic of these two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<Pair>,
    /// Headers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Template>,
    /// Parameters of the address. Only here may a secret stand in one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, Template>,
    /// AWS Signature Version 4 for this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign: Option<SigV4>,
}

/// User name and password.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// User name.
    pub user: Template,
    /// Password.
    pub password: Template,
}

/// For what a request is signed.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SigV4 {
    /// Which service.
    pub service: Template,
    /// In which region.
    pub region: Template,
}

impl Place {
    const WORDS: &'static [&'static str] = &["bearer", "basic", "nowhere", "sigv4"];

    /// What is written where, if no word says it.
    pub fn parts(&self) -> Option<&PlaceParts> {
        if let Self::Parts(parts) = self { Some(parts) } else { None }
    }

    /// Whether requests are signed with a key of AWS.
    pub fn is_signed(&self) -> bool {
        *self == Self::Sigv4 || self.parts().is_some_and(|parts| parts.sign.is_some())
    }

    /// The header that holds the secret alone, where one does.
    pub fn header(&self) -> Option<&str> {
        self.parts().and_then(|parts| parts.header.as_deref())
    }
}

/// Written by hand, because an untagged enum does not say what it did not understand.
impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> de::Visitor<'de> for Reader {
            type Value = Place;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`bearer`, `basic`, `nowhere`, `sigv4`, or a table with header, user_is_key, password_is_key, pair, headers, query or sign")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Place, E> {
                Ok(match word {
                    "bearer" => Place::Bearer,
                    "basic" => Place::Basic,
                    "nowhere" => Place::Nowhere,
                    "sigv4" => Place::Sigv4,
                    other => return Err(E::unknown_variant(other, Place::WORDS)),
                })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Place, A::Error> {
                PlaceParts::deserialize(MapAccessDeserializer::new(map)).map(|parts| Place::Parts(Box::new(parts)))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bearer => serializer.serialize_str("bearer"),
            Self::Basic => serializer.serialize_str("basic"),
            Self::Nowhere => serializer.serialize_str("nowhere"),
            Self::Sigv4 => serializer.serialize_str("sigv4"),
            Self::Parts(parts) => parts.serialize(serializer),
        }
    }
}

impl JsonSchema for Place {
    fn schema_name() -> Cow<'static, str> {
        "Place".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let parts = generator.subschema_for::<PlaceParts>();
        schemars::json_schema!({ "description": "Where a credential goes in a request.", "anyOf": [{ "enum": Self::WORDS }, parts] })
    }
}

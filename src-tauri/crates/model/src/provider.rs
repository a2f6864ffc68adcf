//! The id of a provider, such as `ticketing_jira`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Problem;

/// A provider's id as in `provider_config.type`: lower-case words joined by `_`, the first of them the connector's.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ts_rs::TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct ProviderId(String);

impl ProviderId {
    /// Reads a provider id. Whether such a provider exists is for the catalog to say.
    ///
    /// # Errors
    /// `invalid_field` when it has not the shape of one.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let good = (3..=80).contains(&text.len()) && text.contains('_') && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::field("/provider_config/type", "The provider type must be a provider id such as `ticketing_jira`. Take one from GET /v1/capabilities/providers."))
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ProviderId {
    type Error = Problem;
    fn try_from(text: String) -> Result<Self, Problem> {
        Self::parse(&text)
    }
}

impl From<ProviderId> for String {
    fn from(id: ProviderId) -> Self {
        id.0
    }
}

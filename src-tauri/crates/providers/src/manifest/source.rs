//! Where facts are from.

use std::borrow::Cow;
use std::fmt;

use patchbay_model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a fact is from. A text is an address, `observed: ` and where, or `unverified`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Source {
    /// A page says so.
    Page {
        /// Its address.
        url: String,
        /// The day on which it was read.
        read: Option<String>,
        /// Whose it is.
        by: By,
    },
    /// It was seen at a running system.
    Observed {
        /// At which.
        what: String,
    },
    /// Nobody has looked.
    Unverified,
}

impl Source {
    /// Whether somebody stands behind it.
    pub const fn is_verified(&self) -> bool {
        !matches!(self, Self::Unverified)
    }
}

/// Who says something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The vendor, or the standard.
    #[default]
    Vendor,
    /// Another product that talks with the provider.
    Peer,
    /// Anybody else.
    ThirdParty,
}

#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
enum Written {
    Text(String),
    Page(WrittenPage),
}

/// A page with the day on which it was read.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenPage {
    url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read: Option<String>,
    #[serde(default, skip_serializing_if = "super::is_default")]
    by: By,
}

impl TryFrom<Written> for Source {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written {
            Written::Text(text) if text == "unverified" => Ok(Self::Unverified),
            Written::Text(text) => match text.strip_prefix("observed: ") {
                Some(what) => Ok(Self::Observed { what: what.to_owned() }),
                None => page(text, None, By::Vendor),
            },
            Written::Page(WrittenPage { url, read, by }) => page(url, read, by),
        }
    }
}

fn page(url: String, read: Option<String>, by: By) -> Result<Source, String> {
    if !url.starts_with("https://") || url::Url::parse(&url).is_err() {
        return Err(format!("the source `{url}` is neither an https address nor `observed: ...` nor `unverified`"));
    }
    if let Some(day) = read.as_deref().filter(|day| first_moment(day).is_none()) {
        return Err(format!("`{day}` is no day such as 2026-01-31"));
    }
    Ok(Source::Page { url, read, by })
}

impl From<Source> for Written {
    fn from(source: Source) -> Self {
        match source {
            Source::Page { url, read: None, by: By::Vendor } => Self::Text(url),
            Source::Page { url, read, by } => Self::Page(WrittenPage { url, read, by }),
            Source::Observed { what } => Self::Text(format!("observed: {what}")),
            Source::Unverified => Self::Text("unverified".to_owned()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page { url, .. } => f.write_str(url),
            Self::Observed { what } => write!(f, "observed: {what}"),
            Self::Unverified => f.write_str("unverified"),
        }
    }
}

impl JsonSchema for Source {
    fn schema_name() -> Cow<'static, str> {
        "Source".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let page = generator.subschema_for::<WrittenPage>();
        schemars::json_schema!({
            "description": "Where a fact is from: an https address, `observed: ` and where, or `unverified`.",
            "anyOf": [{ "type": "string", "pattern": "^(https://.*|observed: .+|unverified)$" }, page],
        })
    }
}

/// The first moment, in UTC, of a day (`2026-01-31`) or of a month (`2026-01`), where the vendor names no day.
pub(crate) fn first_moment(text: &str) -> Option<Timestamp> {
    let day = if text.len() == 7 { format!("{text}-01") } else { text.to_owned() };
    format!("{day}T00:00:00Z").parse().ok().filter(|_| day.len() == 10)
}

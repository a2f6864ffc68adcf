//! Templates: texts with places in braces, filled by the engine. What stands in braces is known when the manifest is loaded.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

/// A text with places such as `{config.url|host}`. `{{` and `}}` are braces themselves.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// Text as it is.
    Text(String),
    /// A value, and what is done to it.
    Value(Slot, Option<Filter>),
}

/// Whose value stands in a template.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Slot {
    /// `config.x`: a property of the configuration.
    Config(String),
    /// `config.x.y`: what the manifest says under `y` for the value that the property has (`means`).
    Meaning(String, String),
    /// `secret` of the credential.
    Secret,
    /// `username` of the credential.
    Username,
    /// `client_id` of the credential, or of the provider app where a person consents.
    ClientId,
    /// `client_secret`, likewise.
    ClientSecret,
    /// `extra.x` of the credential.
    Extra(String),
    /// `access_token`: what the grant or login gave.
    AccessToken,
    /// `refresh_token` of the same set.
    RefreshToken,
    /// `token.x`: the access token of this name in the set.
    Token(String),
    /// `kept.x`: what an answer or a callback brought beside tokens.
    Kept(String),
    /// `located.x`: what the lookup of the base address took.
    Located(String),
    /// `claim.access.x`, `claim.id.x`: a claim of the access token or the id token, read without trust in it.
    Claim(ClaimOf, String),
    /// `base.x`: a further address of the API.
    Base(String),
    /// `integration_id`: the id of the integration, which stays.
    IntegrationId,
    /// `key_fingerprint`: SHA-256 of the public key that belongs to the private one in `client_secret`, as `SHA256:` and base64.
    KeyFingerprint,
    /// `userinfo`: the userinfo endpoint of the server, as written or discovered.
    Userinfo,
    /// `scopes` that are asked for, joined.
    Scopes,
    /// `assertion`: the signed JWT.
    Assertion,
    /// `redirect_uri` of the consent.
    RedirectUri,
    /// `app.x`: a setting of the provider app.
    App(String),
    /// `now`: seconds since 1970.
    Now,
    /// `uuid`: a new one.
    Uuid,
}

/// Which token a claim is read of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ClaimOf {
    /// The access token.
    Access,
    /// The id token.
    Id,
}

/// What is done to a value before it is put in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Filter {
    /// It must be DNS labels: letters, digits, hyphens, with dots between.
    Label,
    /// The host of an address, with its port.
    Host,
    /// Scheme, host and port of an address.
    Origin,
    /// Escaped as one segment of a path.
    Path,
    /// Escaped as a value in a query.
    Query,
    /// In capitals.
    Upper,
}

/// Why a template cannot be read or filled.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TemplateError {
    /// A brace stands alone.
    #[error("a brace is not closed or not opened; write {{{{ or }}}} for a brace itself")]
    Brace,
    /// Nobody knows the name.
    #[error(
        "`{{{0}}}` is not known; known are config.x, config.x.y, secret, username, client_id, client_secret, extra.x, access_token, refresh_token, token.x, kept.x, located.x, claim.access.x, claim.id.x, userinfo, base.x, integration_id, key_fingerprint, scopes, assertion, redirect_uri, app.x, now, uuid"
    )]
    Unknown(String),
    /// Nobody knows the filter.
    #[error("the filter `{0}` is not known; known are label, host, origin, path, query, upper")]
    UnknownFilter(String),
    /// A line break or another control character stands in the text.
    #[error("control characters do not belong into a template")]
    Control,
    /// The value is not there.
    #[error("there is no value for `{{{0}}}`")]
    Missing(String),
    /// The value is not what the filter takes.
    #[error("the value of `{{{0}}}` is not what may stand there")]
    Unfit(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// When a brace, a name or a filter is wrong.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.chars().any(char::is_control) {
            return Err(TemplateError::Control);
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let (brace, behind) = rest[at..].split_at(1);
            if let Some(behind) = behind.strip_prefix(brace) {
                plain.push_str(brace);
                rest = behind;
            } else if brace == "{" {
                let (name, behind) = behind.split_once('}').ok_or(TemplateError::Brace)?;
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(value(name)?);
                rest = behind;
            } else {
                return Err(TemplateError::Brace);
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its pieces, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The values that it needs.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.parts.iter().filter_map(|part| match part {
            Part::Value(slot, _) => Some(slot),
            Part::Text(_) => None,
        })
    }

    /// The property of the configuration that is the whole host of this address, so that whoever fills it in chooses where requests go.
    pub fn chosen_by(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Value(Slot::Config(name), _), ..] => Some(name),
            [Part::Text(begin), Part::Value(Slot::Config(name), _), rest @ ..] if begin == "https://" => {
                // What is written behind a label holds it in its domain.
                let held = matches!(rest.first(), Some(Part::Text(next)) if next.starts_with('.'));
                (!held).then_some(name)
            }
            _ => None,
        }
    }

    /// The text with every value in its place. A value with a control character is refused wherever it stands.
    ///
    /// # Errors
    /// When a value is missing, or is not what its filter takes.
    pub fn fill<'a>(&self, value: impl Fn(&Slot) -> Option<Cow<'a, str>>) -> Result<String, TemplateError> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Value(slot, filter) => {
                    let given = value(slot).ok_or_else(|| TemplateError::Missing(slot.to_string()))?;
                    let fit = if given.chars().any(char::is_control) { None } else { filtered(&given, *filter) };
                    let fit = fit.ok_or_else(|| TemplateError::Unfit(slot.to_string()))?;
                    // An address that ends in a slash, with a path behind it.
                    let joined = text.is_empty() && filter.is_none() && matches!(self.parts.get(1), Some(Part::Text(next)) if next.starts_with('/'));
                    text.push_str(if joined { fit.trim_end_matches('/') } else { &fit });
                }
            }
        }
        Ok(text)
    }
}

fn value(inner: &str) -> Result<Part, TemplateError> {
    let (name, filter) = match inner.split_once('|') {
        Some((name, filter)) => (name.trim(), Some(Filter::from_word(filter.trim()).ok_or_else(|| TemplateError::UnknownFilter(filter.trim().to_owned()))?)),
        None => (inner.trim(), None),
    };
    Ok(Part::Value(Slot::from_name(name).ok_or_else(|| TemplateError::Unknown(name.to_owned()))?, filter))
}

fn filtered(given: &str, filter: Option<Filter>) -> Option<String> {
    match filter {
        None => Some(given.to_owned()),
        Some(Filter::Label) => is_label(given).then(|| given.to_ascii_lowercase()),
        Some(Filter::Host) => address(given).map(|url| url[url::Position::BeforeHost..url::Position::AfterPort].to_owned()),
        Some(Filter::Origin) => address(given).map(|url| url.origin().ascii_serialization()),
        Some(Filter::Path) => {
            // A dot or two would be resolved away and lead to another resource.
            let mut url = Url::parse("https://x").ok()?;
            url.path_segments_mut().ok()?.push(given);
            (!matches!(given, "" | "." | "..")).then(|| url.path().trim_start_matches('/').to_owned())
        }
        Some(Filter::Upper) => Some(given.to_uppercase()),
        Some(Filter::Query) => Some(url::form_urlencoded::byte_serialize(given.as_bytes()).collect()),
    }
}

/// Reads an address, or a host without a scheme.
fn address(text: &str) -> Option<Url> {
    crate::schema::web_address(text).or_else(|| if text.contains("://") { None } else { crate::schema::web_address(&format!("https://{text}")) })
}

/// Whether a text is DNS labels with dots between.
pub(crate) fn is_label(text: &str) -> bool {
    let label = |part: &str| (1..=63).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !part.starts_with('-') && !part.ends_with('-');
    text.len() <= 253 && text.split('.').all(label)
}

impl Slot {
    fn from_name(name: &str) -> Option<Self> {
        let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if let Some((group, key)) = name.split_once('.') {
            if group == "config"
                && let Some((property, meaning)) = key.split_once('.')
            {
                return (word(property) && word(meaning)).then(|| Self::Meaning(property.to_owned(), meaning.to_owned()));
            }
            if group == "claim" {
                let (of, claim) = key.split_once('.')?;
                let of = match of {
                    "access" => ClaimOf::Access,
                    "id" => ClaimOf::Id,
                    _ => return None,
                };
                return word(claim).then(|| Self::Claim(of, claim.to_owned()));
            }
            let make = match group {
                "config" => Self::Config,
                "extra" => Self::Extra,
                "token" => Self::Token,
                "kept" => Self::Kept,
                "located" => Self::Located,
                "app" => Self::App,
                "base" => Self::Base,
                _ => return None,
            };
            return word(key).then(|| make(key.to_owned()));
        }
        Some(match name {
            "secret" => Self::Secret,
            "username" => Self::Username,
            "client_id" => Self::ClientId,
            "client_secret" => Self::ClientSecret,
            "access_token" => Self::AccessToken,
            "refresh_token" => Self::RefreshToken,
            "userinfo" => Self::Userinfo,
            "integration_id" => Self::IntegrationId,
            "key_fingerprint" => Self::KeyFingerprint,
            "scopes" => Self::Scopes,
            "assertion" => Self::Assertion,
            "redirect_uri" => Self::RedirectUri,
            "now" => Self::Now,
            "uuid" => Self::Uuid,
            _ => return None,
        })
    }

    /// Whether the value is secret, so that it never stands in an address unless the provider wants it there.
    pub const fn is_secret(&self) -> bool {
        matches!(self, Self::Secret | Self::ClientSecret | Self::AccessToken | Self::RefreshToken | Self::Token(_) | Self::Assertion | Self::Extra(_))
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(name) => write!(f, "config.{name}"),
            Self::Meaning(name, key) => write!(f, "config.{name}.{key}"),
            Self::Secret => f.write_str("secret"),
            Self::Username => f.write_str("username"),
            Self::ClientId => f.write_str("client_id"),
            Self::ClientSecret => f.write_str("client_secret"),
            Self::Extra(name) => write!(f, "extra.{name}"),
            Self::AccessToken => f.write_str("access_token"),
            Self::RefreshToken => f.write_str("refresh_token"),
            Self::Token(name) => write!(f, "token.{name}"),
            Self::Kept(name) => write!(f, "kept.{name}"),
            Self::Located(name) => write!(f, "located.{name}"),
            Self::Claim(ClaimOf::Access, name) => write!(f, "claim.access.{name}"),
            Self::Claim(ClaimOf::Id, name) => write!(f, "claim.id.{name}"),
            Self::Base(name) => write!(f, "base.{name}"),
            Self::IntegrationId => f.write_str("integration_id"),
            Self::KeyFingerprint => f.write_str("key_fingerprint"),
            Self::Userinfo => f.write_str("userinfo"),
            Self::Scopes => f.write_str("scopes"),
            Self::Assertion => f.write_str("assertion"),
            Self::RedirectUri => f.write_str("redirect_uri"),
            Self::App(name) => write!(f, "app.{name}"),
            Self::Now => f.write_str("now"),
            Self::Uuid => f.write_str("uuid"),
        }
    }
}

impl Filter {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "label" => Self::Label,
            "host" => Self::Host,
            "origin" => Self::Origin,
            "path" => Self::Path,
            "query" => Self::Query,
            "upper" => Self::Upper,
            _ => return None,
        })
    }
}

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "A text with places in braces, such as https://{config.url|host}/api. {{ and }} are braces themselves." })
    }
}

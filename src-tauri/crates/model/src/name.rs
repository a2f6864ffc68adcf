//! Names of objects (synqly-wire.md section 4): a slug that may stand in a path instead of the id, and a full name for people.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Code, Problem};

/// Words that are route segments, which a name in a path could be taken for (product.md section 1).
pub(crate) const RESERVED: &[&str] = &["verify", "lookup", "info", "rotate", "reset", "refresh", "secondary", "events", "timeseries", "mcp", "synqly-integrations", "x"];

/// A slug of `[a-z0-9_-]`, at most 100 characters, which may start with `~`. Upper case is folded, since names are unique
/// ignoring case. A personal member's name is an e-mail address and is made by [`Name::parse_email`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, ts_rs::TS)]
#[serde(transparent)]
#[ts(type = "string")]
pub struct Name(String);

impl Name {
    /// Longest name, in characters.
    pub const MAX: usize = 100;

    /// Reads a name as given on the wire.
    ///
    /// # Errors
    /// `invalid_field` when it is empty, too long, reserved, or has other characters than a slug.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let folded = text.to_ascii_lowercase();
        let body = folded.strip_prefix('~').unwrap_or(&folded);
        let good = !body.is_empty() && folded.len() <= Self::MAX && body.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        if !good {
            return Err(Problem::field("/name", "The name must be 1 to 100 characters out of a-z, 0-9, `_` and `-`. Choose another name, or leave it out and give a fullname."));
        }
        if RESERVED.contains(&folded.as_str()) || uuid::Uuid::parse_str(&folded).is_ok() {
            return Err(Problem::field("/name", format!("The name `{folded}` is reserved, because it could be taken for a part of a path. Choose another name.")));
        }
        Ok(Self(folded))
    }

    /// Reads a personal member's name, which is an e-mail address.
    ///
    /// # Errors
    /// `invalid_field` when it does not have the shape of an address.
    pub fn parse_email(text: &str) -> Result<Self, Problem> {
        let folded = text.trim().to_lowercase();
        let good = folded.len() <= 254
            && folded.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && domain.len() >= 3 && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.') && !domain.contains('@')
            })
            && folded.chars().all(|c| !c.is_whitespace() && !c.is_control());
        if good { Ok(Self(folded)) } else { Err(Problem::field("/name", "The name of a personal member must be an e-mail address, such as ada@example.com.")) }
    }

    /// Derives a name from a full name (lower case, everything else becomes `-`); nothing when no usable character is left.
    pub fn from_fullname(fullname: &str) -> Option<Self> {
        let mut slug = String::new();
        for c in fullname.to_lowercase().chars() {
            if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' {
                slug.push(c);
            } else if !slug.ends_with('-') && !slug.is_empty() {
                slug.push('-');
            }
            if slug.len() >= Self::MAX {
                break;
            }
        }
        Self::parse(slug.trim_end_matches('-')).ok()
    }

    /// A name that the store holds already.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name for people: 1 to 200 characters, no control characters, trimmed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ts_rs::TS)]
#[serde(transparent)]
#[ts(type = "string")]
pub struct Fullname(String);

impl Fullname {
    /// Longest full name, in characters.
    pub const MAX: usize = 200;

    /// Reads a full name.
    ///
    /// # Errors
    /// `invalid_field` when it is empty, too long or has control characters.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > Self::MAX || text.chars().any(char::is_control) {
            return Err(Problem::field("/fullname", "The fullname must be 1 to 200 characters without line breaks. Shorten or correct it."));
        }
        Ok(Self(text.to_owned()))
    }

    /// A full name taken from another text, such as an e-mail address; what is longer than a full name may be is cut.
    ///
    /// # Errors
    /// As [`Fullname::parse`], but for the length.
    pub fn cut(text: &str) -> Result<Self, Problem> {
        Self::parse(&text.trim().chars().take(Self::MAX).collect::<String>())
    }

    /// A full name that the store holds already.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The full name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fullname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Name and full name of a new object, each derived from the other, else from the id (synqly-wire.md section 4).
///
/// # Errors
/// `invalid_field` when one that is given is not valid.
pub fn name_and_fullname(name: Option<&str>, fullname: Option<&str>, id: uuid::Uuid) -> Result<(Name, Fullname), Problem> {
    let fullname_given = fullname.filter(|text| !text.is_empty()).map(Fullname::parse).transpose()?;
    let name = match name.filter(|text| !text.is_empty()) {
        Some(name) => Name::parse(name)?,
        None => fullname_given.as_ref().and_then(|fullname| Name::from_fullname(fullname.as_str())).unwrap_or_else(|| Name(id.to_string())),
    };
    let fullname = fullname_given.unwrap_or_else(|| Fullname(name.as_str().to_owned()));
    Ok((name, fullname))
}

/// A label of an account: 1 to 48 of letters, digits and `_ - : .`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ts_rs::TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct Label(String);

impl Label {
    /// Reads a label.
    ///
    /// # Errors
    /// `invalid_field` when it has another length or other characters.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let good = (1..=48).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-:.".contains(&b));
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::new(Code::InvalidField, "A label must be 1 to 48 letters, digits, `_`, `-`, `:` or `.`. Correct the label.").at_body("/labels"))
        }
    }

    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = Problem;
    fn try_from(text: String) -> Result<Self, Problem> {
        Self::parse(&text)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_slugs_and_fold_case() {
        assert_eq!(Name::parse("Acme-1").unwrap().as_str(), "acme-1");
        assert_eq!(Name::parse("~tilde").unwrap().as_str(), "~tilde");
        for bad in ["", "~", "a b", "a/b", "ä", "verify", "lookup", "0198c0de-0000-7000-8000-000000000000", &"a".repeat(101)] {
            assert_eq!(Name::parse(bad).unwrap_err().code, Code::InvalidField, "{bad:?} must be refused");
        }
    }

    #[test]
    fn each_of_name_and_fullname_is_derived_from_the_other() {
        let id = uuid::Uuid::nil();
        let (name, fullname) = name_and_fullname(None, Some("Äcme & Sons, Ltd."), id).unwrap();
        assert_eq!((name.as_str(), fullname.as_str()), ("cme-sons-ltd", "Äcme & Sons, Ltd."));
        let (name, fullname) = name_and_fullname(Some("acme"), None, id).unwrap();
        assert_eq!((name.as_str(), fullname.as_str()), ("acme", "acme"));
        let (name, _) = name_and_fullname(None, None, id).unwrap();
        assert_eq!(name.as_str(), id.to_string());
    }

    #[test]
    fn a_long_address_gives_a_full_name() {
        let address = format!("a@b.{}", "c".repeat(240));
        let name = Name::parse_email(&address).unwrap();
        assert_eq!(Fullname::cut(name.as_str()).unwrap().as_str().len(), Fullname::MAX);
    }

    #[test]
    fn personal_members_are_named_by_address() {
        assert!(Name::parse_email("R@Example.com").is_ok());
        for bad in ["", "a", "a@b", "a@@b.c", "a b@c.de", "a@.de"] {
            assert!(Name::parse_email(bad).is_err(), "{bad:?} must be refused");
        }
    }
}

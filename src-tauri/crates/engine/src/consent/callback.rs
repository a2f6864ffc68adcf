//! The provider's answer, as it arrives at the redirect URI (RFC 6749 section 4.1.2, RFC 9207).

use std::collections::BTreeMap;

use patchbay_model::{Code, Problem};
use url::Url;

/// What a callback says.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Callback {
    /// Which consent it answers.
    pub(crate) state: String,
    /// Who answers (RFC 9207).
    pub(crate) issuer: Option<String>,
    /// Why there is no code.
    pub(crate) error: Option<String>,
    /// The same in words.
    pub(crate) error_description: Option<String>,
    /// Everything else, by name: the code among it, which not every provider calls so. None for what is said twice.
    said: BTreeMap<String, Option<String>>,
    /// Everything, as it came.
    pub(super) pairs: Vec<(String, String)>,
}

impl Callback {
    /// A parameter that the manifest of the provider names.
    ///
    /// # Errors
    /// `provider_invalid_answer` when it stands there twice: two readers might take different ones.
    pub(crate) fn said(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.said.get(name) {
            None => Ok(None),
            Some(Some(value)) => Ok(Some(value.as_str()).filter(|value| !value.is_empty())),
            Some(None) => Err(Problem::new(
                Code::ProviderInvalidAnswer,
                format!("The provider's answer says `{name}` twice. Begin the consent again; if it stays so, somebody may be tampering with it."),
            )),
        }
    }

    /// Those of these parameters that are there and can be kept.
    ///
    /// # Errors
    /// As [`Self::said`].
    pub(crate) fn kept(&self, names: &[String]) -> Result<BTreeMap<String, String>, Problem> {
        let mut kept = BTreeMap::new();
        for name in names {
            if let Some(value) = self.said(name)?.filter(|value| value.len() <= LONGEST_KEPT && !value.chars().any(char::is_control)) {
                kept.insert(name.clone(), value.to_owned());
            }
        }
        Ok(kept)
    }
}

/// Longest callback that is read.
const LONGEST: usize = 16 * 1024;

/// Longest value that is kept of one.
const LONGEST_KEPT: usize = 4096;

/// Takes a callback apart.
///
/// # Errors
/// `consent_unknown` when it is no URL, carries no `state`, or says something twice (RFC 6749 section 3.1 forbids that, and
/// two readers might take different ones).
pub(crate) fn parse(text: &str) -> Result<(Url, Callback), Problem> {
    let unknown = |why: &str| Problem::new(Code::ConsentUnknown, format!("This is not the answer to a consent: {why} Begin the consent again."));
    if text.len() > LONGEST {
        return Err(unknown("it is too long."));
    }
    let url = Url::parse(text.trim()).map_err(|_| unknown("it is not a web address. Paste the whole address that the browser shows."))?;
    let mut callback = Callback::default();
    let mut state = None;
    for (name, value) in url.query_pairs() {
        callback.pairs.push((name.to_string(), value.to_string()));
        let place = match name.as_ref() {
            "state" => &mut state,
            "iss" => &mut callback.issuer,
            "error" => &mut callback.error,
            "error_description" => &mut callback.error_description,
            other => {
                let twice = callback.said.contains_key(other);
                if twice && other == "code" {
                    return Err(unknown("a part of it stands there twice."));
                }
                callback.said.insert(other.to_owned(), (!twice).then(|| value.into_owned()));
                continue;
            }
        };
        if place.is_some() {
            return Err(unknown("a part of it stands there twice."));
        }
        *place = Some(value.into_owned());
    }
    callback.state = state.filter(|state| !state.is_empty()).ok_or_else(|| unknown("it has no `state`."))?;
    Ok((url, callback))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_or_not_at_all_is_refused() {
        let (_, callback) = parse(" http://x/cb?state=s&code=c&iss=https%3A%2F%2Fi&session_state=z ").unwrap();
        assert_eq!((callback.state.as_str(), callback.said("code").unwrap(), callback.issuer.as_deref()), ("s", Some("c"), Some("https://i")));
        for bad in [
            "",
            "code=c&state=s",
            "http://x/cb",
            "http://x/cb?code=c",
            "http://x/cb?state=&code=c",
            "http://x/cb?state=s&state=t&code=c",
            "http://x/cb?state=s&code=c&code=d",
            "http://x/cb#state=s&code=c",
        ] {
            assert_eq!(parse(bad).err().unwrap().code, Code::ConsentUnknown, "{bad} is refused");
        }
    }

    #[test]
    fn what_a_manifest_names_is_kept_if_it_is_said_once() {
        let (_, callback) = parse("http://x/cb?state=s&auth_code=c&realmId=7&shop=a&shop=b&odd=a%0Ab&empty=").unwrap();
        assert_eq!((callback.said("auth_code").unwrap(), callback.said("code").unwrap(), callback.said("empty").unwrap()), (Some("c"), None, None));
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(callback.kept(&names(&["realmId", "odd", "empty", "missing"])).unwrap(), BTreeMap::from([("realmId".to_owned(), "7".to_owned())]));
        assert_eq!(callback.kept(&names(&["realmId", "shop"])).unwrap_err().code, Code::ProviderInvalidAnswer, "two readers might take different ones");
    }
}

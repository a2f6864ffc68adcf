//! The provider's answer, as it arrives at the redirect URI (RFC 6749 section 4.1.2, RFC 9207).

use patchbay_model::{Code, Problem};
use url::Url;

/// What a callback says.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Callback {
    /// Which consent it answers.
    pub(crate) state: String,
    /// To be exchanged for tokens.
    pub(crate) code: Option<String>,
    /// Who answers (RFC 9207).
    pub(crate) issuer: Option<String>,
    /// Why there is no code.
    pub(crate) error: Option<String>,
    /// The same in words.
    pub(crate) error_description: Option<String>,
}

/// Longest callback that is read.
const LONGEST: usize = 16 * 1024;

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
        let place = match name.as_ref() {
            "state" => &mut state,
            "code" => &mut callback.code,
            "iss" => &mut callback.issuer,
            "error" => &mut callback.error,
            "error_description" => &mut callback.error_description,
            _ => continue,
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
        assert_eq!((callback.state.as_str(), callback.code.as_deref(), callback.issuer.as_deref()), ("s", Some("c"), Some("https://i")));
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
}

//! What issuers say of themselves (OpenID Connect Discovery 1.0, RFC 8414), kept for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use patchbay_model::{Code, Problem};
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use serde::Deserialize;
use url::Url;

use crate::http::{HttpClient, HttpRequest, Limits, Repeat};

/// How long metadata is believed.
const FRESH: Duration = Duration::from_secs(3600);
/// How many issuers are remembered.
const REMEMBERED: usize = 256;
/// Metadata is small.
const LARGEST: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(15);

/// Issuers' metadata, kept by issuer.
#[derive(Default)]
pub(crate) struct MetadataCache {
    kept: Mutex<HashMap<String, (Instant, Arc<Metadata>)>>,
}

/// What an issuer says of itself. Of endpoints any can be missing: not every grant needs every one.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: Option<String>,
    pub(super) token_endpoint: Option<String>,
    pub(super) pushed_authorization_request_endpoint: Option<String>,
    pub(super) device_authorization_endpoint: Option<String>,
    pub(super) revocation_endpoint: Option<String>,
    pub(super) introspection_endpoint: Option<String>,
    pub(super) token_endpoint_auth_methods_supported: Option<Vec<String>>,
    pub(super) token_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
    pub(super) scopes_supported: Option<Vec<String>>,
    #[serde(default)]
    pub(super) require_pushed_authorization_requests: bool,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// An endpoint that it names.
    ///
    /// # Errors
    /// `provider_invalid_answer` when that is none, or gives up the issuer's TLS.
    pub(super) fn endpoint(&self, text: &str, which: &str) -> Result<Url, Problem> {
        endpoint(Url::parse(&self.issuer).ok().as_ref(), text, which, &self.issuer)
    }
}

fn endpoint(issuer: Option<&Url>, text: &str, which: &str, shown: &str) -> Result<Url, Problem> {
    let unusable = |why: &str| Problem::new(Code::ProviderInvalidAnswer, format!("The metadata of {shown} names a {which} that {why}. Ask whoever runs the provider."));
    let url = Url::parse(text).map_err(|_| unusable("is no web address"))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if issuer.is_some_and(|issuer| issuer.scheme() == "http") => Ok(url),
        "http" => Err(unusable("is not protected by TLS, although the issuer is")),
        _ => Err(unusable("is no web address")),
    }
}

/// Whether two spellings name one issuer. A slash at the end is the one thing in which people and providers differ.
pub(crate) fn same_issuer(a: &str, b: &str) -> bool {
    a.trim_end_matches('/') == b.trim_end_matches('/')
}

/// The metadata of an issuer. `elsewhere` is where it lies, if that is not below the issuer; `property` is what an administrator entered the
/// issuer in.
///
/// # Errors
/// Why it cannot be read, or is not its own.
pub(super) async fn discover(http: &HttpClient, cache: &MetadataCache, property: &str, issuer: &str, elsewhere: Option<Url>) -> Result<Arc<Metadata>, Problem> {
    let issuer = issuer.trim_end_matches('/');
    if let Some(metadata) = cache.get(issuer) {
        return Ok(metadata);
    }
    let base = Url::parse(issuer).map_err(|_| wrong_issuer(property, "The issuer is not a web address. Correct it."))?;
    let mut trouble = None;
    for place in elsewhere.map_or_else(|| places(&base), |place| vec![place]) {
        let request = HttpRequest {
            method: Method::GET,
            url: place,
            headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]),
            body: bytes::Bytes::new(),
            template: "/.well-known/*".into(),
        };
        let limits = Limits { deadline: Instant::now() + PATIENCE, max_bytes: LARGEST, repeat: Repeat::Idempotent };
        let answer = http.send(&request, limits, None, None).await?;
        if !answer.status.is_success() {
            trouble.get_or_insert_with(|| {
                Problem::new(
                    Code::ProviderInvalidAnswer,
                    format!("No metadata of an OpenID provider was found below {issuer} (status {}). Check the issuer.", answer.status.as_u16()),
                )
                .at_body(&format!("/provider_config/{property}"))
            });
            continue;
        }
        let metadata: Metadata = serde_json::from_slice(&answer.body).map_err(|_| {
            Problem::new(Code::ProviderInvalidAnswer, format!("What was found as metadata below {issuer} is none. Check the issuer."))
                .at_body(&format!("/provider_config/{property}"))
        })?;
        // Otherwise one provider could answer in another's name (Discovery 1.0 section 4.3, RFC 8414 section 3.3).
        if !same_issuer(&metadata.issuer, issuer) {
            return Err(wrong_issuer(property, &format!("The metadata found below {issuer} names another issuer. Enter the issuer exactly as the provider names itself.")));
        }
        let metadata = Arc::new(metadata);
        cache.keep(issuer, Arc::clone(&metadata));
        return Ok(metadata);
    }
    Err(trouble.unwrap_or_else(|| wrong_issuer(property, "The issuer is no address below which metadata can lie. Correct it.")))
}

fn wrong_issuer(property: &str, message: &str) -> Problem {
    Problem::new(Code::InvalidConfig, message).at_body(&format!("/provider_config/{property}"))
}

/// Where metadata can lie: appended to the issuer (Discovery 1.0 section 4), or between host and path (RFC 8414 section 3.1).
fn places(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    [format!("{path}/.well-known/openid-configuration"), format!("/.well-known/oauth-authorization-server{path}")]
        .iter()
        .map(|path| {
            let mut place = issuer.clone();
            place.set_path(path);
            place.set_query(None);
            place.set_fragment(None);
            place
        })
        .collect()
}

impl MetadataCache {
    fn get(&self, issuer: &str) -> Option<Arc<Metadata>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(issuer).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, metadata)| Arc::clone(metadata))
    }

    fn keep(&self, issuer: &str, metadata: Arc<Metadata>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= REMEMBERED {
            kept.retain(|_, (at, _)| at.elapsed() < FRESH);
            if kept.len() >= REMEMBERED {
                kept.clear();
            }
        }
        kept.insert(issuer.to_owned(), (Instant::now(), metadata));
    }

    /// Forgets an issuer, when what it said before turned out to be wrong.
    pub(crate) fn forget(&self, issuer: &str) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(issuer.trim_end_matches('/'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_at_both_places() {
        let places = |issuer: &str| places(&Url::parse(issuer).unwrap()).iter().map(Url::to_string).collect::<Vec<_>>();
        assert_eq!(places("https://x.test"), ["https://x.test/.well-known/openid-configuration", "https://x.test/.well-known/oauth-authorization-server"]);
        assert_eq!(places("https://x.test/realm/"), ["https://x.test/realm/.well-known/openid-configuration", "https://x.test/.well-known/oauth-authorization-server/realm"]);
    }

    #[test]
    fn an_issuer_with_tls_has_no_endpoints_without() {
        let issuer = Url::parse("https://x.test").unwrap();
        assert!(endpoint(Some(&issuer), "https://y.test/token", "token", "x").is_ok(), "another host is allowed");
        for bad in ["http://x.test/token", "javascript:alert(1)", "/token", ""] {
            assert!(endpoint(Some(&issuer), bad, "token", "x").is_err(), "{bad} is refused");
        }
    }
}

//! Where a provider's endpoints are: from its manifest, or from the issuer's metadata (OpenID Connect Discovery 1.0,
//! RFC 8414), which is kept for a while.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use patchbay_model::{Code, Problem};
use patchbay_providers::manifest::server::Iss;
use patchbay_providers::manifest::{ClientAuth, Endpoints, Pkce, Template};
use patchbay_providers::{Provider, Server};
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::http::{HttpClient, HttpRequest, Limits, Repeat};

/// How long metadata is believed.
const FRESH: Duration = Duration::from_secs(3600);
/// How many issuers are remembered.
const REMEMBERED: usize = 256;
/// Metadata is small.
const LARGEST: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(15);

/// What a consent and a refresh need to know of a provider.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Authority {
    /// The issuer expected in answers, where one is known.
    pub(crate) issuer: Option<String>,
    /// Authorization endpoint.
    pub(crate) authorize_url: Url,
    /// Token endpoint.
    pub(crate) token_url: Url,
    /// Further parameters of the authorization request.
    pub(crate) authorize_params: BTreeMap<String, String>,
    /// Further parameters of token requests.
    pub(crate) token_params: BTreeMap<String, String>,
    /// Whether the client secret goes into the body rather than into `Authorization`.
    pub(crate) secret_in_body: bool,
    /// Whether PKCE is used.
    pub(crate) pkce: bool,
    /// Whether an answer without `iss` must be refused (RFC 9207 section 2.4).
    pub(crate) iss_required: bool,
    /// Whether `iss` is compared at all.
    pub(crate) iss_checked: bool,
    /// Scopes that the provider knows, where it says them.
    pub(crate) scopes_known: Option<Vec<String>>,
}

/// Issuers' metadata, kept by issuer.
#[derive(Default)]
pub(crate) struct MetadataCache {
    kept: Mutex<HashMap<String, (Instant, Arc<Metadata>)>>,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    scopes_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Finds the endpoints of a provider's server for one integration.
///
/// # Errors
/// `invalid_config` when the configuration leads elsewhere than the manifest allows, or the issuer's metadata is not its own; otherwise why it
/// could not be read.
pub(crate) async fn authority(http: &HttpClient, cache: &MetadataCache, provider: &Provider, server: &Server, config: &Map<String, Value>) -> Result<Authority, Problem> {
    let manifest = provider.manifest();
    let values = provider.values(config, &BTreeMap::new(), &BTreeMap::new());
    let pkce = matches!(server.pkce, Pkce::Required | Pkce::Allowed);
    let iss = server.callback.iss;
    let authorize_params = values.texts(manifest, &server.authorize_params)?;
    let token_params = values.texts(manifest, &server.token_params)?;
    match &server.endpoints {
        Endpoints::Fixed(fixed) => {
            let at =
                |template: Option<&Template>| provider.endpoint(server, template.ok_or_else(|| Problem::internal("a server has not the endpoints that a consent needs"))?, &values);
            let issuer = fixed.issuer.as_ref().map(|template| values.text(manifest, template)).transpose()?.flatten();
            Ok(Authority {
                iss_checked: issuer.is_some() && iss != Iss::Never,
                issuer,
                authorize_url: at(fixed.authorize.as_ref())?,
                token_url: at(fixed.token.as_ref())?,
                authorize_params,
                token_params,
                secret_in_body: server.client_auth.first() == Some(&ClientAuth::Post),
                pkce,
                iss_required: iss == Iss::Always,
                scopes_known: None,
            })
        }
        Endpoints::Discovery { issuer: template, .. } => {
            provider.endpoint(server, template, &values)?;
            let property = template.chosen_by().unwrap_or_default();
            // As it is written: issuers are compared to the letter.
            let issuer = values.text(manifest, template)?.unwrap_or_default();
            let issuer = issuer.as_str();
            let metadata = discover(http, cache, property, issuer).await?;
            let base = Url::parse(&metadata.issuer).ok();
            let endpoint = |text: &str, which: &str| endpoint(base.as_ref(), text, which, issuer);
            let secret_in_body = match server.client_auth.first() {
                Some(ClientAuth::Post) => true,
                // Left out, it means client_secret_basic (RFC 8414 section 2).
                Some(ClientAuth::Discovered) => metadata
                    .token_endpoint_auth_methods_supported
                    .as_ref()
                    .is_some_and(|methods| !methods.iter().any(|method| method == "client_secret_basic") && methods.iter().any(|method| method == "client_secret_post")),
                _ => false,
            };
            Ok(Authority {
                authorize_url: endpoint(&metadata.authorization_endpoint, "authorization")?,
                token_url: endpoint(&metadata.token_endpoint, "token")?,
                authorize_params,
                token_params,
                secret_in_body,
                pkce,
                iss_required: match iss {
                    Iss::Always => true,
                    Iss::Never => false,
                    Iss::Discovered => metadata.authorization_response_iss_parameter_supported,
                },
                iss_checked: iss != Iss::Never,
                scopes_known: metadata.scopes_supported.clone(),
                issuer: Some(metadata.issuer.clone()),
            })
        }
    }
}

fn endpoint(issuer: Option<&Url>, text: &str, which: &str, shown: &str) -> Result<Url, Problem> {
    let unusable = |why: &str| Problem::new(Code::ProviderInvalidAnswer, format!("The metadata of {shown} names a {which} endpoint that {why}. Ask whoever runs the provider."));
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

async fn discover(http: &HttpClient, cache: &MetadataCache, property: &str, issuer: &str) -> Result<Arc<Metadata>, Problem> {
    let issuer = issuer.trim_end_matches('/');
    if let Some(metadata) = cache.get(issuer) {
        return Ok(metadata);
    }
    let base = Url::parse(issuer).map_err(|_| wrong_issuer(property, "The issuer is not a web address. Correct it."))?;
    let mut trouble = None;
    for place in places(&base) {
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

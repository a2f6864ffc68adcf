//! Requests of the authorization code grant and of refreshes, made with the types of the `oauth2` crate and sent with our
//! own client. Its reader of answers is stricter than many providers are, so the answer is read by ours.

use std::pin::Pin;
use std::time::{Duration, Instant};

use oauth2::basic::BasicClient;
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError,
    Scope, TokenUrl,
};
use patchbay_model::{Problem, Secret};
use patchbay_providers::manifest::server::Scopes;
use url::Url;

use super::metadata::Authority;
use crate::http::{HttpAnswer, HttpClient, HttpFailure, HttpRequest, Limits, Mask, Repeat};

/// Answers of token endpoints are small.
const LARGEST: usize = 1 << 20;
/// Within the lease of a refresh, so that nobody else begins one while this one may still be answered.
pub(crate) const PATIENCE: Duration = Duration::from_secs(25);

/// Who asks.
pub(crate) struct OAuthClient {
    /// RFC 6749 section 2.2.
    pub(crate) id: String,
    /// None for a public client.
    pub(crate) secret: Option<Secret>,
}

impl OAuthClient {
    /// Covers the client secret, and what else was sent.
    pub(crate) fn mask(&self, sent: &[&Secret]) -> Mask {
        let mut mask = Mask::default();
        self.secret.iter().chain(sent.iter().copied()).for_each(|secret| mask.cover(secret));
        mask
    }
}

/// What makes one authorization request.
pub(crate) struct Asking<'a> {
    pub(crate) redirect_uri: &'a str,
    pub(crate) scopes: &'a [String],
    pub(crate) state: &'a Secret,
    pub(crate) verifier: Option<&'a Secret>,
}

/// The URL of the provider's page (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
///
/// # Errors
/// `internal` when the redirect URI, checked before, is no URL.
pub(crate) fn authorize_url(authority: &Authority, scopes: &Scopes, client: &OAuthClient, asking: &Asking<'_>) -> Result<Url, Problem> {
    let client =
        BasicClient::new(ClientId::new(client.id.clone())).set_auth_uri(AuthUrl::from_url(authority.authorize_url.clone())).set_redirect_uri(redirect_url(asking.redirect_uri)?);
    let mut request = client.authorize_url(|| CsrfToken::new(asking.state.expose().to_owned()));
    if scopes.separator == " " && scopes.param == "scope" {
        request = request.add_scopes(asking.scopes.iter().cloned().map(Scope::new));
    } else if !asking.scopes.is_empty() {
        request = request.add_extra_param(scopes.param.clone(), asking.scopes.join(&scopes.separator));
    }
    if let Some(verifier) = asking.verifier {
        request = request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.expose().to_owned())));
    }
    for (name, value) in &authority.authorize_params {
        request = request.add_extra_param(name.clone(), value.clone());
    }
    Ok(request.url().0)
}

/// Exchanges a code (RFC 6749 section 4.1.3).
///
/// # Errors
/// Why there is no answer.
pub(crate) async fn exchange(
    http: &HttpClient,
    authority: &Authority,
    client: &OAuthClient,
    code: &str,
    redirect_uri: &str,
    verifier: Option<&Secret>,
) -> Result<HttpAnswer, Problem> {
    let asking = token_client(authority, client).set_redirect_uri(redirect_url(redirect_uri)?);
    let mut request = asking.exchange_code(AuthorizationCode::new(code.to_owned()));
    if let Some(verifier) = verifier {
        request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
    }
    for (name, value) in &authority.token_params {
        request = request.add_extra_param(name.clone(), value.clone());
    }
    answered(request.request_async(&Carrier { http }).await.err())?.map_err(Problem::from)
}

/// Gets the next set of tokens (RFC 6749 section 6).
///
/// # Errors
/// `internal`; inside, why there is no answer.
pub(crate) async fn refresh(http: &HttpClient, authority: &Authority, client: &OAuthClient, refresh_token: &Secret) -> Result<Result<HttpAnswer, HttpFailure>, Problem> {
    let asking = token_client(authority, client);
    let refresh_token = RefreshToken::new(refresh_token.expose().to_owned());
    let mut request = asking.exchange_refresh_token(&refresh_token);
    for (name, value) in &authority.token_params {
        request = request.add_extra_param(name.clone(), value.clone());
    }
    answered(request.request_async(&Carrier { http }).await.err())
}

type TokenClient = BasicClient<oauth2::EndpointNotSet, oauth2::EndpointNotSet, oauth2::EndpointNotSet, oauth2::EndpointNotSet, oauth2::EndpointSet>;

fn token_client(authority: &Authority, client: &OAuthClient) -> TokenClient {
    let made = BasicClient::new(ClientId::new(client.id.clone()))
        .set_auth_type(if authority.secret_in_body { AuthType::RequestBody } else { AuthType::BasicAuth })
        .set_token_uri(TokenUrl::from_url(authority.token_url.clone()));
    match &client.secret {
        Some(secret) => made.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
        None => made,
    }
}

fn redirect_url(text: &str) -> Result<RedirectUrl, Problem> {
    RedirectUrl::new(text.to_owned()).map_err(|_| Problem::internal("a redirect URI that was accepted is no URL"))
}

/// Carries what came out of the `oauth2` crate's hands before it reads it.
#[derive(Debug, thiserror::Error)]
#[error("taken over")]
struct TakenOver(Result<HttpAnswer, HttpFailure>);

/// Sends for the `oauth2` crate. A type of its own, since a closure that borrows gives a future that no task can own.
struct Carrier<'a> {
    http: &'a HttpClient,
}

impl<'c> AsyncHttpClient<'c> for Carrier<'_> {
    type Error = TakenOver;
    type Future = Pin<Box<dyn Future<Output = Result<oauth2::HttpResponse, TakenOver>> + Send + 'c>>;

    fn call(&'c self, request: oauth2::HttpRequest) -> Self::Future {
        Box::pin(deliver(self.http, request))
    }
}

async fn deliver(http: &HttpClient, request: oauth2::HttpRequest) -> Result<oauth2::HttpResponse, TakenOver> {
    let (parts, body) = request.into_parts();
    let Ok(url) = Url::parse(&parts.uri.to_string()) else {
        return Err(TakenOver(Err(HttpFailure::BadUrl(parts.uri.host().unwrap_or_default().to_owned()))));
    };
    let request = HttpRequest { method: parts.method, url, headers: parts.headers, body: body.into(), template: "(token endpoint)".into() };
    // A code and a rotating refresh token are good for one request, so only what never left may be repeated.
    let limits = Limits { deadline: Instant::now() + PATIENCE, max_bytes: LARGEST, repeat: Repeat::OnlyUnsent };
    Err(TakenOver(http.send(&request, limits, None, None).await))
}

fn answered<T: oauth2::ErrorResponse + 'static>(outcome: Option<RequestTokenError<TakenOver, T>>) -> Result<Result<HttpAnswer, HttpFailure>, Problem> {
    match outcome {
        Some(RequestTokenError::Request(TakenOver(answer))) => Ok(answer),
        _ => Err(Problem::internal("a token request could not be made")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn separated(separator: &str) -> Scopes {
        Scopes { separator: separator.to_owned(), ..Scopes::default() }
    }

    fn authority() -> Authority {
        let url = |text| Url::parse(text).unwrap();
        Authority {
            issuer: None,
            authorize_url: url("https://a.test/authorize?tenant=1"),
            token_url: url("https://a.test/token"),
            authorize_params: BTreeMap::from([("audience".to_owned(), "api".to_owned())]),
            token_params: BTreeMap::new(),
            secret_in_body: false,
            pkce: true,
            iss_required: false,
            iss_checked: true,
            scopes_known: None,
        }
    }

    #[test]
    fn the_authorization_request_holds_what_it_must() {
        // Verifier and challenge of RFC 7636 appendix B.
        let (state, verifier) = (Secret::new("st"), Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        let scopes = ["a:b".to_owned(), "c".to_owned()];
        let asking = Asking { redirect_uri: "http://127.0.0.1:1/oauth/callback", scopes: &scopes, state: &state, verifier: Some(&verifier) };
        let client = OAuthClient { id: "me".to_owned(), secret: Some(Secret::new("hidden")) };
        let url = authorize_url(&authority(), &separated(" "), &client, &asking).unwrap();
        let pairs: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", "me"),
            ("state", "st"),
            ("scope", "a:b c"),
            ("redirect_uri", "http://127.0.0.1:1/oauth/callback"),
            ("audience", "api"),
            ("tenant", "1"),
            ("code_challenge_method", "S256"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ] {
            assert_eq!(pairs.get(name).map(String::as_str), Some(value), "{name} in {url}");
        }
        assert!(!url.as_str().contains("hidden") && !url.as_str().contains(verifier.expose()), "{url}");
        let url = authorize_url(&authority(), &separated(","), &client, &Asking { verifier: None, ..asking }).unwrap();
        let pairs: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs.get("scope").map(String::as_str), Some("a:b,c"));
        assert!(!pairs.contains_key("code_challenge"));
    }
}

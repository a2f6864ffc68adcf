//! Requests to authorization servers, built by the types of the `oauth2` crate and taken from its hands before anything is sent:
//! what is sent is journaled first, may need more than the crate knows, and is answered in ways that its own reader refuses.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use oauth2::basic::BasicClient;
use oauth2::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl, EndpointNotSet, EndpointSet, IntrospectionUrl, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, RevocableToken, Scope, StandardRevocableToken, SyncHttpClient, TokenUrl,
};
use patchbay_model::{Context, Problem, Secret};
use patchbay_providers::manifest::Slot;
use patchbay_providers::manifest::revoke::TokenKind;
use patchbay_providers::manifest::server::{Scopes, TokenBody};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use super::assertion;
use super::authority::Authority;
use super::client::{Authentication, OAuthClient};
use crate::http::{HttpRequest, Mask};

/// The header under which an attempt stands in our journal and in the provider's log.
const ATTEMPT: HeaderName = HeaderName::from_static("x-request-id");

/// The grant of a JWT (RFC 7523 section 2.1).
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The grant of a device (RFC 8628 section 3.4).
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

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
/// `internal` when the redirect URI, checked before, is no URL; `invalid_config` when the manifest's parameters cannot be made of the configuration.
pub(crate) fn authorize(authority: &Authority, client: &OAuthClient, asking: &Asking<'_>) -> Result<Url, Problem> {
    let made = BasicClient::new(ClientId::new(client.id.clone())).set_auth_uri(AuthUrl::from_url(authority.authorize()?)).set_redirect_uri(redirect_url(asking.redirect_uri)?);
    let mut request = made.authorize_url(|| CsrfToken::new(asking.state.expose().to_owned()));
    let scopes = &authority.server.scopes;
    let (own, more) = by_param(scopes, asking.scopes);
    let joined = own.join(&scopes.separator);
    if scopes.separator == " " && scopes.param == "scope" {
        request = request.add_scopes(own.iter().map(|scope| Scope::new((*scope).to_owned())));
    } else if !own.is_empty() {
        request = request.add_extra_param(scopes.param.clone(), joined.clone());
    }
    for (name, group) in &scopes.also {
        let asked = match more.get(name.as_str()) {
            Some(asked) => asked.join(&group.separator),
            None => group.default.join(&group.separator),
        };
        if !asked.is_empty() {
            request = request.add_extra_param(name.clone(), asked);
        }
    }
    if let Some(verifier) = asking.verifier {
        request = request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.expose().to_owned())));
    }
    for (name, value) in authority.texts(&authority.server.authorize_params, &[(Slot::ClientId, &client.id), (Slot::RedirectUri, asking.redirect_uri), (Slot::Scopes, &joined)])? {
        request = request.add_extra_param(name, value);
    }
    Ok(request.url().0)
}

/// Scopes by the parameter in which they are asked for: those of the usual one, and those of others, which stand as `user_scope=search:read`.
/// Whoever asks for others alone gets the usual ones of the usual parameter.
fn by_param<'a>(facts: &'a Scopes, asked: &'a [String]) -> (Vec<&'a str>, BTreeMap<&'a str, Vec<&'a str>>) {
    let mut own = Vec::new();
    let mut more: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for scope in asked {
        match scope.split_once('=').filter(|(name, _)| facts.also.contains_key(*name)) {
            Some((name, scope)) => more.entry(name).or_default().push(scope),
            None => own.push(scope.as_str()),
        }
    }
    if own.is_empty() && !more.is_empty() {
        own.extend(facts.default.iter().map(String::as_str));
    }
    (own, more)
}

/// A request that is made and not sent. Its form is kept as pairs, so that it can be finished.
pub(crate) struct Prepared {
    url: Url,
    headers: HeaderMap,
    pairs: Vec<(String, String)>,
    json: bool,
    /// What must not be shown should the provider quote it.
    secrets: Vec<Secret>,
}

/// Grants. When a request cannot be made of manifest and configuration, each says why.
impl Prepared {
    /// The code of an answer, for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
    pub(crate) fn code(context: &Context, authority: &Authority, client: &OAuthClient, code: &Secret, redirect_uri: &str, verifier: Option<&Secret>) -> Result<Self, Problem> {
        let asking = token_client(authority.token()?, authority, client)?.set_redirect_uri(redirect_url(redirect_uri)?);
        let mut request = asking.exchange_code(AuthorizationCode::new(code.expose().to_owned()));
        if let Some(verifier) = verifier {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
        }
        for (name, value) in authority.texts(&authority.server.token_params, &[(Slot::ClientId, &client.id), (Slot::RedirectUri, redirect_uri)])? {
            request = request.add_extra_param(name, value);
        }
        let secrets = std::iter::once(code).chain(verifier).cloned().collect();
        captured(request.request(&Capture), secrets)?.finished(context, authority, client)
    }

    /// A refresh token, for the next tokens (RFC 6749 section 6). `redirect_uri` is the one of the consent: some want to see it again.
    pub(crate) fn refresh(context: &Context, authority: &Authority, client: &OAuthClient, refresh_token: &Secret, redirect_uri: Option<&str>) -> Result<Self, Problem> {
        let asking = token_client(authority.refresh()?, authority, client)?;
        let token = RefreshToken::new(refresh_token.expose().to_owned());
        let mut request = asking.exchange_refresh_token(&token);
        let known: Vec<(Slot, &str)> = std::iter::once((Slot::ClientId, client.id.as_str())).chain(redirect_uri.map(|uri| (Slot::RedirectUri, uri))).collect();
        for params in [&authority.server.token_params, &authority.server.refresh_params] {
            for (name, value) in authority.texts(params, &known)? {
                request = request.add_extra_param(name, value);
            }
        }
        captured(request.request(&Capture), vec![refresh_token.clone()])?.finished(context, authority, client)
    }

    /// The client itself, for a token of its own (RFC 6749 section 4.4). What is `given` goes before what the standard writes.
    pub(crate) fn client_credentials(context: &Context, authority: &Authority, client: &OAuthClient, scopes: &[String], given: &[(String, String)]) -> Result<Self, Problem> {
        let asking = token_client(authority.token()?, authority, client)?;
        let mut prepared = captured(asking.exchange_client_credentials().request(&Capture), Vec::new())?;
        prepared.ask_for(authority, scopes);
        prepared.put_token_params(authority, client)?;
        given.iter().for_each(|(name, value)| prepared.put(name, value));
        prepared.finished(context, authority, client)
    }

    /// A JWT that speaks for somebody, for a token (RFC 7523 section 2.1). It says itself who asks.
    pub(crate) fn jwt_bearer(authority: &Authority, client_id: &str, assertion: &Secret, scopes: &[String], given: &[(String, String)]) -> Result<Self, Problem> {
        let silent = OAuthClient { id: client_id.to_owned(), secret: None };
        let pairs = [("grant_type", JWT_BEARER), ("assertion", assertion.expose())];
        let mut prepared = carried(authority.token()?, &Authentication::None, &silent, owned(&pairs))?;
        prepared.secrets.push(assertion.clone());
        prepared.pairs.retain(|(name, _)| name != "client_id");
        prepared.ask_for(authority, scopes);
        prepared.put_token_params(authority, &silent)?;
        given.iter().for_each(|(name, value)| prepared.put(name, value));
        prepared.dressed(authority)
    }

    /// A code that a person enters elsewhere (RFC 8628 section 3.1).
    pub(crate) fn device_begin(context: &Context, authority: &Authority, client: &OAuthClient, scopes: &[String]) -> Result<Self, Problem> {
        let mut prepared = carried(authority.device()?, &authority.authentication(client)?, client, std::iter::empty())?;
        prepared.ask_for(authority, scopes);
        let prepared = prepared.finished(context, authority, client)?;
        // The standard has a form, whatever the token endpoint takes.
        Ok(Self { json: false, ..prepared })
    }

    /// Whether that person has answered (RFC 8628 section 3.4).
    pub(crate) fn device_poll(context: &Context, authority: &Authority, client: &OAuthClient, device_code: &Secret) -> Result<Self, Problem> {
        let pairs = [("grant_type", DEVICE_CODE), ("device_code", device_code.expose())];
        let mut prepared = carried(authority.token()?, &authority.authentication(client)?, client, owned(&pairs))?;
        prepared.secrets.push(device_code.clone());
        prepared.put_token_params(authority, client)?;
        prepared.finished(context, authority, client)
    }

    /// Ends a token (RFC 7009 section 2.1). `body` says how this endpoint takes it, whatever the token endpoint does.
    pub(crate) fn revoke(context: &Context, authority: &Authority, client: &OAuthClient, kind: TokenKind, token: &Secret, body: TokenBody) -> Result<Self, Problem> {
        let text = token.expose().to_owned();
        let revoked = match kind {
            TokenKind::Refresh => StandardRevocableToken::RefreshToken(RefreshToken::new(text)),
            TokenKind::Access => StandardRevocableToken::AccessToken(AccessToken::new(text)),
        };
        let pairs = std::iter::once(("token", revoked.secret())).chain(revoked.type_hint().map(|hint| ("token_type_hint", hint)));
        let pairs: Vec<(&str, &str)> = pairs.collect();
        let mut prepared = carried(authority.revocation()?, &authority.authentication(client)?, client, owned(&pairs))?;
        prepared.secrets.push(token.clone());
        let prepared = prepared.finished(context, authority, client)?;
        Ok(Self { json: body == TokenBody::Json, ..prepared })
    }

    /// Asks whether a token is alive (RFC 7662 section 2.1).
    pub(crate) fn introspect(context: &Context, authority: &Authority, client: &OAuthClient, kind: TokenKind, token: &Secret) -> Result<Self, Problem> {
        let asking = bare(&authority.authentication(client)?, client).set_introspection_url(IntrospectionUrl::from_url(authority.introspection()?));
        let given = AccessToken::new(token.expose().to_owned());
        let request = asking.introspect(&given).set_token_type_hint(match kind {
            TokenKind::Refresh => "refresh_token",
            TokenKind::Access => "access_token",
        });
        let prepared = captured(request.request(&Capture), vec![token.clone()])?.finished(context, authority, client)?;
        Ok(Self { json: authority.server.introspection_body == TokenBody::Json, ..prepared })
    }

    /// An authorization request, to be pushed (RFC 9126 section 2.1): what would stand in its address.
    pub(crate) fn pushed(context: &Context, authority: &Authority, client: &OAuthClient, asked: &Url) -> Result<Self, Problem> {
        let pairs = asked.query_pairs().into_owned().filter(|(name, _)| name != "client_id");
        let mut prepared = carried(authority.par()?, &authority.authentication(client)?, client, pairs)?.finished(context, authority, client)?;
        // Part of what is asked for, also where the client has proven itself in a header.
        prepared.put("client_id", &client.id);
        // The standard has a form, whatever the token endpoint takes.
        Ok(Self { json: false, ..prepared })
    }
}

impl Prepared {
    /// What the crate does not know: an assertion in place of a secret, the body and headers that a provider wants.
    fn finished(mut self, context: &Context, authority: &Authority, client: &OAuthClient) -> Result<Self, Problem> {
        match authority.authentication(client)? {
            Authentication::PrivateKeyJwt { algorithm, audience } => {
                let signed = assertion::of_client(context, client, algorithm, &audience)?;
                self.put("client_assertion_type", assertion::TYPE);
                self.put("client_assertion", signed.expose());
                self.secrets.push(signed);
            }
            Authentication::SecretAsUser => {
                let secret = client.secret.as_ref().map(Secret::expose).unwrap_or_default();
                let mut value =
                    HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(format!("{secret}:")))).map_err(|_| Problem::internal("base64 cannot stand in a header"))?;
                value.set_sensitive(true);
                self.headers.insert(AUTHORIZATION, value);
                self.pairs.retain(|(name, _)| name != "client_id");
            }
            Authentication::None | Authentication::Basic | Authentication::Post => {}
        }
        self.secrets.extend(client.secret.clone());
        self.dressed(authority)
    }

    fn dressed(mut self, authority: &Authority) -> Result<Self, Problem> {
        for (name, value) in authority.texts(&authority.server.token_headers, &[])? {
            let unfit = |_| Problem::internal("a manifest names an impossible header of token requests");
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Problem::internal("a manifest names an impossible header of token requests"))?;
            self.headers.insert(name, HeaderValue::from_str(&value).map_err(unfit)?);
        }
        self.json = authority.server.token_body == TokenBody::Json;
        Ok(self)
    }

    /// What is asked for, as this server writes it.
    fn ask_for(&mut self, authority: &Authority, scopes: &[String]) {
        if !scopes.is_empty() {
            let facts = &authority.server.scopes;
            self.put(&facts.param, &scopes.join(&facts.separator));
        }
    }

    fn put_token_params(&mut self, authority: &Authority, client: &OAuthClient) -> Result<(), Problem> {
        for (name, value) in authority.texts(&authority.server.token_params, &[(Slot::ClientId, &client.id)])? {
            self.put(&name, &value);
        }
        Ok(())
    }

    fn put(&mut self, name: &str, value: &str) {
        self.pairs.retain(|(known, _)| known != name);
        self.pairs.push((name.to_owned(), value.to_owned()));
    }

    /// Covers what it carries.
    pub(crate) fn mask(&self) -> Mask {
        let mut mask = Mask::default();
        self.secrets.iter().for_each(|secret| mask.cover(secret));
        mask
    }

    /// Where it goes.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The request of one attempt.
    pub(super) fn into_request(mut self, attempt: Uuid) -> HttpRequest {
        if let Ok(value) = HeaderValue::from_str(&attempt.to_string()) {
            self.headers.insert(ATTEMPT, value);
        }
        let body = if self.json {
            self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let members: Map<String, Value> = self.pairs.into_iter().map(|(name, value)| (name, value.into())).collect();
            Value::Object(members).to_string()
        } else {
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(self.pairs).finish()
        };
        HttpRequest { method: Method::POST, url: self.url, headers: self.headers, body: Bytes::from(body), template: "(authorization server)".into() }
    }
}

type TokenClient = BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

fn token_client(endpoint: Url, authority: &Authority, client: &OAuthClient) -> Result<TokenClient, Problem> {
    Ok(bare(&authority.authentication(client)?, client).set_token_uri(TokenUrl::from_url(endpoint)))
}

fn bare(authentication: &Authentication, client: &OAuthClient) -> BasicClient {
    let made = BasicClient::new(ClientId::new(client.id.clone())).set_auth_type(if *authentication == Authentication::Post { AuthType::RequestBody } else { AuthType::BasicAuth });
    match &client.secret {
        Some(secret) if matches!(authentication, Authentication::Post | Authentication::Basic) => made.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
        _ => made,
    }
}

/// A form for which the crate has no type of its own, by the one request of it that is an authenticated form and nothing else.
fn carried(endpoint: Url, authentication: &Authentication, client: &OAuthClient, pairs: impl Iterator<Item = (String, String)>) -> Result<Prepared, Problem> {
    let made = bare(authentication, client).set_device_authorization_url(DeviceAuthorizationUrl::from_url(endpoint));
    let request = pairs.fold(made.exchange_device_code(), |request, (name, value)| request.add_extra_param(name, value));
    let outcome: Result<oauth2::StandardDeviceAuthorizationResponse, _> = request.request(&Capture);
    captured(outcome, Vec::new())
}

fn owned(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>().into_iter()
}

fn redirect_url(text: &str) -> Result<RedirectUrl, Problem> {
    RedirectUrl::new(text.to_owned()).map_err(|_| Problem::internal("a redirect URI that was accepted is no URL"))
}

/// Takes over a request that the crate wants to have sent.
struct Capture;

#[derive(Debug, thiserror::Error)]
#[error("taken over")]
struct Captured(Box<oauth2::HttpRequest>);

impl SyncHttpClient for Capture {
    type Error = Captured;

    fn call(&self, request: oauth2::HttpRequest) -> Result<oauth2::HttpResponse, Captured> {
        Err(Captured(Box::new(request)))
    }
}

fn captured<T, E: oauth2::ErrorResponse + 'static>(outcome: Result<T, RequestTokenError<Captured, E>>, secrets: Vec<Secret>) -> Result<Prepared, Problem> {
    let Err(RequestTokenError::Request(Captured(request))) = outcome else { return Err(Problem::internal("a token request could not be made")) };
    let (parts, body) = request.into_parts();
    let url = Url::parse(&parts.uri.to_string()).map_err(|_| Problem::internal("the address of a token request is none"))?;
    Ok(Prepared { url, headers: parts.headers, pairs: url::form_urlencoded::parse(&body).into_owned().collect(), json: false, secrets })
}

#[cfg(test)]
mod tests;

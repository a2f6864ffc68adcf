//! An authorization server as one integration meets it: its endpoints, from the manifest or from the issuer's metadata, and what of its
//! manifest depends on the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchbay_model::{Code, Problem};
use patchbay_providers::manifest::server::{Audience, Iss, Par};
use patchbay_providers::manifest::{ClientAuth, Endpoints, Pkce, Slot, Template};
use patchbay_providers::{Provider, Server, Values};
use patchbay_vault::JwtAlgorithm;
use serde_json::{Map, Value};
use url::Url;

use super::assertion;
use super::client::{Authentication, OAuthClient};
use super::metadata::{Metadata, MetadataCache, discover};
use crate::http::HttpClient;

/// What a grant needs to know of a server.
#[derive(Clone)]
pub(crate) struct Authority {
    pub(crate) provider: Arc<Provider>,
    pub(crate) server: Server,
    /// The issuer expected in answers, where one is known.
    pub(crate) issuer: Option<String>,
    /// Whether PKCE is used.
    pub(crate) pkce: bool,
    /// Whether an answer without `iss` must be refused (RFC 9207 section 2.4).
    pub(crate) iss_required: bool,
    /// Whether `iss` is compared at all.
    pub(crate) iss_checked: bool,
    /// Scopes that the provider knows, where it says them.
    pub(crate) scopes_known: Option<Vec<String>>,
    metadata: Option<Arc<Metadata>>,
    values: Values,
}

/// Finds the server of an integration. Where the issuer describes itself, that is read, and kept for a while.
///
/// # Errors
/// `invalid_config` when the configuration leads elsewhere than the manifest allows, or the issuer's metadata is not its own; otherwise why it
/// could not be read.
pub(crate) async fn authority(http: &HttpClient, cache: &MetadataCache, provider: &Arc<Provider>, server: &Server, config: &Map<String, Value>) -> Result<Authority, Problem> {
    let manifest = provider.manifest();
    let values = provider.values(config, &BTreeMap::new(), &BTreeMap::new());
    let (issuer, metadata) = match &server.endpoints {
        Endpoints::Fixed(fixed) => (fixed.issuer.as_ref().map(|template| values.text(manifest, template)).transpose()?.flatten(), None),
        Endpoints::Discovery { issuer, metadata } => {
            provider.endpoint(server, issuer, &values)?;
            let place = metadata.as_ref().map(|template| provider.endpoint(server, template, &values)).transpose()?;
            // As it is written: issuers are compared to the letter.
            let written = values.text(manifest, issuer)?.unwrap_or_default();
            let metadata = discover(http, cache, issuer.chosen_by().unwrap_or_default(), &written, place).await?;
            (Some(metadata.issuer.clone()), Some(metadata))
        }
    };
    let iss = server.callback.iss;
    Ok(Authority {
        pkce: matches!(server.pkce, Pkce::Required | Pkce::Allowed),
        iss_required: match iss {
            Iss::Always => true,
            Iss::Never => false,
            Iss::Discovered => metadata.as_ref().is_some_and(|metadata: &Arc<Metadata>| metadata.authorization_response_iss_parameter_supported),
        },
        iss_checked: issuer.is_some() && iss != Iss::Never,
        scopes_known: metadata.as_ref().and_then(|metadata| metadata.scopes_supported.clone()),
        provider: Arc::clone(provider),
        server: server.clone(),
        issuer,
        metadata,
        values,
    })
}

/// Endpoints. What the server does not have is told in words.
impl Authority {
    /// Authorization endpoint.
    pub(crate) fn authorize(&self) -> Result<Url, Problem> {
        self.endpoint("authorization endpoint", |fixed| fixed.authorize.as_ref(), |metadata| metadata.authorization_endpoint.as_deref())
    }

    /// Token endpoint.
    pub(crate) fn token(&self) -> Result<Url, Problem> {
        self.endpoint("token endpoint", |fixed| fixed.token.as_ref(), |metadata| metadata.token_endpoint.as_deref())
    }

    /// Where refreshes go.
    pub(crate) fn refresh(&self) -> Result<Url, Problem> {
        self.endpoint("token endpoint", |fixed| fixed.refresh.as_ref().or(fixed.token.as_ref()), |metadata| metadata.token_endpoint.as_deref())
    }

    /// Where authorization requests are pushed.
    pub(crate) fn par(&self) -> Result<Url, Problem> {
        self.endpoint("endpoint for pushed requests", |fixed| fixed.par.as_ref(), |metadata| metadata.pushed_authorization_request_endpoint.as_deref())
    }

    /// Where a device asks for a code (RFC 8628 section 3.1).
    pub(crate) fn device(&self) -> Result<Url, Problem> {
        self.endpoint("endpoint for devices", |fixed| fixed.device.as_ref(), |metadata| metadata.device_authorization_endpoint.as_deref())
    }

    /// Where tokens are ended (RFC 7009).
    pub(crate) fn revocation(&self) -> Result<Url, Problem> {
        self.endpoint("revocation endpoint", |fixed| fixed.revocation.as_ref(), |metadata| metadata.revocation_endpoint.as_deref())
    }

    /// Where tokens are asked after (RFC 7662).
    pub(crate) fn introspection(&self) -> Result<Url, Problem> {
        self.endpoint("introspection endpoint", |fixed| fixed.introspection.as_ref(), |metadata| metadata.introspection_endpoint.as_deref())
    }

    fn endpoint(
        &self,
        noun: &str,
        fixed: impl Fn(&patchbay_providers::manifest::server::FixedEndpoints) -> Option<&Template>,
        told: impl Fn(&Metadata) -> Option<&str>,
    ) -> Result<Url, Problem> {
        let missing = || Problem::new(Code::InvalidConfig, format!("{} has no {noun}. Connect in another way.", self.provider.fullname()));
        match (&self.server.endpoints, &self.metadata) {
            (Endpoints::Fixed(endpoints), _) => self.provider.endpoint(&self.server, fixed(endpoints).ok_or_else(missing)?, &self.values),
            (Endpoints::Discovery { .. }, Some(metadata)) => metadata.endpoint(told(metadata).ok_or_else(missing)?, noun),
            (Endpoints::Discovery { .. }, None) => Err(missing()),
        }
    }
}

impl Authority {
    /// Texts of the manifest, with what is known of the integration and of the request.
    ///
    /// # Errors
    /// `invalid_config` when a value is missing.
    pub(crate) fn texts(&self, templates: &BTreeMap<String, Template>, known: &[(Slot, &str)]) -> Result<BTreeMap<String, String>, Problem> {
        let values = known.iter().fold(self.values.clone(), |values, (slot, value)| values.with(slot.clone(), *value));
        values.texts(self.provider.manifest(), templates)
    }

    /// The same server, with what a callback or an answer brought beside tokens.
    #[must_use]
    pub(crate) fn knowing(mut self, kept: &BTreeMap<String, String>) -> Self {
        for (name, value) in kept {
            self.values.set(Slot::Kept(name.clone()), value.clone());
        }
        self
    }

    /// Whether authorization requests are pushed: where the server must have that, and where it can.
    pub(crate) fn pushes(&self) -> bool {
        match &self.metadata {
            Some(metadata) => metadata.require_pushed_authorization_requests || (self.server.par != Par::No && metadata.pushed_authorization_request_endpoint.is_some()),
            None => self.server.par != Par::No,
        }
    }

    /// How a client proves itself: the first way of the manifest that the client has what it takes for.
    ///
    /// # Errors
    /// `invalid_config` when it has a key, and no way takes one: a private key is never sent.
    pub(crate) fn authentication(&self, client: &OAuthClient) -> Result<Authentication, Problem> {
        let found = self.server.client_auth.iter().find_map(|way| self.usable(way, client));
        match found {
            Some(found) => Ok(found),
            None if client.has_key() => Err(Problem::new(
                Code::InvalidConfig,
                format!(
                    "{} does not take the private key that stands in place of the client secret. Enter the client secret, or a key of the right kind.",
                    self.provider.fullname()
                ),
            )),
            None => Ok(Authentication::None),
        }
    }

    fn usable(&self, way: &ClientAuth, client: &OAuthClient) -> Option<Authentication> {
        let secret = client.secret.is_some() && !client.has_key();
        match way {
            ClientAuth::None => client.secret.is_none().then_some(Authentication::None),
            ClientAuth::Basic => secret.then_some(Authentication::Basic),
            ClientAuth::Post => secret.then_some(Authentication::Post),
            ClientAuth::SecretAsUser => secret.then_some(Authentication::SecretAsUser),
            ClientAuth::PrivateKeyJwt { algorithms, audience } => {
                let algorithm = algorithms.iter().map(|algorithm| assertion::algorithm(*algorithm)).find(|algorithm| client.has_key() && client.signs(*algorithm))?;
                let audience = match audience {
                    Audience::Issuer => self.issuer.clone()?,
                    Audience::Token => self.token().ok()?.to_string(),
                    Audience::Fixed(template) => self.values.fill(template).ok()?,
                };
                Some(Authentication::PrivateKeyJwt { algorithm, audience })
            }
            ClientAuth::Discovered => self.discovered(client),
        }
    }

    /// As the metadata says; left out, it means `client_secret_basic` (RFC 8414 section 2).
    fn discovered(&self, client: &OAuthClient) -> Option<Authentication> {
        let metadata = self.metadata.as_ref()?;
        let offers = |method: &str| metadata.token_endpoint_auth_methods_supported.as_ref().is_some_and(|methods| methods.iter().any(|known| known == method));
        if client.has_key() {
            let takes = |algorithm: JwtAlgorithm| {
                metadata.token_endpoint_auth_signing_alg_values_supported.as_ref().is_none_or(|algorithms| algorithms.iter().any(|known| known == algorithm.as_str()))
            };
            let algorithm = [JwtAlgorithm::ES256, JwtAlgorithm::RS256, JwtAlgorithm::PS256].into_iter().find(|algorithm| takes(*algorithm) && client.signs(*algorithm))?;
            return offers("private_key_jwt").then(|| Authentication::PrivateKeyJwt { algorithm, audience: metadata.issuer.clone() });
        }
        client.secret.as_ref()?;
        Some(if !offers("client_secret_basic") && offers("client_secret_post") { Authentication::Post } else { Authentication::Basic })
    }
}

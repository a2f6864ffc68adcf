//! Manifests: what is known of a provider, as data (`catalog/<provider>.toml`).

use std::collections::BTreeMap;

use patchbay_model::connector::Connector;
use patchbay_model::credential::CredentialKind;
use patchbay_model::{ProviderId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One provider.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its id.
    pub id: ProviderId,
    /// Version of this manifest. It goes up with every change of schema, authentication or operations, since definitions are immutable.
    pub version: String,
    /// Name for people.
    pub fullname: String,
    /// Who makes it.
    pub vendor: String,
    /// Category.
    pub connector: Connector,
    /// A sentence or two.
    pub description: String,
    /// The vendor's documentation of the API.
    pub docs_url: String,
    /// How ready it is.
    pub release: Release,
    /// When and why this version ends; the newest version's end is that of the provider.
    #[serde(default)]
    pub sunset: Option<Sunset>,
    /// Where requests go.
    pub base_url: BaseUrl,
    /// Properties of `provider_config` beside `type` and `credential`, in the order of the form.
    #[serde(default)]
    pub config: Vec<ConfigProperty>,
    /// Credentials accepted, the recommended one first. None: the provider needs no credential.
    #[serde(default)]
    pub credential: Vec<CredentialOption>,
    /// How a person authorizes us, where a credential of kind `o_auth_user` is accepted.
    #[serde(default)]
    pub oauth: Option<OAuth>,
    /// How fast we may ask.
    #[serde(default)]
    pub limits: Limits,
    /// Unified operations offered. Those of the connector that do not stand here are not offered.
    #[serde(default)]
    pub operation: Vec<OperationFacts>,
    /// Where the facts are from: dotted name of the fact, and the address of the page that says so, `observed: ` and where, or `unverified`.
    #[serde(default)]
    pub sources: BTreeMap<String, String>,
}

/// How ready a provider is.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The stage.
    pub availability: Availability,
    /// Environments of accounts in which it may be used: `test`, `prod`.
    pub environments: Vec<patchbay_model::Environment>,
}

/// The end of a version: from then on it must not be used for new integrations. Those that pin it keep working as long as
/// the provider lets them.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sunset {
    /// The first day of that, in UTC, such as `2027-01-31`.
    pub date: String,
    /// Why, and what to use in its place.
    pub reason: String,
}

impl Sunset {
    /// The beginning of the day.
    pub fn from(&self) -> Option<Timestamp> {
        format!("{}T00:00:00Z", self.date).parse().ok()
    }
}

/// Stages of readiness (synqly-wire.md section 10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Availability {
    /// For ourselves.
    Internal,
    /// Being made.
    InDevelopment,
    /// Not proven yet.
    PreRelease,
    /// Going away.
    Deprecated,
    /// Ready.
    GenerallyAvailable,
}

/// Where the provider's API is.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BaseUrl {
    /// In this property of the configuration.
    Config(String),
    /// Inside Patchbay: there is no network.
    Local,
}

/// One property of the configuration.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigProperty {
    /// Name on the wire.
    pub name: String,
    /// Label.
    pub title: String,
    /// What it is for, and what happens without it.
    pub description: String,
    /// Whether it must be given.
    #[serde(default)]
    pub required: bool,
    /// Examples.
    #[serde(default)]
    pub examples: Vec<Value>,
    /// The rest of its JSON Schema (draft 2020-12).
    pub schema: Map<String, Value>,
}

/// One way to authenticate.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialOption {
    /// `type` in `provider_config.credential`; its reference twin is this plus `_id`.
    #[serde(rename = "type")]
    pub word: String,
    /// Kind of the stored credential; usually the same word.
    pub kind: CredentialKind,
    /// Label of the choice.
    pub title: String,
    /// How a person gets one.
    pub description: String,
    /// Where the engine puts it.
    pub placement: AuthPlacement,
    /// Labels of single fields (`username`, `secret`, ...) where the common ones do not fit.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// Where a credential goes in a request.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AuthPlacement {
    /// `Authorization: Basic` of `username` and `secret` (RFC 7617).
    Basic,
    /// `Authorization: Bearer` of the secret or access token (RFC 6750 section 2.1).
    Bearer,
    /// The secret alone in this header.
    Header(String),
}

/// Whether something is done at a provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// The provider refuses requests without it.
    Required,
    /// The provider takes it.
    Allowed,
    /// The provider refuses requests with it.
    Forbidden,
}

/// How the client authenticates at the token endpoint (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
    /// As the provider's metadata says, `client_secret_basic` where it does not (RFC 8414 section 2).
    Discovered,
}

/// The authorization code grant at this provider.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// Endpoints.
    pub endpoints: Endpoints,
    /// Whether PKCE is used (RFC 7636); S256 always.
    pub pkce: Pkce,
    /// How the client authenticates.
    pub client_auth: ClientAuth,
    /// Between scopes; a space in RFC 6749 section 3.3.
    #[serde(default = "space")]
    pub scope_separator: String,
    /// Scopes asked for when the provider app names none.
    pub default_scopes: Vec<String>,
    /// Further parameters of the authorization request.
    #[serde(default)]
    pub authorize_params: BTreeMap<String, String>,
    /// Further parameters of the token request.
    #[serde(default)]
    pub token_params: BTreeMap<String, String>,
    /// Whether answers carry `iss` (RFC 9207): `Some(true)` always, `Some(false)` never, none: as its metadata says.
    #[serde(default)]
    pub iss_in_answer: Option<bool>,
    /// Seconds an access token lives when the answer does not say.
    pub access_token_seconds: u64,
    /// What a refresh does.
    pub refresh: Refresh,
    /// Whether the provider's page works in a window of the application; many refuse that (RFC 8252 section 8.12).
    pub embedded_window: bool,
    /// Whether a loopback redirect URI may have any port (RFC 8252 section 7.3); otherwise it must be registered exactly.
    pub loopback_any_port: bool,
}

fn space() -> String {
    " ".to_owned()
}

/// Where the endpoints are.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Endpoints {
    /// From the issuer's metadata (OpenID Connect Discovery 1.0, RFC 8414).
    Discovery {
        /// Property of the configuration that holds the issuer.
        issuer_property: String,
    },
    /// Always the same.
    Fixed {
        /// Authorization endpoint.
        authorize_url: String,
        /// Token endpoint.
        token_url: String,
        /// Revocation endpoint (RFC 7009), where there is one.
        #[serde(default)]
        revocation_url: Option<String>,
        /// Expected `iss`, where the provider has one.
        #[serde(default)]
        issuer: Option<String>,
    },
}

/// What a refresh does at this provider.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// Whether each refresh gives a new refresh token and kills the old one. None: not known, be ready for both.
    #[serde(default)]
    pub rotates: Option<bool>,
    /// Seconds for which the old refresh token still works after rotation.
    #[serde(default)]
    pub grace_seconds: Option<u64>,
    /// The scope without which no refresh token is given.
    #[serde(default)]
    pub scope: Option<String>,
}

/// How fast we may ask.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Most requests at once for one integration. None: the engine's default.
    #[serde(default)]
    pub concurrent: Option<u32>,
    /// Seconds to wait after a 429 that says nothing of its own.
    #[serde(default)]
    pub retry_after_seconds: Option<u64>,
}

/// What is offered of one unified operation.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationFacts {
    /// Its name in the connector.
    pub name: String,
    /// Filters that the provider itself applies.
    #[serde(default)]
    pub filters: Vec<FilterFacts>,
    /// Sort keys that the provider itself applies.
    #[serde(default)]
    pub orders: Vec<OrderFacts>,
    /// Fields without which the provider refuses, beyond what the connector requires.
    #[serde(default)]
    pub required_fields: Vec<String>,
    /// Fields that answers can have.
    #[serde(default)]
    pub response_fields: Vec<String>,
}

/// A filter (synqly-wire.md section 10).
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FilterFacts {
    /// The unified field.
    pub name: String,
    /// `string`, `datetime`, `enum`, `boolean` or `number`.
    #[serde(rename = "type")]
    pub value_type: String,
    /// Operators as written in a filter.
    pub operators: Vec<String>,
    /// Allowed values of an `enum`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

/// A sort key (synqly-wire.md section 10).
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OrderFacts {
    /// The unified field.
    pub name: String,
    /// `asc`, `desc`.
    pub directions: Vec<String>,
}

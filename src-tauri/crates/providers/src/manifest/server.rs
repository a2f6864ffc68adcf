//! An authorization server: where it is, what it takes, what it answers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::lifetime::{Lifetime, Rotation};
use super::redirect::{Redirect, Window};
use super::revoke::{Preflight, Revocation};
use super::template::Template;

/// The facts of one authorization server. By convention the first is `main`.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Where its endpoints are.
    pub endpoints: Endpoints,
    /// Hosts, or suffixes with a dot in front, to which a kept value in an endpoint's host may lead. An answer must not send codes elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// It runs where the configuration says, at an address of the customer's own. A provider app of it belongs to one such address, and its
    /// secret goes nowhere else.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub self_hosted: bool,
    /// How the client may authenticate, the preferred way first.
    pub client_auth: Vec<ClientAuth>,
    /// How token requests are written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub token_body: TokenBody,
    /// How requests to the introspection endpoint are written (RFC 7662 has a form).
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub introspection_body: TokenBody,
    /// Further headers of token requests.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub token_headers: BTreeMap<String, Template>,
    /// Further parameters of every token request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub token_params: BTreeMap<String, Template>,
    /// Further parameters of a refresh alone, such as `redirect_uri`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refresh_params: BTreeMap<String, Template>,
    /// Whether PKCE is used (RFC 7636); S256 always.
    pub pkce: Pkce,
    /// Whether requests are pushed (RFC 9126).
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub par: Par,
    /// Further parameters of the authorization request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorize_params: BTreeMap<String, Template>,
    /// What is asked for.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub scopes: Scopes,
    /// What comes back to the redirect URI.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub callback: Callback,
    /// How token answers are read.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub answer: Answer,
    /// How long things live.
    pub lifetime: Lifetime,
    /// What a refresh does to the refresh token.
    pub rotation: Rotation,
    /// Which redirect URIs it takes.
    pub redirect: Redirect,
    /// Whether its page works in a window of the application.
    pub window: Window,
    /// How a grant is ended.
    pub revocation: Revocation,
    /// What an unattended test of the provider app can tell.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub preflight: Preflight,
    /// Settings of a provider app that this server needs beside id and secret, for `{app.x}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub app: Vec<super::ConfigProperty>,
    /// What an administrator does at the provider to register the app, step by step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub register: Vec<String>,
}

/// Where the endpoints are.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Endpoints {
    /// From the issuer's metadata (OpenID Connect Discovery 1.0, RFC 8414).
    Discovery {
        /// The issuer.
        issuer: Template,
        /// Where its metadata is, if not below `/.well-known`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metadata: Option<Template>,
    },
    /// As written here.
    Fixed(Box<FixedEndpoints>),
}

/// Endpoints as the manifest says them. What the provider does not have is left out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedEndpoints {
    /// Authorization endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorize: Option<Template>,
    /// Token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Template>,
    /// Where refreshes go, if not to the token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Template>,
    /// Pushed authorization requests (RFC 9126).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub par: Option<Template>,
    /// Device authorization (RFC 8628).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Template>,
    /// Revocation (RFC 7009).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Template>,
    /// Introspection (RFC 7662).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection: Option<Template>,
    /// Userinfo (OpenID Connect Core section 5.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo: Option<Template>,
    /// Dynamic registration of clients (RFC 7591).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Template>,
    /// Expected `iss`, where the provider has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Template>,
}

impl FixedEndpoints {
    /// Every endpoint that is given, with its name.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &Template)> {
        [
            ("authorize", &self.authorize),
            ("token", &self.token),
            ("refresh", &self.refresh),
            ("par", &self.par),
            ("device", &self.device),
            ("revocation", &self.revocation),
            ("introspection", &self.introspection),
            ("userinfo", &self.userinfo),
            ("registration", &self.registration),
            ("issuer", &self.issuer),
        ]
        .into_iter()
        .filter_map(|(name, template)| Some((name, template.as_ref()?)))
    }
}

/// How the client authenticates at the token endpoint (RFC 6749 section 2.3.1, RFC 7523 section 2.2).
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientAuth {
    /// Public client: the id alone.
    None,
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
    /// Basic with the secret as user name and no password (Stripe).
    SecretAsUser,
    /// `private_key_jwt`.
    PrivateKeyJwt {
        /// Signature algorithms that the provider takes, the preferred one first.
        algorithms: Vec<Algorithm>,
        /// Whom the assertion is for.
        audience: Audience,
    },
    /// As the provider's metadata says, `client_secret_basic` where it does not (RFC 8414 section 2).
    Discovered,
}

/// Signature algorithms (RFC 7518 section 3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
pub enum Algorithm {
    /// RSA PKCS 1, SHA-256.
    RS256,
    /// RSA PSS, SHA-256.
    PS256,
    /// ECDSA P-256.
    ES256,
    /// HMAC SHA-256.
    HS256,
}

/// Whom a client assertion is for.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The issuer.
    Issuer,
    /// The token endpoint.
    Token,
    /// This.
    Fixed(Template),
}

/// How token requests are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenBody {
    /// As a form, as RFC 6749 says.
    #[default]
    Form,
    /// As JSON.
    Json,
}

/// Whether PKCE is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// The provider refuses requests without it.
    Required,
    /// The provider takes it.
    Allowed,
    /// The provider refuses requests with it.
    Forbidden,
    /// The app's settings at the provider decide: it is used only where the provider app here says so.
    ByApp,
}

/// Whether authorization requests are pushed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Par {
    /// The provider refuses others.
    Required,
    /// The provider takes them.
    Allowed,
    /// There is no endpoint for it.
    #[default]
    No,
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scopes {
    /// Asked for when the provider app names none.
    pub default: Vec<String>,
    /// Between scopes; a space in RFC 6749 section 3.3.
    pub separator: String,
    /// The parameter; `scope` usually.
    pub param: String,
    /// The scope without which no refresh token is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offline: Option<String>,
    /// The app's settings at the provider say what is granted: the parameter is left out where no scope is given.
    #[serde(skip_serializing_if = "super::is_default")]
    pub on_app: bool,
    /// Further parameters with scopes of their own (Slack's `user_scope`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub also: BTreeMap<String, ScopeGroup>,
    /// Scopes in words, for the person who consents and for receipts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, String>,
}

impl Default for Scopes {
    fn default() -> Self {
        Self { default: Vec::new(), separator: " ".to_owned(), param: "scope".to_owned(), offline: None, on_app: false, also: BTreeMap::new(), words: BTreeMap::new() }
    }
}

/// Scopes in a parameter of their own.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeGroup {
    /// Asked for when the provider app names none.
    #[serde(default)]
    pub default: Vec<String>,
    /// Between them.
    pub separator: String,
}

/// What comes back to the redirect URI.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Callback {
    /// The parameter that holds the code.
    pub code: String,
    /// Parameters that are kept beside the tokens (QuickBooks' `realmId`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<String>,
    /// A parameter that takes the place of a code where an administrator consents for all (Entra's `tenant`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_code: Option<String>,
    /// Whether answers carry `iss` (RFC 9207).
    pub iss: Iss,
    /// How the provider signs its answers, where it does (Shopify).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<SignedCallback>,
    /// Parameters that must be what was asked for (Shopify's `shop`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub expect: BTreeMap<String, Template>,
}

/// How an answer at the redirect URI is signed.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedCallback {
    /// The parameter that holds the signature, in hexadecimal, over all others in the order of their names, joined as `name=value` by `&`.
    pub param: String,
    /// With which algorithm.
    pub algorithm: Algorithm,
    /// With which key.
    pub key: Template,
}

impl Default for Callback {
    fn default() -> Self {
        Self { code: "code".to_owned(), keep: Vec::new(), without_code: None, iss: Iss::Never, signed: None, expect: BTreeMap::new() }
    }
}

/// Whether an answer names its issuer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Iss {
    /// An answer without it is refused.
    Always,
    /// It is not looked for.
    Never,
    /// As the provider's metadata says.
    Discovered,
}

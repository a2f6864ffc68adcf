//! Ways to authenticate: what is entered or granted, and where it goes in a request.

use std::collections::BTreeMap;

use patchbay_model::credential::CredentialKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ConfigProperty;
use super::answer::{ExpiryUnit, Pointer};
use super::call::{Base, CallFacts, Probe};
use super::place::Place;
use super::revoke::Revocation;
use super::server::Algorithm;
use super::template::Template;

/// One way to authenticate.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
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
    /// Labels of single fields (`username`, `secret`, ...) where the common ones do not fit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Further inputs of this way: properties of `provider_config` that only it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config: Vec<ConfigProperty>,
    /// Further fields of the credential itself, named in `extra`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<ExtraField>,
    /// What becomes of what was entered.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub auth: Auth,
    /// Where the outcome goes in a request.
    pub place: Place,
    /// Days that a key lives at most, where the provider ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_days: Option<u32>,
    /// Whether the provider shows the person when it ends, so that the form asks for it.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub expires_known: bool,
    /// The parameter of the secret address that says when it ends (`se` of Azure's signatures).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_query: Option<String>,
    /// Where the API is for this way, where it is elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// What proves it, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// How it is ended at the provider. With consent the server says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Revocation>,
    /// What a person does at the provider to get one, step by step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub register: Vec<String>,
}

/// A field in `extra` of a credential.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtraField {
    /// Its name.
    pub name: String,
    /// Its label.
    pub title: String,
    /// What it is.
    pub description: String,
    /// Whether it must be given.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub required: bool,
}

/// What becomes of what was entered or granted before it can be sent.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// Nothing: what was entered is what is sent.
    #[default]
    Plain,
    /// A person authorizes us (kind `o_auth_user`).
    Consent {
        /// At which server.
        server: String,
        /// How.
        flows: Vec<Flow>,
    },
    /// RFC 6749 section 4.4 (kind `o_auth_client`).
    ClientCredentials {
        /// At which server.
        server: String,
        /// What is asked for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        scopes: Vec<Template>,
        /// `audience`, where the provider wants one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audience: Option<Template>,
        /// `grant_type`, where it is another word (Zoom).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant_type: Option<String>,
        /// Further parameters.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        params: BTreeMap<String, Template>,
    },
    /// RFC 7523 section 2.1: a JWT signed with the key in `client_secret` (kind `o_auth_client`).
    JwtBearer {
        /// At which server.
        server: String,
        /// The JWT.
        assertion: Box<Assertion>,
        /// What is asked for beside it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        scopes: Vec<Template>,
        /// Further parameters.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        params: BTreeMap<String, Template>,
    },
    /// A JWT signed with the key in `client_secret` that is itself what is sent (`{assertion}`), without asking anybody.
    SelfSigned {
        /// The JWT.
        assertion: Box<Assertion>,
    },
    /// A login or call that gives a token: two-step session logins, installations of GitHub Apps.
    Mint(Box<Mint>),
    /// AWS Signature Version 4 with an access key (kind `aws`).
    AwsKey {
        /// Which service.
        service: Template,
        /// In which region.
        region: Template,
    },
    /// The same with a role that is assumed (kind `aws_role`).
    AwsRole {
        /// Which service.
        service: Template,
        /// In which region.
        region: Template,
        /// The endpoint of STS.
        sts: Template,
        /// Seconds that a session lives at most.
        max_seconds: u64,
    },
}

impl Auth {
    /// The name of the server that it needs.
    pub fn server(&self) -> Option<&str> {
        match self {
            Self::Consent { server, .. } | Self::ClientCredentials { server, .. } | Self::JwtBearer { server, .. } => Some(server),
            Self::Plain | Self::SelfSigned { .. } | Self::Mint(_) | Self::AwsKey { .. } | Self::AwsRole { .. } => None,
        }
    }
}

/// How a person authorizes us.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// Authorization code (RFC 6749 section 4.1).
    Code,
    /// Device code (RFC 8628).
    Device,
}

/// A JWT that we sign.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// `iss`.
    pub issuer: Template,
    /// `sub`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Template>,
    /// `aud`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Template>,
    /// With which algorithm.
    pub algorithm: Algorithm,
    /// Seconds until `exp`.
    pub lifetime_seconds: u64,
    /// Seconds that `iat` lies in the past, for clocks that differ.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub backdate_seconds: u64,
    /// `kid`, where the provider wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<Template>,
    /// Further claims; each text in them is a template.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, Value>,
}

/// A login or call that gives a token.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mint {
    /// A JWT for it, as `{assertion}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<Assertion>,
    /// What is asked.
    pub request: CallFacts,
    /// Where the token stands in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Pointer>,
    /// The header of the answer that holds it, where the body does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_header: Option<String>,
    /// When it ends.
    pub expires: MintExpiry,
    /// What is kept beside it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keep: BTreeMap<String, super::answer::Keep>,
    /// The request that ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<CallFacts>,
}

/// When a minted token ends: as the answer says, else after these seconds.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MintExpiry {
    /// Where the answer says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Pointer>,
    /// In what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<ExpiryUnit>,
    /// Seconds that it lives where the answer does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Whether those seconds begin anew with each use.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub idle: bool,
}

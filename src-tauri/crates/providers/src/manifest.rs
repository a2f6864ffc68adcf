//! Manifests: what is known of a provider, as data (`catalog/<provider>.toml`), format 2.
//!
//! A manifest says what is so, never what to do; one engine acts on all of them, and the simulator plays the other side from
//! the same words. What several providers of one vendor share stands in a family (`catalog/family/<family>.toml`).

pub mod answer;
pub mod call;
mod check;
pub mod credential;
mod destinations;
mod difference;
pub mod error;
mod facts;
mod family;
mod judge;
pub mod lifetime;
pub mod place;
pub mod redirect;
pub mod revoke;
mod sample;
pub mod server;
pub mod source;
pub mod template;

use std::collections::BTreeMap;

use patchbay_model::connector::Connector;
use patchbay_model::{ProviderId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use call::{Base, Probe};
pub use check::Fault;
pub use credential::{Auth, CredentialOption};
pub use destinations::{Carries, Destination, Use};
pub use difference::Difference;
pub use error::{At, Cause, ErrorRule};
pub use facts::Fact;
pub use family::{Families, Family};
pub use judge::{Finding, judge};
pub use place::Place;
pub use revoke::Seen;
pub use sample::{sample_config, sample_config_of};
pub use server::{ClientAuth, Endpoints, Pkce, Server};
pub use source::Source;
pub use template::{Filter, Part, Slot, Template, TemplateError};

/// The format of manifests that this build reads.
pub const FORMAT: u32 = 2;

/// The JSON Schema (draft 2020-12) of manifests, as it is published.
pub const JSON_SCHEMA: &str = include_str!("../catalog/manifest.schema.json");

/// The JSON Schema of manifests, made from the types.
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(Manifest).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("$id".to_owned(), format!("urn:patchbay:schema:manifest:{FORMAT}").into());
        object.insert("title".to_owned(), "Patchbay provider manifest".into());
    }
    schema
}

/// One provider.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format of this file: 2.
    pub format: u32,
    /// Its id.
    #[schemars(with = "String")]
    pub id: ProviderId,
    /// Version of this manifest. It goes up with every change, since definitions are immutable.
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
    /// The family with which it shares servers, credentials, errors and sources. What stands here goes before what stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// What ends, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sunset: Vec<Sunset>,
    /// Where requests go.
    pub base: Base,
    /// Further addresses of the API, for `{base.x}` (uploads, other products of the same account).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bases: BTreeMap<String, Template>,
    /// Properties of `provider_config` beside `type` and `credential`, in the order of the form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config: Vec<ConfigProperty>,
    /// Authorization servers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub server: BTreeMap<String, Server>,
    /// Credentials accepted, the recommended one first. None: the provider needs no credential.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credential: Vec<CredentialOption>,
    /// What proves a credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// How fast we may ask.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// Unified operations offered. Those of the connector that do not stand here are not offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operation: Vec<OperationFacts>,
    /// Where the API's answers say what is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_error: Option<ApiError>,
    /// What its errors mean.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub error: Vec<ErrorRule>,
    /// Where the facts are from, by dotted name; the longest name that a fact begins with counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, Source>,
}

impl Manifest {
    /// Reads a manifest, laid over its family where it names one.
    ///
    /// # Errors
    /// What cannot be read, and where.
    pub fn read(text: &str, families: &Families) -> Result<Self, String> {
        let table: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
        let manifest: Self = match table.get("family").and_then(toml::Value::as_str) {
            // Without a family the text itself is read, so that a complaint names its line.
            None => toml::from_str(text).map_err(|error| error.to_string())?,
            Some(name) => {
                let family = families.get(name).ok_or_else(|| format!("family: there is no family/{name}.toml"))?;
                let own: Vec<String> = table.get("server").and_then(toml::Value::as_table).map(|servers| servers.keys().cloned().collect()).unwrap_or_default();
                let mut laid: Self = family::laid_over(table, family).try_into().map_err(|error: toml::de::Error| error.to_string())?;
                // A member need not use all that its family has.
                let used: Vec<String> = laid.credential.iter().filter_map(|way| way.auth.server().map(str::to_owned)).collect();
                laid.server.retain(|name, _| own.contains(name) || used.contains(name));
                laid
            }
        };
        Ok(manifest)
    }

    /// The end of this version as a whole, where there is one.
    pub fn version_sunset(&self) -> Option<&Sunset> {
        self.sunset.iter().find(|sunset| sunset.what == Sunset::VERSION)
    }
}

/// Whether a value is the one that a manifest need not write.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// How ready a provider is.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The stage.
    pub availability: Availability,
    /// Environments of accounts in which it may be used: `test`, `prod`.
    pub environments: Vec<patchbay_model::Environment>,
}

/// The end of something. With `what = "version"`, from then on this version must not be used for new integrations; those that
/// pin it keep working as long as the provider lets them.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sunset {
    /// The first day of that, in UTC, such as `2027-01-31`, or the month (`2027-01`) where the vendor names no day.
    pub date: String,
    /// What ends: `version`, the dotted name of a fact, or `api.` and a name for a part of the API that is no fact here.
    #[serde(default = "Sunset::version")]
    pub what: String,
    /// Why.
    pub reason: String,
    /// What to use in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// Who says so.
    pub source: Source,
}

impl Sunset {
    /// `what` of the end of a version.
    pub const VERSION: &'static str = "version";

    fn version() -> String {
        Self::VERSION.to_owned()
    }

    /// The beginning of the day.
    pub fn from(&self) -> Option<Timestamp> {
        source::first_moment(&self.date)
    }
}

/// Stages of readiness (synqly-wire.md section 10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
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

/// One property of the configuration.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigProperty {
    /// Name on the wire.
    pub name: String,
    /// Label.
    pub title: String,
    /// What it is for, and what happens without it.
    pub description: String,
    /// Whether it must be given.
    #[serde(default, skip_serializing_if = "is_default")]
    pub required: bool,
    /// What holds where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Examples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Value>,
    /// What each value of an `enum` means, for templates: `{config.NAME.KEY}` (hosts by region, for example).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub means: BTreeMap<String, BTreeMap<String, String>>,
    /// Hosts that an address in it may have where client secrets follow it, or suffixes with a dot in front. Whoever fills in a configuration
    /// must not choose where the secret of a provider app goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// What the engine does with it, where that is more than to fill templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The rest of its JSON Schema (draft 2020-12).
    pub schema: Map<String, Value>,
}

/// What the engine does with a property.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// With `true`, certificates of the provider's own server are not verified.
    SkipTlsVerify,
}

impl ConfigProperty {
    /// Whether client secrets may follow this address out of it: always, where it names no hosts.
    pub fn allows(&self, address: &url::Url) -> bool {
        self.hosts.is_empty() || crate::declared::allowed(address, &self.hosts)
    }

    /// What holds where it is not given, wherever the manifest says it.
    pub fn fallback(&self) -> Option<&Value> {
        self.default.as_ref().or_else(|| self.schema.get("default"))
    }
}

/// Where the API's answers say what is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApiError {
    /// Where the word of an error stands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub code: Vec<answer::Pointer>,
    /// Where its explanation stands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<answer::Pointer>,
    /// The header that has the word, where bodies have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

/// How fast we may ask.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Most requests at once for one integration. None: the engine's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent: Option<u32>,
    /// Seconds to wait after a 429 that says nothing of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
    /// Requests within a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<Rate>,
    /// Status of an answer that says too many, where it is not 429 alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<u16>,
    /// Where the body of such an answer says how long to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_body: Option<answer::ExpiryPlace>,
    /// Headers in which the provider tells how much is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<RateHeaders>,
}

/// Requests within a time.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How many.
    pub requests: u64,
    /// Within so many seconds.
    pub seconds: u64,
}

/// Headers in which a provider tells how much is left.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RateHeaders {
    /// When to come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// How many are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<String>,
    /// When it begins anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset: Option<String>,
    /// In what that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_unit: Option<answer::ExpiryUnit>,
}

/// What is offered of one unified operation.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationFacts {
    /// Its name in the connector.
    pub name: String,
    /// Filters that the provider itself applies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FilterFacts>,
    /// Sort keys that the provider itself applies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<OrderFacts>,
    /// Fields without which the provider refuses, beyond what the connector requires.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_fields: Vec<String>,
    /// Fields that answers can have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_fields: Vec<String>,
}

/// A filter (synqly-wire.md section 10).
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
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
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderFacts {
    /// The unified field.
    pub name: String,
    /// `asc`, `desc`.
    pub directions: Vec<String>,
}

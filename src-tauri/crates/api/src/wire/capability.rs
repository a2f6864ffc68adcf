//! The catalogue on the wire (synqly-wire.md section 10): what forms are built from.
#![expect(missing_docs, reason = "fields are those of synqly-wire.md section 10")]

use patchbay_model::ProviderId;
use patchbay_model::connector::Connector as Category;
use patchbay_model::credential::CredentialKind;
use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

/// A unified API for a category of providers.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
#[ts(rename = "ConnectorRow")]
#[schemars(rename = "ConnectorRow")]
pub struct Connector {
    pub id: Category,
    pub name: Category,
    pub fullname: String,
    pub description: String,
    pub provider_ids: Vec<ProviderId>,
    /// Only with `expand=providers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub providers: Option<Vec<Provider>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub release: Option<Release>,
}

/// How far along it is.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Release {
    /// `internal`, `in-development`, `pre-release`, `deprecated` or `generally-available`.
    pub availability: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub environments: Option<Vec<patchbay_model::Environment>>,
}

/// A system that accounts can be connected with.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Provider {
    pub id: ProviderId,
    pub name: String,
    pub fullname: String,
    pub vendor: String,
    pub description: String,
    pub connector_id: Category,
    /// The id; the whole row with `expand=connector`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "Connector | ConnectorRow")]
    pub connector: Option<serde_json::Value>,
    /// Only with `expand=operations`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub operations: Option<Vec<ProviderOperation>>,
    /// JSON Schema of `provider_config`, credential included; only with `expand=provider_config`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub provider_config: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub release: Option<Release>,
    pub x_patchbay: ProviderExtra,
}

/// What is ours on a provider.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ProviderExtra {
    /// The version of the definition.
    pub version: String,
    pub docs_url: String,
    /// How it authenticates, in a word of the manifest.
    pub auth_type: String,
    /// Whether it stays inside Patchbay.
    pub mock: bool,
    /// The configuration without the credential, for forms; only with `expand=provider_config`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub config: Option<ConfigFacts>,
    /// The kinds of credential it takes, the usual one first; empty when it needs none.
    pub credentials: Vec<CredentialChoice>,
    /// How many facts its manifest claims.
    pub facts: usize,
    /// How many of them nobody stands behind yet.
    pub unverified: usize,
    /// Whether the version in force is a manifest of the organization's own (`manifests.list`).
    pub own: bool,
    /// What its manifest claims, and who says so; only with `expand=facts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub claims: Option<Vec<ProviderFact>>,
    /// What ends at the provider, and when.
    pub sunsets: Vec<SunsetFact>,
    /// How a person authorizes it, where that is possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub consent: Option<ConsentFacts>,
}

/// Something that is claimed of a provider.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ProviderFact {
    /// Its dotted name in the manifest, such as `server.main.pkce`.
    pub fact: String,
    /// What is claimed; absent for what an error means, which the manifest says in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub value: Option<serde_json::Value>,
    /// Who says so: an address, `observed: ` and where, or `unverified`; absent where the manifest names nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub source: Option<String>,
    /// Whether somebody stands behind it.
    pub verified: bool,
}

/// The end of something at a provider.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct SunsetFact {
    /// The first day of that, or the month where the vendor names no day.
    pub date: String,
    /// What ends: `version`, the dotted name of a fact, or `api.` and a name for a part of the API.
    pub what: String,
    /// Whether it has ended by now.
    pub ended: bool,
    pub reason: String,
    /// What to use in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub instead: Option<String>,
    /// Who says so.
    pub source: String,
}

/// The configuration of a provider, as a form shows it.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ConfigFacts {
    /// JSON Schema without `type` and `credential`.
    #[ts(type = "unknown")]
    pub schema: serde_json::Value,
    /// Names of the properties in the order of the form.
    pub order: Vec<String>,
}

/// One kind of credential that a provider takes.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct CredentialChoice {
    pub kind: CredentialKind,
    /// `type` on the wire; differs from the kind for `service_account`, which is sealed as `basic`.
    #[serde(rename = "type")]
    pub wire_type: String,
    pub title: String,
    /// How a person gets one.
    pub description: String,
    /// JSON Schema of its fields, `type` left out; secret fields are `writeOnly`.
    #[ts(type = "unknown")]
    pub schema: serde_json::Value,
}

/// How a person authorizes a provider.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ConsentFacts {
    /// Whether the organization must register its own client first.
    pub needs_provider_app: bool,
    /// Whether that client names its issuer.
    pub needs_issuer: bool,
    /// Whether the provider lets its page be shown in a window of the application.
    pub embedded_window: bool,
    /// Whether a loopback redirect URI may have any port; otherwise it must be registered exactly.
    pub loopback_any_port: bool,
    pub default_scopes: Vec<String>,
    /// Whether a code shown here can be entered on another device (RFC 8628).
    pub device: bool,
    /// What a refresh does to the refresh token: `none`, `rotates` or `unknown`.
    pub rotation: String,
    /// Whether Patchbay can end a grant at the provider; otherwise a person does, by the steps of the manifest.
    pub revocable: bool,
}

/// One operation of the connector, as this provider offers it.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ProviderOperation {
    pub id: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub fullname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub request_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub request_path: Option<String>,
    pub supported: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub required_fields: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub supported_response_fields: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub filters: Option<Vec<ProviderFilter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub orders: Option<Vec<ProviderOrder>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub request_body: Option<serde_json::Value>,
}

/// A field that an operation can filter by.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ProviderFilter {
    pub name: String,
    /// `string`, `datetime`, `enum`, `boolean` or `number`.
    #[serde(rename = "type")]
    pub kind: String,
    pub operators: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub values: Option<Vec<String>>,
}

/// A field that an operation can sort by.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ProviderOrder {
    pub name: String,
    pub directions: Vec<String>,
}

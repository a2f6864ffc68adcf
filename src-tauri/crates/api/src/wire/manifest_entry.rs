//! Manifests of an organization's own on the wire. They are ours, under `/v1/x/catalog`.
#![expect(missing_docs, reason = "what a member is says its type; the others have words")]

use patchbay_model::connector::Connector;
use patchbay_model::definition::DefinitionStatus;
use patchbay_model::{DefinitionId, ProviderId, Timestamp};
use patchbay_providers::manifest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Body of `manifests.check` and `manifests.add`.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestText {
    /// The manifest, as TOML.
    pub manifest: String,
}

/// What is to be said of a manifest before it is added.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ManifestCheck {
    /// Whether it can be added.
    pub good: bool,
    /// What is wrong, in the order of the lines.
    pub findings: Vec<ManifestFinding>,
    /// The provider, where it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub provider: Option<ProviderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub fullname: Option<String>,
    /// The version under which it would be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub version: Option<String>,
    /// The version that it takes the place of for new integrations; absent where the provider is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub overrides: Option<String>,
    /// What it says otherwise than that.
    pub differences: Vec<ManifestDifference>,
    /// Where secrets would go.
    pub destinations: Vec<ManifestDestination>,
    /// How many facts it claims.
    pub facts: usize,
    /// How many of them nobody stands behind.
    pub unverified: usize,
}

/// Something wrong in a manifest.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ManifestFinding {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The dotted name of where, if it is about a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub key: Option<String>,
    pub message: String,
}

/// Something that a manifest says otherwise than the one before it.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ManifestDifference {
    /// Its dotted name.
    pub fact: String,
    /// Absent where nothing was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub before: Option<serde_json::Value>,
    /// Absent where nothing is said any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub after: Option<serde_json::Value>,
}

/// A host to which something secret goes.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ManifestDestination {
    /// As the manifest says it: `slack.com`, or with what is filled in as `{config.url}`.
    pub host: String,
    /// Where a host that is filled in may lie, a suffix with a dot in front; empty: anywhere, or the host is written out.
    pub only: Vec<String>,
    /// `people`: passwords on its pages. `grants`: codes, client secrets, refresh tokens. `credentials`: the tokens and keys of calls.
    pub carries: Vec<String>,
    /// The dotted names of the facts that say so.
    pub facts: Vec<String>,
}

/// A manifest of the organization's own.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ManifestEntry {
    /// The id of the definition that it is.
    pub id: DefinitionId,
    pub provider: ProviderId,
    pub fullname: String,
    pub connector: Connector,
    /// What it says itself, the organization's mark, and a number.
    pub version: String,
    /// `active`: new integrations go by it. `deprecated`: a newer one does that. `withdrawn`: for new integrations it is no more.
    pub status: DefinitionStatus,
    /// Whether the program knows a provider of this id by itself.
    pub overrides: bool,
    /// Integrations within the caller's reach that pin it.
    pub integrations: u64,
    /// Where secrets go.
    pub destinations: Vec<ManifestDestination>,
    /// The text, as it was entered.
    pub manifest: String,
    pub created_at: Timestamp,
    /// When its status last changed.
    pub updated_at: Timestamp,
}

impl From<manifest::Finding> for ManifestFinding {
    fn from(finding: manifest::Finding) -> Self {
        Self { line: finding.line, column: finding.column, key: finding.key, message: finding.message }
    }
}

impl From<manifest::Difference> for ManifestDifference {
    fn from(difference: manifest::Difference) -> Self {
        Self { fact: difference.path, before: difference.before, after: difference.after }
    }
}

impl From<manifest::Destination> for ManifestDestination {
    fn from(destination: manifest::Destination) -> Self {
        let mut carries: Vec<_> = destination.uses.iter().map(|used| used.carries).collect();
        carries.sort_unstable();
        carries.dedup();
        Self {
            host: destination.host,
            only: destination.only,
            carries: carries.into_iter().map(|carries| carries.as_str().to_owned()).collect(),
            facts: destination.uses.into_iter().map(|used| used.fact).collect(),
        }
    }
}

//! Health, impact and export, ours alone.

use patchbay_model::ProviderId;
use patchbay_model::problem::Resource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::audit::Audit;
use super::integration::Integration;

/// What the first screen shows.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Overview {
    /// Accounts within reach.
    pub accounts: u64,
    /// Integration points.
    pub integration_points: u64,
    /// Integrations within reach.
    pub integrations: u64,
    /// Of the accounts, those for tests.
    pub test_accounts: u64,
    /// Members; absent for a caller that may not list them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub members: Option<u64>,
    /// Integrations by status; statuses without any are left out.
    pub by_status: Vec<Count>,
    /// Integrations by provider, the most used first.
    pub by_provider: Vec<ProviderCount>,
    /// Connector calls of the last hour.
    pub last_hour: CallCounts,
    /// Those that need a person, the latest first; at most 20.
    pub attention: Vec<Integration>,
    /// The latest audit events; at most 10, none for a caller that may not list them.
    pub recent: Vec<Audit>,
}

/// Connector calls in a stretch of time.
#[derive(Clone, Copy, Debug, Serialize, TS, JsonSchema)]
pub struct CallCounts {
    /// All of them.
    pub requests: u64,
    /// Those that ended in a problem.
    pub failed: u64,
}

/// How many of a kind.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Count {
    /// The kind: a status, or a noun such as `integration`.
    pub kind: String,
    /// How many.
    pub count: u64,
}

/// How many integrations with a provider.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ProviderCount {
    /// Which provider.
    pub provider: ProviderId,
    /// How many.
    pub count: u64,
}

/// What a delete takes with it, asked before it is done.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Impact {
    /// By kind: `integration`, `credential`, `token`.
    pub takes: Vec<Count>,
    /// What uses it and so forbids the delete; at most 100.
    pub used_by: Vec<Resource>,
    /// What stays and misses it; at most 100.
    pub affects: Vec<Resource>,
    /// How many integrations and tokens, of those that go or miss it, were used within the last 24 hours.
    pub used_today: u64,
}

/// Body of `configuration.export`.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct ExportConfiguration {
    /// `omitted` (the default) or `sealed`.
    #[ts(optional, type = "\"omitted\" | \"sealed\"")]
    #[schemars(regex(pattern = "^(omitted|sealed)$"))]
    pub secrets: Option<String>,
    /// An age recipient (`age1...`), for `sealed`.
    pub recipient: Option<String>,
}

/// Result of `configuration.export`.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ExportedConfiguration {
    /// A name to save it under.
    pub file_name: String,
    /// `patchbay.yaml`, version 1.
    pub content: String,
}

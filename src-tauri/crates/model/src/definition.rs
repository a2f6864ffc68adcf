//! Definitions: immutable, versioned metadata of a provider.

use serde::{Deserialize, Serialize};

use crate::{DefinitionId, ProviderId, Timestamp};

/// What may be done with a definition. Only this and `updated_at` ever change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DefinitionStatus {
    /// In use.
    Active,
    /// A newer version exists; integrations that pin this one keep working.
    Deprecated,
    /// Must not be used for new integrations.
    Withdrawn,
}

/// One version of one provider's metadata, a row of `integration_definitions`.
#[derive(Clone, PartialEq, Debug)]
pub struct Definition {
    /// Its id.
    pub id: DefinitionId,
    /// The provider's id; `name` in the table, with `version` unique in the store.
    pub provider: ProviderId,
    /// The connector's category; `type` in the table.
    pub connector: crate::connector::Connector,
    /// The manifest's version.
    pub version: String,
    /// How the provider authenticates, as the manifest says.
    pub auth_type: String,
    /// Where the vendor documents it.
    pub docs_url: String,
    /// JSON Schema of the configuration.
    pub config_schema: serde_json::Value,
    /// JSON Schema of the credentials.
    pub credentials_schema: serde_json::Value,
    /// What may be done with it.
    pub status: DefinitionStatus,
    /// When this version first came into the store.
    pub created_at: Timestamp,
    /// When its status last changed.
    pub updated_at: Timestamp,
}

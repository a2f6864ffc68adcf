//! Definitions and the versions of an integration on the wire. They are ours, under `/v1/x`.
#![expect(missing_docs, reason = "what a member is says its type; the others have words")]

use patchbay_model::connector::Connector;
use patchbay_model::definition::{self, DefinitionStatus};
use patchbay_model::{DefinitionId, ProviderId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use ts_rs::TS;

use super::problem::Problem;

/// One version of one provider's metadata: immutable but for its status.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Definition {
    pub id: DefinitionId,
    pub provider: ProviderId,
    /// The provider's name for people.
    pub provider_fullname: String,
    pub connector: Connector,
    pub version: String,
    /// The `type`s of the credentials accepted, joined by commas, or `none`.
    pub auth_type: String,
    pub docs_url: String,
    /// `active`: new integrations pin it. `deprecated`: a newer version exists. `withdrawn`: it must not be pinned anew.
    pub status: DefinitionStatus,
    /// JSON Schema (draft 2020-12) of an instance's configuration without `type` and `credential`: the provider's members, and
    /// `webhook_url` and `polling_interval`, which travel in `x_patchbay.config` of an integration.
    #[ts(type = "Record<string, unknown>")]
    pub config_schema: Value,
    /// JSON Schema of the credentials.
    #[ts(type = "Record<string, unknown>")]
    pub credentials_schema: Value,
    pub created_at: Timestamp,
    /// When its status last changed.
    pub updated_at: Timestamp,
    /// How many integrations within the caller's reach pin it.
    pub integrations: u64,
}

/// A version as far as a choice between versions needs it.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct DefinitionVersion {
    pub definition_id: DefinitionId,
    pub version: String,
    pub status: DefinitionStatus,
    pub created_at: Timestamp,
}

/// A version of an integration's provider.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct IntegrationVersion {
    pub definition_id: DefinitionId,
    pub version: String,
    pub status: DefinitionStatus,
    pub created_at: Timestamp,
    /// Whether the integration pins it.
    pub pinned: bool,
    /// Whether `integrations.rollback_version` brings the integration back to it.
    pub rollback: bool,
}

/// Body of `integrations.preview_version` and `integrations.set_version`: either `definition_id` or `version`.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct SetVersion {
    pub definition_id: Option<String>,
    pub version: Option<String>,
    /// The whole configuration then: members of the definition's `config_schema`. Where missing, the present one goes along,
    /// without members that the version does not know and with the defaults of new ones that must be given.
    #[ts(optional, type = "Record<string, unknown>")]
    pub config: Option<Map<String, Value>>,
    /// The `updated_at` that the move was prepared from; where the integration has changed since, it is refused with 409.
    pub expected_updated_at: Option<Timestamp>,
}

/// What a move to another version would be.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct VersionPreview {
    pub from: DefinitionVersion,
    pub to: DefinitionVersion,
    /// Whether it can be made.
    pub possible: bool,
    /// What forbids it, each as it would be answered.
    pub problems: Vec<Problem>,
    /// How the schema of the configuration differs.
    pub schema_changes: Vec<SchemaChange>,
    /// How the credentials that are taken differ.
    pub credential_changes: Vec<SchemaChange>,
    /// The configuration now, without `type` and `credential`.
    #[ts(type = "Record<string, unknown>")]
    pub config_before: Map<String, Value>,
    /// The configuration that the move would write.
    #[ts(type = "Record<string, unknown>")]
    pub config_after: Map<String, Value>,
}

/// How a member differs between two versions.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct SchemaChange {
    /// The member of the configuration, or the `type` of the credential.
    pub member: String,
    pub change: ChangeWord,
    /// Whether it had to be given.
    pub required_before: bool,
    /// Whether it must be given.
    pub required_after: bool,
    /// Its JSON Schema before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "Record<string, unknown>")]
    pub before: Option<Value>,
    /// Its JSON Schema afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "Record<string, unknown>")]
    pub after: Option<Value>,
}

/// What became of a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeWord {
    Added,
    Removed,
    Changed,
}

impl Definition {
    /// The view of a definition.
    pub fn view(definition: definition::Definition, provider_fullname: String, integrations: u64) -> Self {
        Self {
            id: definition.id,
            provider: definition.provider,
            provider_fullname,
            connector: definition.connector,
            version: definition.version,
            auth_type: definition.auth_type,
            docs_url: definition.docs_url,
            status: definition.status,
            config_schema: definition.config_schema,
            credentials_schema: definition.credentials_schema,
            created_at: definition.created_at,
            updated_at: definition.updated_at,
            integrations,
        }
    }
}

impl From<definition::Definition> for DefinitionVersion {
    fn from(definition: definition::Definition) -> Self {
        Self { definition_id: definition.id, version: definition.version, status: definition.status, created_at: definition.created_at }
    }
}

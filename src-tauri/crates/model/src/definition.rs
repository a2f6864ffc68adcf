//! Definitions: immutable, versioned metadata of a provider.

use serde::{Deserialize, Serialize};

use crate::{AccountId, DefinitionId, DefinitionMoveId, IntegrationId, MemberId, OrganizationId, ProviderId, Timestamp};

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
    /// Whose own it is; none: it came with the program and is open to every organization.
    pub organization: Option<OrganizationId>,
    /// The manifest as its organization entered it; none for those that came with the program.
    pub manifest: Option<String>,
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

impl Definition {
    /// The JSON Schema of one member of the configuration, where this version knows it.
    pub fn config_member(&self, member: &str) -> Option<&serde_json::Value> {
        self.config_schema.get("properties")?.get(member)
    }

    /// Members of the configuration, in the order of the schema.
    pub fn config_members(&self) -> impl Iterator<Item = (&str, &serde_json::Value)> {
        self.config_schema.get("properties").and_then(serde_json::Value::as_object).into_iter().flatten().map(|(member, schema)| (member.as_str(), schema))
    }

    /// Whether a member of the configuration must be given.
    pub fn config_requires(&self, member: &str) -> bool {
        let required = self.config_schema.get("required").and_then(serde_json::Value::as_array);
        required.is_some_and(|required| required.iter().any(|name| name == member))
    }

    /// The JSON Schemas of the credentials that this version takes, by their `type`; none where it needs no credential.
    pub fn credentials(&self) -> impl Iterator<Item = (&str, &serde_json::Value)> {
        let options = self.credentials_schema.get("oneOf").and_then(serde_json::Value::as_array);
        options.into_iter().flatten().filter_map(|option| Some((option.pointer("/properties/type/const")?.as_str()?, option)))
    }
}

/// One move of an integration between versions of its provider's definition.
#[derive(Clone, PartialEq, Debug)]
pub struct DefinitionMove {
    /// Its id.
    pub id: DefinitionMoveId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// In which account.
    pub account_id: AccountId,
    /// Of which integration.
    pub integration_id: IntegrationId,
    /// What was pinned before.
    pub from: DefinitionId,
    /// What was pinned then.
    pub to: DefinitionId,
    /// The configuration before.
    pub config_before: serde_json::Value,
    /// The configuration that the move wrote.
    pub config_after: serde_json::Value,
    /// Who moved it.
    pub member_id: MemberId,
    /// When.
    pub moved_at: Timestamp,
    /// When it was rolled back, if it was.
    pub rolled_back_at: Option<Timestamp>,
}

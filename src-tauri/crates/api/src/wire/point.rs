//! Integration points on the wire.
#![expect(missing_docs, reason = "fields are those of synqly-wire.md section 7")]

use patchbay_model::connector::Connector;
use patchbay_model::point::{self, AllowedProviders, PointPolicy};
use patchbay_model::schema::{NewFullname, NewName};
use patchbay_model::{Fullname, IntegrationPointId, Name, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One connector, the providers allowed per environment, and shared policy.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct IntegrationPoint {
    pub id: IntegrationPointId,
    pub name: Name,
    pub fullname: Fullname,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<String>,
    pub connector: Connector,
    pub environments: PointEnvironments,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub x_patchbay: Option<IntegrationPointExtra>,
}

/// What is ours on a point.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct IntegrationPointExtra {
    /// Shared configuration and scopes, per provider.
    pub policy: PointPolicy,
    /// How many integrations are under it; absent where it was not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub integrations: Option<u64>,
}

/// Provider ids per environment; `["*"]` allows all, an environment left out or empty allows none.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS, JsonSchema)]
// A misspelt environment would silently allow nothing.
#[serde(default, deny_unknown_fields)]
#[ts(optional_fields)]
pub struct PointEnvironments {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(regex(pattern = r"^(\*|[a-z0-9]*_[a-z0-9_]*)$")))]
    pub test: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(inner(regex(pattern = r"^(\*|[a-z0-9]*_[a-z0-9_]*)$")))]
    pub prod: Option<Vec<String>>,
}

/// Body of `integration_points.create`.
#[derive(Clone, Debug, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct CreateIntegrationPoint {
    #[schemars(with = "Option<NewName>")]
    pub name: Option<String>,
    #[schemars(with = "Option<NewFullname>")]
    pub fullname: Option<String>,
    #[schemars(length(max = 2000), regex(pattern = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"))]
    pub description: Option<String>,
    pub connector: Connector,
    #[serde(deserialize_with = "crate::request::object")]
    pub environments: PointEnvironments,
    /// Refused with 501 when not empty: there is no mapping yet.
    #[ts(optional, type = "Array<string>")]
    pub mappings: Option<Vec<serde_json::Value>>,
    /// Refused with 501 when not empty.
    #[ts(optional, type = "Array<unknown>")]
    pub additional_mappings: Option<Vec<serde_json::Value>>,
    /// Refused with 501 when not empty: there is no scheduler yet.
    #[ts(optional, type = "Array<unknown>")]
    pub scheduled_operations: Option<Vec<serde_json::Value>>,
    #[serde(default, deserialize_with = "crate::request::optional_object")]
    pub x_patchbay: Option<WriteIntegrationPointExtra>,
}

/// What of ours a point may be written with. Without it a PUT leaves it alone.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct WriteIntegrationPointExtra {
    /// Read on a PUT: the `updated_at` that the change was made from; where the object has changed since, the PUT is refused with 409.
    pub expected_updated_at: Option<Timestamp>,
    /// Shared configuration and scopes, per provider; the whole of it.
    #[serde(deserialize_with = "crate::request::optional_object")]
    pub policy: Option<PointPolicy>,
}

/// PUT of a point: the whole object; what is read-only in it is ignored.
pub type UpdateIntegrationPoint = CreateIntegrationPoint;

fn words(allowed: &AllowedProviders) -> Vec<String> {
    match allowed {
        AllowedProviders::All => vec!["*".to_owned()],
        AllowedProviders::These(providers) => providers.iter().map(ToString::to_string).collect(),
    }
}

impl IntegrationPoint {
    /// The view of a point; `integrations` is how many are under it, where that was counted.
    pub fn view(point: point::IntegrationPoint, integrations: Option<u64>) -> Self {
        Self {
            id: point.id,
            name: point.name,
            fullname: point.fullname,
            description: point.description,
            connector: point.connector,
            environments: PointEnvironments { test: point.environments.test.as_ref().map(words), prod: point.environments.prod.as_ref().map(words) },
            created_at: point.created_at,
            updated_at: point.updated_at,
            x_patchbay: Some(IntegrationPointExtra { policy: point.policy, integrations }),
        }
    }
}

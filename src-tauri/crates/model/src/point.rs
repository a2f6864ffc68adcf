//! Integration points: one connector, the providers allowed per environment, and shared policy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::connector::Connector;
use crate::{Environment, Fullname, IntegrationPointId, Name, OrganizationId, ProviderId, Timestamp};

/// Providers allowed in one environment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AllowedProviders {
    /// Every provider of the connector (`["*"]` on the wire).
    All,
    /// These alone; empty allows none.
    These(Vec<ProviderId>),
}

impl AllowedProviders {
    /// Whether `provider` may be used.
    pub fn allows(&self, provider: &ProviderId) -> bool {
        match self {
            Self::All => true,
            Self::These(providers) => providers.contains(provider),
        }
    }
}

impl Serialize for AllowedProviders {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => ["*"].serialize(serializer),
            Self::These(providers) => providers.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for AllowedProviders {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        if words.iter().any(|word| word == "*") {
            return Ok(Self::All);
        }
        words.into_iter().map(|word| ProviderId::parse(&word).map_err(serde::de::Error::custom)).collect::<Result<_, _>>().map(Self::These)
    }
}

/// Allowed providers per environment; an environment that is left out allows none (synqly-wire.md section 7).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PointEnvironments {
    /// For test accounts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub test: Option<AllowedProviders>,
    /// For production accounts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub prod: Option<AllowedProviders>,
}

/// What a point prescribes beyond the choice of providers: shared configuration, and the scopes that a consent asks.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, TS, schemars::JsonSchema)]
// A misspelt member would silently govern nothing.
#[serde(default, deny_unknown_fields)]
pub struct PointPolicy {
    /// Per provider, by its id.
    #[ts(as = "BTreeMap<String, ProviderPolicy>")]
    pub providers: BTreeMap<ProviderId, ProviderPolicy>,
}

/// What a point prescribes for one provider. Members are those of the configuration in the provider's definition,
/// `webhook_url` and `polling_interval` among them; never `type`, `credential` or a secret.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, TS, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ProviderPolicy {
    /// Members whose value every integration must have; filled in where left out, refused where different.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[ts(optional, type = "Record<string, unknown>")]
    pub locked: BTreeMap<String, Value>,
    /// Members that a new integration gets where it leaves them out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[ts(optional, type = "Record<string, unknown>")]
    pub defaults: BTreeMap<String, Value>,
    /// Scopes that a consent asks, in place of those of the provider app and the provider; empty leaves those.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub scopes: Vec<String>,
}

impl ProviderPolicy {
    /// Whether it prescribes nothing.
    pub fn is_empty(&self) -> bool {
        self.locked.is_empty() && self.defaults.is_empty() && self.scopes.is_empty()
    }
}

/// In what an integration contradicts its point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViolationReason {
    /// The point governs another connector.
    Connector,
    /// The provider is not allowed for accounts of this environment.
    ProviderNoLongerAllowed,
    /// A locked member of the configuration has another value, or is missing.
    LockedValueDiffers,
}

impl ViolationReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Connector, Self::ProviderNoLongerAllowed, Self::LockedValueDiffers];
}

/// One contradiction between an integration and its point.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, TS, schemars::JsonSchema)]
pub struct Violation {
    /// In what.
    pub reason: ViolationReason,
    /// The member of the configuration, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub member: Option<String>,
    /// The same in words, with what to do.
    pub message: String,
}

/// An integration point as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct IntegrationPoint {
    /// Its id.
    pub id: IntegrationPointId,
    /// Whose point.
    pub organization_id: OrganizationId,
    /// Its slug, unique in the organization.
    pub name: Name,
    /// Its name for people.
    pub fullname: Fullname,
    /// What it is for.
    pub description: Option<String>,
    /// The one connector that it governs.
    pub connector: Connector,
    /// Providers allowed.
    pub environments: PointEnvironments,
    /// Shared configuration and scopes.
    pub policy: PointPolicy,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl IntegrationPoint {
    /// Whether an account in `environment` may use `provider` under this point.
    pub fn allows(&self, environment: Environment, provider: &ProviderId) -> bool {
        let allowed = match environment {
            Environment::Test => &self.environments.test,
            Environment::Prod => &self.environments.prod,
        };
        allowed.as_ref().is_some_and(|allowed| allowed.allows(provider))
    }

    /// What the point prescribes for a provider, where it does.
    pub fn policy_of(&self, provider: &ProviderId) -> Option<&ProviderPolicy> {
        self.policy.providers.get(provider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_left_out_or_empty_allows_none() {
        let environments: PointEnvironments = serde_json::from_str(r#"{"prod":[],"test":["*"]}"#).unwrap();
        assert_eq!(environments.test, Some(AllowedProviders::All));
        assert!(!environments.prod.unwrap().allows(&ProviderId::parse("ticketing_jira").unwrap()));
    }
}

//! Integration points: one connector, the providers allowed per environment, and shared policy.

use serde::{Deserialize, Serialize};

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

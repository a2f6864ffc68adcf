//! Which objects a permission set applies to (synqly-wire.md section 6): the whole `resources` of a role or token.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::connector::Connector;
use crate::{AccountId, Environment, Label, OrganizationId};

/// Which objects a permission set applies to. Every part that is given must hold; what is left out is not narrowed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceScope {
    /// Organizations; nothing means the token's own, which is the only one that there can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organizations: Option<OrganizationSelector>,
    /// Accounts; nothing means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<AccountSelector>,
    /// Integrations; nothing means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrations: Option<IntegrationSelector>,
}

/// A choice of organizations.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct OrganizationSelector {
    /// Ids; `*` means all, none at all means nothing.
    pub ids: Vec<IdOrAll<OrganizationId>>,
}

/// A choice of accounts; each part that is given must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountSelector {
    /// Ids; `*` means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<IdOrAll>>,
    /// Labels, of which the account has at least one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<Label>>,
    /// Environments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environments: Option<Vec<Environment>>,
}

/// A choice of integrations by their category.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct IntegrationSelector {
    /// Ids of connectors; `*` means all, none at all means nothing.
    pub categories: Vec<IdOrAll<Connector>>,
}

/// One of a kind by its id, or all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdOrAll<T = AccountId> {
    /// `*` on the wire.
    All,
    /// This one.
    Id(T),
}

impl<T: Serialize> Serialize for IdOrAll<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("*"),
            Self::Id(id) => id.serialize(serializer),
        }
    }
}

impl<'de, T: FromStr> Deserialize<'de> for IdOrAll<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "*" { Ok(Self::All) } else { text.parse().map(Self::Id).map_err(|_| serde::de::Error::custom("an id must be given, or `*`")) }
    }
}

fn chosen<T: PartialEq + Copy>(choice: &[IdOrAll<T>], one: T) -> bool {
    choice.iter().any(|item| matches!(item, IdOrAll::All) || *item == IdOrAll::Id(one))
}

impl ResourceScope {
    /// Whether the organization is chosen at all: where it is not, nothing of it is.
    pub fn covers_organization(&self, id: OrganizationId) -> bool {
        self.organizations.as_ref().is_none_or(|organizations| chosen(&organizations.ids, id))
    }

    /// Whether an account is chosen.
    pub fn covers_account(&self, account: &Account) -> bool {
        self.covers_organization(account.organization_id) && self.accounts.as_ref().is_none_or(|accounts| accounts.covers(account.id, &account.labels, account.environment))
    }

    /// Whether integrations of a category are chosen.
    pub fn covers_category(&self, category: Connector) -> bool {
        self.integrations.as_ref().is_none_or(|integrations| chosen(&integrations.categories, category))
    }

    /// Whether any account is left out.
    pub fn narrows_accounts(&self) -> bool {
        self.accounts.as_ref().is_some_and(|accounts| !accounts.is_everything())
    }

    /// Whether any category is left out.
    pub fn narrows_categories(&self) -> bool {
        self.integrations.as_ref().is_some_and(|integrations| !integrations.categories.contains(&IdOrAll::All))
    }

    /// Whether anything of the organization is left out.
    pub fn is_narrowed(&self) -> bool {
        self.narrows_accounts() || self.narrows_categories()
    }
}

impl AccountSelector {
    /// Whether an account with these marks is chosen.
    pub fn covers(&self, id: AccountId, labels: &[Label], environment: Environment) -> bool {
        let by_id = self.ids.as_ref().is_none_or(|ids| chosen(ids, id));
        let by_label = self.labels.as_ref().is_none_or(|wanted| wanted.iter().any(|label| labels.contains(label)));
        let by_environment = self.environments.as_ref().is_none_or(|wanted| wanted.contains(&environment));
        by_id && by_label && by_environment
    }

    /// Whether no account is left out.
    pub fn is_everything(&self) -> bool {
        self.labels.is_none() && self.environments.is_none() && self.ids.as_ref().is_none_or(|ids| ids.contains(&IdOrAll::All))
    }

    /// The only account that can be covered, when ids name exactly one.
    pub fn single_account(&self) -> Option<AccountId> {
        match self.ids.as_deref() {
            Some([IdOrAll::Id(id)]) => Some(*id),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_before_the_scope_was_whole_is_still_read() {
        let old: ResourceScope = serde_json::from_str(r#"{"accounts":{"ids":["*"]}}"#).unwrap();
        assert!(!old.is_narrowed());
        let whole = r#"{"organizations":{"ids":["*"]},"accounts":{"ids":["0198c0de-0000-7000-8000-000000000001"],"labels":["gold"]},"integrations":{"categories":["ticketing"]}}"#;
        let scope: ResourceScope = serde_json::from_str(whole).unwrap();
        assert_eq!(serde_json::to_string(&scope).unwrap(), whole);
        assert!(scope.narrows_accounts() && scope.narrows_categories());
        assert!(scope.covers_category(Connector::Ticketing) && !scope.covers_category(Connector::Identity));
        assert!(serde_json::from_str::<ResourceScope>(r#"{"integrations":{"categories":["telepathy"]}}"#).is_err());
    }

    #[test]
    fn an_empty_choice_chooses_nothing() {
        let none = ResourceScope { integrations: Some(IntegrationSelector::default()), organizations: Some(OrganizationSelector::default()), ..ResourceScope::default() };
        assert!(none.is_narrowed());
        assert!(!none.covers_category(Connector::Ticketing) && !none.covers_organization(OrganizationId::from_uuid(uuid::Uuid::from_u128(1))));
    }
}

//! Permission sets, roles and resource scopes (synqly-wire.md section 6).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AccountId, Environment, Label, Problem};

/// A named set of operations. Which operations each covers stands in the engine's reviewed table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PermissionSet {
    /// Everything.
    Administrator,
    /// Lists and reads.
    Viewer,
    /// Viewer, and create, update, verify accounts, integrations, credentials.
    Member,
    /// The same within its accounts, and their tokens.
    AccountManager,
    /// Points and capabilities read, integrations and credentials of its account.
    ConnectUi,
    /// Mints integration tokens only.
    TokenIssuer,
    /// Accounts and their first token.
    AccountProvisioner,
}

impl PermissionSet {
    /// Every set.
    pub const ALL: [Self; 7] = [Self::Administrator, Self::Viewer, Self::Member, Self::AccountManager, Self::ConnectUi, Self::TokenIssuer, Self::AccountProvisioner];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::AccountManager => "account-manager",
            Self::ConnectUi => "connect-ui",
            Self::TokenIssuer => "token-issuer",
            Self::AccountProvisioner => "account-provisioner",
        }
    }
}

/// Name of a role: one of the four that are built in, or one of the organization's own.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS)]
#[serde(transparent)]
#[ts(type = "string")]
pub struct RoleName(String);

impl RoleName {
    /// Built in: everything, and cannot be taken from the last member who has it.
    pub const ROOT_ADMINISTRATOR: &'static str = "root_administrator";

    /// Reads a role's name.
    ///
    /// # Errors
    /// `invalid_field` when it has not the shape of a name.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        crate::Name::parse(text).map(|name| Self(name.to_string())).map_err(|_| {
            Problem::field(
                "/role_binding",
                format!("`{}` is not the name of a role. Use root_administrator, administrator, viewer or member.", text.chars().take(60).collect::<String>()),
            )
        })
    }

    /// A built-in role.
    pub fn builtin(set: PermissionSet) -> Self {
        Self(set.as_str().to_owned())
    }

    /// The built-in role of the first member.
    pub fn root_administrator() -> Self {
        Self(Self::ROOT_ADMINISTRATOR.to_owned())
    }

    /// The permission set of a built-in role; nothing for the organization's own roles.
    pub fn builtin_permission_set(&self) -> Option<PermissionSet> {
        match self.0.as_str() {
            Self::ROOT_ADMINISTRATOR | "administrator" => Some(PermissionSet::Administrator),
            "viewer" => Some(PermissionSet::Viewer),
            "member" => Some(PermissionSet::Member),
            _ => None,
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A role of the organization's own, as stored. The built-in ones are not rows.
#[derive(Clone, PartialEq, Debug)]
pub struct Role {
    /// Its id.
    pub id: crate::RoleId,
    /// Whose role.
    pub organization_id: crate::OrganizationId,
    /// Its name, unique in the organization.
    pub name: RoleName,
    /// Its name for people.
    pub fullname: crate::Fullname,
    /// What it is for.
    pub description: Option<String>,
    /// On which objects.
    pub resources: ResourceScope,
    /// Which operations.
    pub permission_set: PermissionSet,
    /// When it was made.
    pub created_at: crate::Timestamp,
    /// When it was last changed.
    pub updated_at: crate::Timestamp,
}

/// Which objects a permission set applies to. What is left out is not narrowed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceScope {
    /// Accounts; nothing means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<AccountSelector>,
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

/// An account's id, or all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdOrAll {
    /// `*` on the wire.
    All,
    /// This one.
    Id(AccountId),
}

impl Serialize for IdOrAll {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("*"),
            Self::Id(id) => id.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for IdOrAll {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "*" { Ok(Self::All) } else { text.parse().map(Self::Id).map_err(|_| serde::de::Error::custom("an account id must be a UUID or `*`")) }
    }
}

impl AccountSelector {
    /// Whether an account with these marks is chosen.
    pub fn covers(&self, id: AccountId, labels: &[Label], environment: Environment) -> bool {
        let by_id = self.ids.as_ref().is_none_or(|ids| ids.iter().any(|chosen| matches!(chosen, IdOrAll::All) || *chosen == IdOrAll::Id(id)));
        let by_label = self.labels.as_ref().is_none_or(|wanted| wanted.iter().any(|label| labels.contains(label)));
        let by_environment = self.environments.as_ref().is_none_or(|wanted| wanted.contains(&environment));
        by_id && by_label && by_environment
    }

    /// The only account that can be covered, when ids name exactly one.
    pub fn single_account(&self) -> Option<AccountId> {
        match self.ids.as_deref() {
            Some([IdOrAll::Id(id)]) => Some(*id),
            _ => None,
        }
    }
}

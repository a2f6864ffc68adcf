//! Permission sets, roles and resource scopes (synqly-wire.md section 6).

mod resources;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use resources::{AccountSelector, IdOrAll, IntegrationSelector, OrganizationSelector, ResourceScope};

use crate::Problem;

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

    /// When to use it, in words.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Administrator => "Everything. For those who run the organization.",
            Self::Viewer => "Lists and reads everything, and changes nothing. For support and auditors.",
            Self::Member => "Reads everything; creates, changes and tests accounts, integrations and credentials. For those who connect customers.",
            Self::AccountManager => "Everything within its accounts but their deletion, their tokens among it. For a program that serves some customers.",
            Self::ConnectUi => "Reads integration points and the catalog; connects and disconnects integrations of its account. For a page that a customer sees.",
            Self::TokenIssuer => "Mints tokens of integrations and does nothing else. For a program that hands them to others.",
            Self::AccountProvisioner => "Makes accounts and hands out their first token. For a program that signs customers up.",
        }
    }

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

    /// A name that was read as any other object's.
    pub fn from_name(name: &crate::Name) -> Self {
        Self(name.as_str().to_owned())
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The roles that every organization has from its beginning: name, name for people, permission set, what it is for. They are
/// rows like any other, so that lists hold them; what they allow stands in the code ([`RoleName::builtin_permission_set`]).
pub const BUILTIN_ROLES: [(&str, &str, PermissionSet, &str); 4] = [
    (RoleName::ROOT_ADMINISTRATOR, "Root administrator", PermissionSet::Administrator, "Everything. The organization always keeps one member with this role."),
    ("administrator", "Administrator", PermissionSet::Administrator, "Everything. For those who run the organization from day to day."),
    ("viewer", "Viewer", PermissionSet::Viewer, "Lists and reads everything, and changes nothing. For support and auditors."),
    ("member", "Member", PermissionSet::Member, "Reads everything; creates, changes and tests accounts, integrations and credentials. For those who connect customers."),
];

/// The id of a built-in role of an organization, by its place in [`BUILTIN_ROLES`]: the organization's, made a UUID of
/// version 8 (RFC 9562 section 5.8) with the place behind the version. The migration that brought these rows does the same.
pub fn builtin_role_id(organization: crate::OrganizationId, place: u8) -> crate::RoleId {
    let mut bytes = organization.uuid().into_bytes();
    bytes[6] = 0x80 | (place & 0x0f);
    crate::RoleId::from_uuid(uuid::Uuid::from_bytes(bytes))
}

/// A role as stored: a built-in one, or one of the organization's own.
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

impl Role {
    /// Whether every organization has it and nobody can change it.
    pub fn is_builtin(&self) -> bool {
        self.name.builtin_permission_set().is_some()
    }
}

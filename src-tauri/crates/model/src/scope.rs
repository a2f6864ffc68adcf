//! Whose data a transaction may touch, and from where a change came.

use serde::{Deserialize, Serialize};

use crate::{AccountId, OrganizationId};

/// What a transaction on the store may see. The store binds it into every query on tenant data; on PostgreSQL it is also
/// what row-level security compares with. There is no "everything": a system scope sees only rows that belong to no
/// organization (the store's own header, lookups of token hashes).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// All of one organization.
    Organization(OrganizationId),
    /// One account of one organization.
    Account(OrganizationId, AccountId),
    /// No tenant: opening the store, finding whose token a hash is.
    System,
}

impl Scope {
    /// The organization, unless this is the system scope.
    pub fn organization(self) -> Option<OrganizationId> {
        match self {
            Self::Organization(organization) | Self::Account(organization, _) => Some(organization),
            Self::System => None,
        }
    }

    /// The single account that is visible, if the scope is that narrow.
    pub fn account(self) -> Option<AccountId> {
        match self {
            Self::Account(_, account) => Some(account),
            Self::Organization(_) | Self::System => None,
        }
    }
}

/// From where a change came; kept with the change and the audit row so that a window recognises its own echo.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The desktop application's window.
    Desktop,
    /// The web interface of `serve`.
    Web,
    /// A program on `/v1`.
    Api,
    /// The command line.
    Cli,
    /// Patchbay itself: refresh, expiry, clean-up.
    Background,
}

impl Origin {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Web => "web",
            Self::Api => "api",
            Self::Cli => "cli",
            Self::Background => "background",
        }
    }
}

impl std::str::FromStr for Origin {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "desktop" => Self::Desktop,
            "web" => Self::Web,
            "api" => Self::Api,
            "cli" => Self::Cli,
            "background" => Self::Background,
            _ => return Err(()),
        })
    }
}

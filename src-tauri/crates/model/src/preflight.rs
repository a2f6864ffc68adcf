//! What is found out of a provider app without a person: row by row, and honestly where nothing can be told.

use serde::{Deserialize, Serialize};

use crate::flight::Explanation;
use crate::{OrganizationId, ProviderAppId, Timestamp};

/// What is tested.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// Whether the provider answers, and describes itself where it does that.
    Reached,
    /// Whether it takes the client id and what proves it.
    Client,
    /// Whether it takes a redirect URI.
    RedirectUri,
    /// Whether it takes the scopes.
    Scopes,
}

impl CheckKind {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Client => "client",
            Self::RedirectUri => "redirect_uri",
            Self::Scopes => "scopes",
        }
    }
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CheckOutcome {
    /// The provider takes it.
    Good,
    /// It does not: what that means, and what to change.
    Bad(Box<Explanation>),
    /// Nobody knows.
    CannotTell {
        /// Why.
        why: String,
    },
}

/// The same as a word, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckWord {
    /// The provider takes it.
    Good,
    /// Nobody knows.
    CannotTell,
    /// The provider does not take it.
    Bad,
}

impl CheckWord {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::CannotTell => "cannot_tell",
            Self::Bad => "bad",
        }
    }
}

impl CheckOutcome {
    /// Its word.
    pub const fn word(&self) -> CheckWord {
        match self {
            Self::Good => CheckWord::Good,
            Self::Bad(_) => CheckWord::Bad,
            Self::CannotTell { .. } => CheckWord::CannotTell,
        }
    }
}

/// One test of a provider app.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppCheck {
    /// What was tested.
    pub kind: CheckKind,
    /// Which one, where there are several: the redirect URI.
    pub subject: String,
    /// When.
    pub at: Timestamp,
    /// What was found.
    pub outcome: CheckOutcome,
}

/// A provider app that is to be tested.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DueApp {
    /// Whose.
    pub organization_id: OrganizationId,
    /// Which.
    pub id: ProviderAppId,
    /// Since when; none for one that nobody has thought of yet.
    pub due: Option<Timestamp>,
}

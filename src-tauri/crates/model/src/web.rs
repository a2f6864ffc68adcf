//! Signed-in browsers, and the one-time links by which persons come in the first time.

use serde::{Deserialize, Serialize};

use crate::token::Authority;
use crate::{MemberId, OrganizationId, Timestamp, TokenId, WebSessionId};

/// A signed-in browser, as stored. The handle in its cookie is kept as a keyed hash.
#[derive(Clone, PartialEq, Debug)]
pub struct WebSession {
    /// Its id.
    pub id: WebSessionId,
    /// In which organization.
    pub organization_id: OrganizationId,
    /// Who.
    pub member_id: MemberId,
    /// The token container that was exchanged for it; its death ends the session.
    pub token_id: Option<TokenId>,
    /// What it may do.
    pub authority: Authority,
    /// What the browser calls itself.
    pub user_agent: String,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last used; written with a delay.
    pub last_seen_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a one-time link is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    /// First sign-in of the member that `init` made.
    Setup,
    /// An invited member chooses a password.
    Invitation,
    /// A member chooses a new password.
    Reset,
}

impl LinkPurpose {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Invitation => "invitation",
            Self::Reset => "reset",
        }
    }
}

/// A one-time link, as stored. Its secret is kept as a keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OneTimeLink {
    /// In which organization.
    pub organization_id: OrganizationId,
    /// For whom.
    pub member_id: MemberId,
    /// What for.
    pub purpose: LinkPurpose,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

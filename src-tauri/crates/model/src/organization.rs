//! The organization: root container of everything and boundary of governance.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Fullname, Name, OrganizationId, Timestamp, TokenId};

/// An organization as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its slug, unique in the store.
    pub name: Name,
    /// Its name for people.
    pub fullname: Fullname,
    /// The container of the organization's first token.
    pub refresh_token_id: TokenId,
    /// E-mail address of whom to ask.
    pub contact: Option<String>,
    /// E-mail address for answers to our mails.
    pub reply_to: Option<String>,
    /// URL of a logo.
    pub picture: Option<String>,
    /// Policy for members.
    pub options: OrganizationOptions,
    /// Whether a sample, filled with believable data on mock providers.
    pub sample: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The organization's policy for members; lifetimes on the wire as `24h`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OrganizationOptions {
    /// How long an invitation holds.
    pub invite_duration: Option<Duration>,
    /// How long a reset link holds.
    pub forgot_duration: Option<Duration>,
    /// After what time a password must be changed.
    pub password_duration: Option<Duration>,
    /// Fewest characters of a password; never below 8.
    pub minimum_password_length: Option<u32>,
}

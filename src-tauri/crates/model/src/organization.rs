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

const DAY: u64 = 86_400;

/// Where the organization says nothing, the wire's documented values hold (`OrganizationOptions` of the SDK).
impl OrganizationOptions {
    /// How long an invitation holds: 7 days where nothing is said.
    pub fn invitation_lasts(&self) -> Duration {
        self.invite_duration.unwrap_or(Duration::from_secs(7 * DAY))
    }

    /// How long a reset link holds: 24 hours where nothing is said.
    pub fn reset_lasts(&self) -> Duration {
        self.forgot_duration.unwrap_or(Duration::from_secs(DAY))
    }

    /// After what time a password must be changed: 180 days where nothing is said.
    pub fn password_lasts(&self) -> Duration {
        self.password_duration.unwrap_or(Duration::from_secs(180 * DAY))
    }
}

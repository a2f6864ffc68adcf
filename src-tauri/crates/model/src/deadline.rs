//! Clocks: when something ends by itself, and who has to act before. A deadline is a clock, or another end that is known
//! ahead (a version's sunset, a member's last day), with its object and the next step in words.

use serde::{Deserialize, Serialize};

use crate::{AccountId, CredentialId, IntegrationId, OrganizationId, ProviderAppId, ProviderId, Timestamp};

/// The name of the token that every set has; sets of some providers have more (`user`).
pub const MAIN_TOKEN: &str = "main";

/// Whose clock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ClockOwner {
    /// A credential: what was entered, or what a person authorized.
    Credential(CredentialId),
    /// A provider app.
    ProviderApp(ProviderAppId),
}

impl ClockOwner {
    /// The word as stored.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Credential(_) => "credential",
            Self::ProviderApp(_) => "provider_app",
        }
    }

    /// Its id.
    pub const fn uuid(self) -> uuid::Uuid {
        match self {
            Self::Credential(id) => id.uuid(),
            Self::ProviderApp(id) => id.uuid(),
        }
    }
}

/// What runs out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// An access token; a refresh token renews it.
    Access,
    /// A refresh token that is not used until then.
    RefreshIdle,
    /// A grant, however much it is used: a person has to agree anew.
    RefreshAbsolute,
    /// A secret that somebody entered.
    Secret,
    /// A certificate.
    Certificate,
    /// A key.
    Key,
    /// A token that is said never to end: when it is next asked whether that holds.
    NonexpiringProbe,
}

impl ClockKind {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::RefreshIdle => "refresh_idle",
            Self::RefreshAbsolute => "refresh_absolute",
            Self::Secret => "secret",
            Self::Certificate => "certificate",
            Self::Key => "key",
            Self::NonexpiringProbe => "nonexpiring_probe",
        }
    }
}

/// One clock of an owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clock {
    /// Of which token of a set; [`MAIN_TOKEN`] where there is but one.
    pub token: String,
    /// What runs out.
    pub kind: ClockKind,
    /// When.
    pub at: Timestamp,
    /// When Patchbay renews it by itself; none where it does not, or only when it is used.
    pub renew_at: Option<Timestamp>,
}

impl Clock {
    /// A clock of the only token, which nobody renews by itself.
    pub fn of(kind: ClockKind, at: Timestamp) -> Self {
        Self { token: MAIN_TOKEN.to_owned(), kind, at, renew_at: None }
    }
}

/// A clock whose renewal is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DueClock {
    /// Whose organization.
    pub organization_id: OrganizationId,
    /// In which account, if in one.
    pub account_id: Option<AccountId>,
    /// Whose clock.
    pub owner: ClockOwner,
    /// The clock.
    pub clock: Clock,
}

/// What ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineKind {
    /// An access token at a provider, which Patchbay renews.
    Access,
    /// A refresh token at a provider that is not used until then.
    RefreshIdle,
    /// What a person authorized: that person has to agree anew.
    RefreshAbsolute,
    /// A secret that was entered: of a credential or of a provider app.
    Secret,
    /// A certificate.
    Certificate,
    /// A key.
    Key,
    /// A token without a known end, which is tried then.
    NonexpiringProbe,
    /// A token of Patchbay's own that cannot be refreshed.
    Token,
    /// A member's time in the organization.
    Member,
    /// Something that a provider takes away.
    Sunset,
}

impl DeadlineKind {
    /// Every kind.
    pub const ALL: [Self; 10] =
        [Self::Access, Self::RefreshIdle, Self::RefreshAbsolute, Self::Secret, Self::Certificate, Self::Key, Self::NonexpiringProbe, Self::Token, Self::Member, Self::Sunset];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::RefreshIdle => "refresh_idle",
            Self::RefreshAbsolute => "refresh_absolute",
            Self::Secret => "secret",
            Self::Certificate => "certificate",
            Self::Key => "key",
            Self::NonexpiringProbe => "nonexpiring_probe",
            Self::Token => "token",
            Self::Member => "member",
            Self::Sunset => "sunset",
        }
    }

    /// Reads the word of [`Self::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The clock that makes such deadlines; none for those that other rows tell.
    pub const fn clock(self) -> Option<ClockKind> {
        Some(match self {
            Self::Access => ClockKind::Access,
            Self::RefreshIdle => ClockKind::RefreshIdle,
            Self::RefreshAbsolute => ClockKind::RefreshAbsolute,
            Self::Secret => ClockKind::Secret,
            Self::Certificate => ClockKind::Certificate,
            Self::Key => ClockKind::Key,
            Self::NonexpiringProbe => ClockKind::NonexpiringProbe,
            Self::Token | Self::Member | Self::Sunset => return None,
        })
    }
}

impl From<ClockKind> for DeadlineKind {
    fn from(kind: ClockKind) -> Self {
        match kind {
            ClockKind::Access => Self::Access,
            ClockKind::RefreshIdle => Self::RefreshIdle,
            ClockKind::RefreshAbsolute => Self::RefreshAbsolute,
            ClockKind::Secret => Self::Secret,
            ClockKind::Certificate => Self::Certificate,
            ClockKind::Key => Self::Key,
            ClockKind::NonexpiringProbe => Self::NonexpiringProbe,
        }
    }
}

/// Who has to do something before a deadline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A person.
    Person,
    /// Patchbay, by itself.
    Patchbay,
}

/// What a deadline is of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadlineObject {
    /// Its noun: `credential`, `provider_app`, `member`, `token`, `provider`.
    pub noun: &'static str,
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The customer that it belongs to, if to one.
    pub account: Option<(AccountId, String)>,
    /// The integration that it belongs to, if to one.
    pub integration: Option<(IntegrationId, String)>,
    /// At which provider, if at one.
    pub provider: Option<ProviderId>,
}

/// Something that ends by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deadline {
    /// The same for the same clock at every reading: for calendars, which recognise an event by it.
    pub id: String,
    /// What ends.
    pub kind: DeadlineKind,
    /// What ends, in words.
    pub what: String,
    /// Of what.
    pub object: DeadlineObject,
    /// When. A past one is overdue.
    pub at: Timestamp,
    /// When Patchbay acts, where it does so before the end.
    pub renew_at: Option<Timestamp>,
    /// Who has to act.
    pub who: Actor,
    /// What is to be done, in words.
    pub next_step: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for kind in DeadlineKind::ALL {
            assert_eq!(DeadlineKind::from_word(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            if let Some(clock) = kind.clock() {
                assert_eq!((clock.as_str(), DeadlineKind::from(clock)), (kind.as_str(), kind));
                assert_eq!(serde_json::to_value(clock).unwrap(), clock.as_str());
            }
        }
        assert_eq!(DeadlineKind::from_word("pause"), None);
    }
}

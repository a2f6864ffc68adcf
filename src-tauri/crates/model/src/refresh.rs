//! The renewal of a credential's tokens as a machine of states. What is stored follows from a state and the steps that led
//! there; a state that was left is consumed, so nobody goes on from it twice.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::Timestamp;
use crate::deadline::MAIN_TOKEN;

/// A token as the journal knows it: a keyed hash.
pub type Fp = [u8; 32];

/// Of a token that was sent by a server of the release before, which did not say which one.
pub const UNKNOWN: Fp = [0; 32];

/// Why tokens are renewed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefreshReason {
    /// Two thirds of the access token's life are over.
    Due,
    /// The provider refused the access token before its end.
    Refused,
}

/// One intended request to a token endpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// Its id; it goes with the request.
    pub id: Uuid,
    /// The process that makes it.
    pub owner: String,
    /// Until when nobody else may, whatever became of the owner.
    pub until: Timestamp,
    /// Whether the owner's death would be seen at once.
    pub witnessed: bool,
    /// Since when the owner seems dead.
    pub gone: Option<Timestamp>,
    /// The refresh token that is sent.
    pub fp: Fp,
    /// How often this token was or may have been sent without an outcome, this attempt among them.
    pub sends: u32,
    /// When the first of these attempts began.
    pub first_sent_at: Timestamp,
    /// When the row was last written.
    pub since: Timestamp,
    /// Why.
    pub reason: RefreshReason,
}

/// How far the renewal of a credential is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Flight {
    /// Nothing is under way, and the set in force has worked.
    Idle,
    /// A request may be on its way.
    Sending(Attempt),
    /// A request may have been sent, and its outcome will not be known.
    Doubt(Attempt),
    /// The set in force was never used; the one before is kept.
    Unproven {
        /// The attempt that brought it.
        attempt: Uuid,
        /// Since when.
        since: Timestamp,
    },
}

impl Flight {
    /// Begins an attempt. `new` says nothing of earlier ones: what is known of them is added here. None while a request may be
    /// on its way.
    pub fn begin(self, new: Attempt) -> Option<Attempt> {
        match self {
            Self::Idle | Self::Unproven { .. } => Some(new),
            Self::Doubt(before) if before.fp == new.fp || before.fp == UNKNOWN => {
                Some(Attempt { sends: before.sends.saturating_add(new.sends), first_sent_at: before.first_sent_at, ..new })
            }
            // Another token than the doubtful one is in force: nothing is known against it.
            Self::Doubt(_) => Some(new),
            Self::Sending(_) => None,
        }
    }
}

impl Attempt {
    /// The answer brought tokens, which are in force from now on.
    pub fn granted(self, now: Timestamp) -> Flight {
        Flight::Unproven { attempt: self.id, since: now }
    }

    /// The provider certainly changed nothing. That tells nothing about an earlier request whose answer was lost.
    pub fn unchanged(self) -> Flight {
        if self.sends > 1 { Flight::Doubt(Self { sends: self.sends - 1, ..self }) } else { Flight::Idle }
    }

    /// No answer came.
    pub fn lost(self) -> Flight {
        Flight::Doubt(self)
    }

    /// The provider refuses the token for good.
    pub fn dead(self) -> Flight {
        Flight::Idle
    }
}

/// What happened in an attempt, or to a credential's tokens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefreshStep {
    /// It was written down that a request would be sent.
    Intent,
    /// The request was handed to the network.
    Sent,
    /// Its answer brought tokens.
    Granted,
    /// They are in force.
    Activated,
    /// They worked.
    Proven,
    /// The provider changed nothing, or nothing was sent.
    Unchanged,
    /// No answer came.
    Lost,
    /// The provider refuses the token for good.
    Dead,
    /// The process that had sent is dead, and another went on.
    TakenOver,
    /// Other tokens had come into force meanwhile; they are used.
    RaceFound,
    /// The provider was asked whether the token is alive.
    Introspected,
    /// A person has to connect again.
    Attention,
    /// A person connected again.
    Reconnected,
    /// The access was taken back.
    Revoked,
}

impl RefreshStep {
    /// The word, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Sent => "sent",
            Self::Granted => "granted",
            Self::Activated => "activated",
            Self::Proven => "proven",
            Self::Unchanged => "unchanged",
            Self::Lost => "lost",
            Self::Dead => "dead",
            Self::TakenOver => "taken_over",
            Self::RaceFound => "race_found",
            Self::Introspected => "introspected",
            Self::Attention => "attention",
            Self::Reconnected => "reconnected",
            Self::Revoked => "revoked",
        }
    }
}

/// A step to be written down.
#[derive(Clone, PartialEq, Debug)]
pub struct NewStep {
    /// Of which attempt.
    pub attempt: Uuid,
    /// When.
    pub at: Timestamp,
    /// What.
    pub step: RefreshStep,
    /// The name of the token that is renewed.
    pub token: String,
    /// Which process.
    pub owner: String,
    /// The refresh token that it is about.
    pub fp: Option<Fp>,
    /// The refresh token that came in its place.
    pub next_fp: Option<Fp>,
    /// Whether the token's outcome is known now, so that it is never sent again.
    pub spent: bool,
    /// More, without anything secret.
    pub note: Option<Value>,
}

impl NewStep {
    /// A step in the renewal of the main token.
    pub fn of(attempt: Uuid, owner: &str, step: RefreshStep, at: Timestamp) -> Self {
        Self { attempt, at, step, token: MAIN_TOKEN.to_owned(), owner: owner.to_owned(), fp: None, next_fp: None, spent: false, note: None }
    }

    /// In the renewal of the token of this name.
    #[must_use]
    pub fn renewing(self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self }
    }

    /// With the token that it is about.
    #[must_use]
    pub fn about(self, fp: Fp) -> Self {
        Self { fp: Some(fp), ..self }
    }

    /// With more.
    #[must_use]
    pub fn noting(self, note: Value) -> Self {
        Self { note: Some(note), ..self }
    }
}

/// A step that was written down.
#[derive(Clone, PartialEq, Debug)]
pub struct StepTaken {
    /// Its place in the attempt.
    pub number: u64,
    /// What it says.
    pub step: NewStep,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(fp: u8) -> Attempt {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        Attempt {
            id: Uuid::from_u128(u128::from(fp)),
            owner: "one".to_owned(),
            until: now,
            witnessed: true,
            gone: None,
            fp: [fp; 32],
            sends: 1,
            first_sent_at: now,
            since: now,
            reason: RefreshReason::Due,
        }
    }

    #[test]
    fn a_doubt_is_remembered_until_the_token_has_an_outcome() {
        let first = Flight::Idle.begin(attempt(1)).unwrap();
        let later = Attempt { first_sent_at: "2026-11-22T11:00:00Z".parse().unwrap(), ..attempt(1) };
        let second = first.clone().lost().begin(later.clone()).unwrap();
        assert_eq!((second.sends, second.first_sent_at), (2, first.first_sent_at), "the same token once more");
        let Flight::Doubt(third) = second.clone().unchanged() else { panic!("what did not arrive tells nothing about the first") };
        assert_eq!(third.sends, 1);
        assert_eq!(second.dead(), Flight::Idle);
        assert_eq!(first.clone().unchanged(), Flight::Idle, "nothing was ever in doubt");
        let other = first.clone().lost().begin(attempt(2)).unwrap();
        assert_eq!(other.sends, 1, "another token was never sent");
        assert_eq!(Flight::Sending(first).begin(later), None, "one at a time");
    }
}

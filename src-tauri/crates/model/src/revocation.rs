//! Revocations: access that is taken back at the provider, and what proves that it ended. A revocation outlives its integration.

use serde::{Deserialize, Serialize};

use crate::{AccountId, DefinitionId, IntegrationId, MemberId, OrganizationId, ProviderAppId, ProviderId, ReceiptId, RevocationId, Timestamp};

/// Most events that a revocation keeps.
pub const MOST_EVENTS: usize = 60;

/// Why access is taken back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// Somebody disconnected the integration.
    Disconnected,
    /// The integration was deleted, and nobody can bring it back any more.
    Deleted,
    /// Somebody agreed anew, or another credential took its place.
    Replaced,
    /// The person who had agreed took it back.
    Withdrawn,
    /// Nobody chose for which of several places a consent shall be.
    Abandoned,
}

impl RevocationReason {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Deleted => "deleted",
            Self::Replaced => "replaced",
            Self::Withdrawn => "withdrawn",
            Self::Abandoned => "abandoned",
        }
    }
}

/// How far a revocation is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationState {
    /// The provider was not asked yet.
    Pending,
    /// It is being asked, or was and did not take it.
    Sent,
    /// The provider took it. What proves it comes later, or cannot be had.
    Revoked,
    /// The provider took it, and what was given before is refused.
    Proven,
    /// The provider took it, and still answers the access token until its own end.
    Alive,
    /// The provider cannot be asked: a person takes it back there.
    Manual,
    /// The provider did not take it, however often it was asked: a person takes it back there.
    Failed,
}

impl RevocationState {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Revoked => "revoked",
            Self::Proven => "proven",
            Self::Alive => "alive",
            Self::Manual => "manual",
            Self::Failed => "failed",
        }
    }

    /// What it means, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Pending => "The provider will be asked to end the access.",
            Self::Sent => "The provider was asked to end the access and has not taken it yet.",
            Self::Revoked => "The provider says that the access has ended.",
            Self::Proven => "The access has ended: what was given before is refused.",
            Self::Alive => "The provider has ended the grant, but still answers the last access token until its own end.",
            Self::Manual => "This provider cannot be asked by a program. A person ends the access there.",
            Self::Failed => "The provider did not end the access. A person ends it there.",
        }
    }

    /// Whether a person has to act, unless somebody has confirmed it.
    pub const fn needs_person(self) -> bool {
        matches!(self, Self::Manual | Self::Failed)
    }
}

/// By what a provider is asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationHow {
    /// Its revocation endpoint (RFC 7009).
    Endpoint,
    /// A request of its own API.
    Call,
    /// Nothing: a person does it.
    Manual,
}

/// What a revocation ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationEnds {
    /// All that the person granted to the app, other integrations of the same person among it.
    Grant,
    /// What was given to this integration.
    Token,
}

/// What would prove that access has ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationEvidence {
    /// What was given before is sent to the provider, which refuses it.
    Probe,
    /// The provider is asked about the token (RFC 7662).
    Introspection,
    /// Nothing can.
    Nothing,
}

/// What happened in a revocation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationStep {
    /// It was taken out of the integration and sealed for this.
    Sealed,
    /// Before it was asked to end it, the provider said that it works.
    Active,
    /// The provider took the request.
    Taken,
    /// It took it for one token of a set and not for another.
    Partly,
    /// The provider did not take it.
    Refused,
    /// The provider could not be asked, or its answer was lost.
    Unreachable,
    /// The access token was exchanged for a living one, without which nothing could be asked.
    Renewed,
    /// What was given before is refused.
    Dead,
    /// What was given before is still answered.
    Answered,
    /// What was seen proves nothing, or not all of it.
    Unproven,
    /// A person says that it has ended.
    Confirmed,
    /// It is not tried again.
    GivenUp,
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
pub struct RevocationEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub step: RevocationStep,
    /// The same in words, without anything secret.
    pub words: String,
}

/// What is done, what was seen, and what a person does where a program cannot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RevocationProof {
    /// By what the provider is asked.
    pub how: RevocationHow,
    /// What ends with it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<RevocationEnds>,
    /// What would prove it.
    pub evidence: RevocationEvidence,
    /// What a person does in its place, step by step.
    #[serde(default)]
    pub manual: Vec<String>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual_url: Option<String>,
    /// What happened, in order.
    #[serde(default)]
    pub events: Vec<RevocationEvent>,
    /// Until when the last access token lives by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alive_until: Option<Timestamp>,
    /// When a person said that it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<MemberId>,
}

impl RevocationProof {
    /// Adds what happened. Of very many the first and the latest are kept.
    pub fn note(&mut self, at: Timestamp, step: RevocationStep, words: impl Into<String>) {
        if self.events.len() >= MOST_EVENTS {
            self.events.remove(MOST_EVENTS / 2);
        }
        self.events.push(RevocationEvent { at, step, words: words.into() });
    }
}

/// A revocation as stored. What it sends is sealed beside it and erased at its end.
#[derive(Clone, PartialEq, Debug)]
pub struct Revocation {
    /// Its id.
    pub id: RevocationId,
    /// Whose organization.
    pub organization_id: OrganizationId,
    /// In which account; it may be gone by now.
    pub account_id: AccountId,
    /// Of which integration; it may be gone by now.
    pub integration_id: IntegrationId,
    /// Its name for people, as it was.
    pub integration_name: String,
    /// At which provider.
    pub provider: ProviderId,
    /// The version that the integration pinned.
    pub definition: DefinitionId,
    /// The client that it was given to.
    pub provider_app_id: Option<ProviderAppId>,
    /// The receipt of the consent that ends.
    pub receipt_id: Option<ReceiptId>,
    /// Why.
    pub reason: RevocationReason,
    /// How far it is.
    pub state: RevocationState,
    /// What was seen.
    pub proof: RevocationProof,
    /// How often the provider was asked in this state.
    pub attempts: u32,
    /// When it is asked next; none when nothing more is done.
    pub next_attempt_at: Option<Timestamp>,
    /// The process that asks.
    pub owner: Option<String>,
    /// Until when no other does.
    pub lease_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Revocation {
    /// Whether a person still has to act.
    pub fn needs_person(&self) -> bool {
        self.state.needs_person() && self.proof.confirmed_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_events_the_first_and_the_latest_stay() {
        let mut proof = RevocationProof {
            how: RevocationHow::Endpoint,
            ends: None,
            evidence: RevocationEvidence::Probe,
            manual: Vec::new(),
            manual_url: None,
            events: Vec::new(),
            alive_until: None,
            confirmed_at: None,
            confirmed_by: None,
        };
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        for number in 0..MOST_EVENTS * 2 {
            proof.note(now, RevocationStep::Unreachable, number.to_string());
        }
        assert_eq!(proof.events.len(), MOST_EVENTS);
        assert_eq!((proof.events[0].words.as_str(), proof.events[MOST_EVENTS - 1].words.as_str()), ("0", "119"));
    }
}

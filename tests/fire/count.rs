//! What a round came to, and whether the three accounts of it agree.

use std::collections::BTreeMap;

use patchbay_model::integration::{AttentionCause, IntegrationStatus};
use patchbay_model::refresh::{RefreshStep, StepTaken};

use crate::peer::{Reuse, Seen};

/// What is done in a round.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Injection {
    Nothing,
    LoseBefore,
    LoseAfter,
    /// A process is killed at this step.
    Kill(&'static str),
    /// The sender is killed after its token was rotated and before it is answered.
    KillInFlight,
}

/// Each of them, in the order in which they are drawn.
pub(crate) const INJECTIONS: [Injection; 10] = [
    Injection::Nothing,
    Injection::LoseBefore,
    Injection::LoseAfter,
    Injection::Kill("before_begin"),
    Injection::Kill("intent"),
    Injection::Kill("sent"),
    Injection::Kill("answered"),
    Injection::Kill("activated"),
    Injection::Kill("proving"),
    Injection::KillInFlight,
];

impl Injection {
    /// Whether the outcome of a request may be unknown to whoever goes on.
    fn leaves_doubt(self) -> bool {
        matches!(self, Self::LoseBefore | Self::LoseAfter | Self::KillInFlight | Self::Kill("intent" | "sent" | "answered"))
    }
}

/// A round that is over.
pub(crate) struct Round {
    pub(crate) number: u32,
    pub(crate) injection: Injection,
    /// The step at which a process was killed, and how many refreshes the provider had seen by then in this round.
    pub(crate) killed: Option<(String, usize)>,
    /// The refreshes of this round.
    pub(crate) seen: Vec<Seen>,
    /// What happened at the provider last, oldest first.
    pub(crate) told: Vec<String>,
    /// How the integration stands.
    pub(crate) status: IntegrationStatus,
    /// Its journal of this round, oldest first.
    pub(crate) steps: Vec<StepTaken>,
}

/// All rounds of a variant.
#[derive(Default)]
pub(crate) struct Count {
    rounds: BTreeMap<Injection, u32>,
    killed: u32,
    /// Rounds in which a token was rotated and the answer destroyed.
    destroyed: Vec<u32>,
    /// Rounds after which a person had to connect again.
    lost: Vec<u32>,
}

impl Count {
    /// Compares the accounts of a round. Says whether a person has to connect again.
    pub(crate) fn add(&mut self, reuse: Reuse, round: &Round) -> bool {
        let Round { number, injection, killed, seen, told, status, steps } = round;
        let story = || {
            let steps: Vec<_> = steps.iter().map(|taken| taken.step.step).collect();
            format!("round {number}, {injection:?}, killed {killed:?}: {status:?}, seen {seen:?}, steps {steps:?}\n{}", told.join("\n"))
        };
        *self.rounds.entry(*injection).or_default() += 1;
        self.killed += u32::from(killed.is_some());
        let kept_nothing = |at: usize| matches!(killed, Some((step, before)) if matches!(step.as_str(), "answered" | "in flight") && at < *before);
        let destroyed = seen.iter().enumerate().any(|(at, one)| one.rotated && (!one.delivered || kept_nothing(at)));
        if destroyed {
            self.destroyed.push(*number);
        }
        let lost = matches!(status, IntegrationStatus::NeedsAttention { .. });
        if lost {
            assert_eq!(*status, IntegrationStatus::NeedsAttention { cause: AttentionCause::RefreshUncertain }, "{}", story());
            let note = steps.iter().find(|taken| taken.step.step == RefreshStep::Attention).and_then(|taken| taken.step.note.clone());
            assert!(note.as_ref().is_some_and(|note| note["first"]["step"].is_string()), "the step at which it was lost is named: {}", story());
            self.lost.push(*number);
        } else {
            assert_eq!(*status, IntegrationStatus::Active, "{}", story());
        }
        assert_eq!(lost, destroyed && reuse != Reuse::Grace, "lost exactly where a rotated answer was destroyed: {}", story());
        // The provider's own count: a token comes twice only where its outcome was unknown, and never after it was known.
        for (at, one) in seen.iter().enumerate() {
            let again = seen[at + 1..].iter().filter(|other| other.token == one.token).count();
            assert!(again == 0 || injection.leaves_doubt(), "a token was sent twice without a doubt: {}", story());
            assert!(again == 0 || !one.rotated || reuse != Reuse::EndsFamilyAndTells, "a token that was rotated was sent again, though its provider tells: {}", story());
            assert!(again <= 1, "a token was sent three times: {}", story());
            assert!(again == 0 || !one.rotated || !one.delivered || kept_nothing(at), "a token with a known outcome was sent again: {}", story());
        }
        // The journal's: one intent for each request that arrived, or more, and never two at once.
        let intents: Vec<_> = steps.iter().filter(|taken| taken.step.step == RefreshStep::Intent).collect();
        assert!(intents.len() >= seen.len(), "each request has an intent: {}", story());
        lost
    }

    /// Adds what another lane came to.
    pub(crate) fn join(&mut self, lane: Self) {
        for (injection, rounds) in lane.rounds {
            *self.rounds.entry(injection).or_default() += rounds;
        }
        self.killed += lane.killed;
        self.destroyed.extend(lane.destroyed);
        self.lost.extend(lane.lost);
    }

    /// What all of it came to, in one line.
    pub(crate) fn sentence(&self, name: &str, seed: u64, seconds: f64) -> String {
        let rounds: u32 = self.rounds.values().sum();
        format!(
            "fire {name}: {rounds} rounds ({:.2} a second), seed {seed}, {} killed; a rotated answer destroyed in {}, connected again after {}; {:?}",
            f64::from(rounds) / seconds,
            self.killed,
            self.destroyed.len(),
            self.lost.len(),
            self.rounds
        )
    }
}

//! What happened in a rehearsal, in the order in which it did.

use std::collections::HashSet;

use patchbay_api::wire::rehearsal::{RehearsalActor, RehearsalStep};
use patchbay_engine::integration::JournalAttempt;
use patchbay_model::refresh::RefreshStep;
use patchbay_model::{Problem, Timestamp};
use patchbay_simulator::Entry;
use uuid::Uuid;

/// Steps that are kept; the oldest go.
const MOST: usize = 400;

/// The steps of a rehearsal, and how far its sources were read.
#[derive(Default)]
pub(super) struct Script {
    steps: Vec<RehearsalStep>,
    number: usize,
    /// The last request that the simulator told of.
    heard: u64,
    journal: HashSet<(Uuid, u64)>,
}

impl Script {
    pub(super) fn steps(&self) -> Vec<RehearsalStep> {
        self.steps.clone()
    }

    pub(super) fn note(&mut self, at: Timestamp, by: RehearsalActor, good: bool, words: impl Into<String>) {
        self.push(at, by, good, words.into(), None);
    }

    pub(super) fn problem(&mut self, at: Timestamp, problem: &Problem) {
        self.push(at, RehearsalActor::Patchbay, false, problem.message.clone(), Some(problem.code.as_str().to_owned()));
    }

    fn push(&mut self, at: Timestamp, by: RehearsalActor, good: bool, words: String, detail: Option<String>) {
        self.number += 1;
        self.steps.push(RehearsalStep { number: self.number, at, by, words, good, detail });
        if self.steps.len() > MOST {
            self.steps.remove(0);
        }
    }

    /// Takes in what the provider was asked and what the journal says since the last look, by time.
    pub(super) fn absorb(&mut self, now: Timestamp, log: Vec<Entry>, journal: Vec<JournalAttempt>) {
        let mut found: Vec<(Timestamp, RehearsalActor, bool, String, Option<String>)> = Vec::new();
        let heard = self.heard;
        for entry in log.into_iter().filter(|entry| entry.number > heard) {
            let at = entry.at.parse().unwrap_or(now);
            found.push((at, RehearsalActor::Provider, good(&entry.outcome), asked(&entry), Some(detail(&entry))));
            self.heard = self.heard.max(entry.number);
        }
        // Newest first, as the journal is read.
        for attempt in journal.into_iter().rev() {
            for taken in attempt.steps {
                if self.journal.insert((attempt.id, taken.number)) {
                    let step = taken.step;
                    let fine = !matches!(step.step, RefreshStep::Lost | RefreshStep::Dead | RefreshStep::Attention);
                    found.push((step.at, RehearsalActor::Journal, fine, word(step.step).to_owned(), step.note.map(|note| note.to_string())));
                }
            }
        }
        found.sort_by_key(|(at, ..)| *at);
        for (at, by, good, words, detail) in found {
            self.push(at, by, good, words, detail);
        }
    }
}

fn good(outcome: &str) -> bool {
    matches!(outcome, "granted" | "ok" | "shown")
}

fn asked(entry: &Entry) -> String {
    let lost = if entry.delivered { "" } else { "; the answer did not arrive at once" };
    format!("{} at {}: {}{lost}", entry.what.replace('_', " "), entry.address, entry.outcome.replace('_', " "))
}

/// Tokens of a rehearsal are worth nothing, so they stand here as they are.
fn detail(entry: &Entry) -> String {
    let mut parts = Vec::new();
    if let Some(sent) = &entry.sent {
        parts.push(format!("sent {sent}"));
    }
    if !entry.gave.is_empty() {
        parts.push(format!("gave {}", entry.gave.join(", ")));
    }
    if entry.rotated {
        parts.push("the refresh token was replaced".to_owned());
    }
    if let Some(id) = &entry.request_id {
        parts.push(format!("X-Request-Id {id}"));
    }
    parts.join("; ")
}

const fn word(step: RefreshStep) -> &'static str {
    match step {
        RefreshStep::Intent => "Renewal: written down before it is sent",
        RefreshStep::Sent => "Renewal: sent",
        RefreshStep::Granted => "Renewal: new tokens came",
        RefreshStep::Activated => "Renewal: the new tokens are in force",
        RefreshStep::Proven => "Renewal: the first call with the new token was accepted",
        RefreshStep::Lost => "Renewal: the answer was lost; nobody knows whether the provider acted",
        RefreshStep::Dead => "Renewal: the provider refuses the token for good",
        RefreshStep::TakenOver => "Renewal: another process went on",
        RefreshStep::RaceFound => "Renewal: other tokens had come into force",
        RefreshStep::Introspected => "Renewal: the provider was asked whether the token is alive",
        RefreshStep::Attention => "Renewal: a person has to connect again",
        RefreshStep::Reconnected => "A person connected; the tokens before are spent",
        // What needs no words of its own stands under its word in the journal.
        other => other.as_str(),
    }
}

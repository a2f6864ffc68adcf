//! Renewals of this process: at most one per token of a credential is under way.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use patchbay_model::{CredentialId, Timestamp};
use uuid::Uuid;

/// A token of a credential, by its name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Renewed(pub(super) CredentialId, pub(super) String);

/// What is under way, by token.
#[derive(Default)]
pub(crate) struct Flights {
    under_way: Mutex<HashMap<Renewed, Weak<tokio::sync::Mutex<()>>>>,
    resting: Mutex<HashMap<Renewed, Instant>>,
    proven: Mutex<HashMap<Renewed, Timestamp>>,
    fallen_back: Mutex<HashSet<Uuid>>,
}

impl Flights {
    /// The lock of one token's renewals. It is gone when nobody holds it any more.
    pub(super) fn of(&self, renewed: &Renewed) -> Arc<tokio::sync::Mutex<()>> {
        let mut under_way = open(&self.under_way);
        if let Some(lock) = under_way.get(renewed).and_then(Weak::upgrade) {
            return lock;
        }
        // Renewals are rare, so looking through the few that are under way costs nothing worth saving.
        under_way.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        under_way.insert(renewed.clone(), Arc::downgrade(&lock));
        lock
    }

    /// Whether a token is left alone for now, after trouble.
    pub(super) fn rests(&self, renewed: &Renewed) -> bool {
        open(&self.resting).get(renewed).is_some_and(|until| Instant::now() < *until)
    }

    /// Leaves a credential alone for a while.
    pub(super) fn rest(&self, renewed: Renewed, time: Duration) {
        let now = Instant::now();
        let mut resting = open(&self.resting);
        resting.retain(|_, until| now < *until);
        resting.insert(renewed, now + time);
    }

    /// Whether the set that came at this time is known to have worked.
    pub(super) fn is_proven(&self, renewed: &Renewed, obtained: Timestamp) -> bool {
        open(&self.proven).get(renewed) == Some(&obtained)
    }

    /// Notes that it has.
    pub(super) fn proven(&self, renewed: Renewed, obtained: Timestamp) {
        open(&self.proven).insert(renewed, obtained);
    }

    /// Whether the set of before may be tried in place of the one that this attempt brought: once.
    pub(super) fn falls_back(&self, attempt: Uuid) -> bool {
        open(&self.fallen_back).insert(attempt)
    }
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

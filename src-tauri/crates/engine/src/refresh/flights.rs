//! Renewals of this process: at most one per credential is under way.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use patchbay_model::{CredentialId, Timestamp};
use uuid::Uuid;

/// What is under way, by credential.
#[derive(Default)]
pub(crate) struct Flights {
    under_way: Mutex<HashMap<CredentialId, Weak<tokio::sync::Mutex<()>>>>,
    resting: Mutex<HashMap<CredentialId, Instant>>,
    proven: Mutex<HashMap<CredentialId, Timestamp>>,
    fallen_back: Mutex<HashSet<Uuid>>,
}

impl Flights {
    /// The lock of one credential's renewals. It is gone when nobody holds it any more.
    pub(super) fn of(&self, credential: CredentialId) -> Arc<tokio::sync::Mutex<()>> {
        let mut under_way = open(&self.under_way);
        if let Some(lock) = under_way.get(&credential).and_then(Weak::upgrade) {
            return lock;
        }
        // Renewals are rare, so looking through the few that are under way costs nothing worth saving.
        under_way.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        under_way.insert(credential, Arc::downgrade(&lock));
        lock
    }

    /// Whether a credential is left alone for now, after trouble.
    pub(super) fn rests(&self, credential: CredentialId) -> bool {
        open(&self.resting).get(&credential).is_some_and(|until| Instant::now() < *until)
    }

    /// Leaves a credential alone for a while.
    pub(super) fn rest(&self, credential: CredentialId, time: Duration) {
        let now = Instant::now();
        let mut resting = open(&self.resting);
        resting.retain(|_, until| now < *until);
        resting.insert(credential, now + time);
    }

    /// Whether the set that came at this time is known to have worked.
    pub(super) fn is_proven(&self, credential: CredentialId, obtained: Timestamp) -> bool {
        open(&self.proven).get(&credential) == Some(&obtained)
    }

    /// Notes that it has.
    pub(super) fn proven(&self, credential: CredentialId, obtained: Timestamp) {
        open(&self.proven).insert(credential, obtained);
    }

    /// Whether the set of before may be tried in place of the one that this attempt brought: once.
    pub(super) fn falls_back(&self, attempt: Uuid) -> bool {
        open(&self.fallen_back).insert(attempt)
    }
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! One lane per integration: a few requests at a time, and none while the provider has asked for a pause. So one busy
//! integration neither floods its provider nor holds up the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use patchbay_model::{Code, Problem};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// Requests of one integration that may be under way at once.
pub(crate) const WIDTH: usize = 8;

/// All lanes in use. A lane that nobody uses and that is not paused is forgotten.
#[derive(Default)]
pub struct Lanes {
    lanes: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    by_key: HashMap<Uuid, Arc<Lane>>,
    /// Size at which to look for forgotten lanes again; grows with what was found in use, so the cost is spread thin.
    sweep_at: usize,
}

/// The lane of one integration.
pub struct Lane {
    slots: Arc<Semaphore>,
    paused_until: Mutex<Option<Instant>>,
}

/// A place in a lane, given back when dropped.
pub struct Turn {
    lane: Arc<Lane>,
    _permit: OwnedSemaphorePermit,
}

impl Lanes {
    /// The lane of `key`, at first of this width.
    fn lane(&self, key: Uuid, width: Option<usize>) -> Arc<Lane> {
        let mut table = unpoisoned(&self.lanes);
        if let Some(lane) = table.by_key.get(&key) {
            return Arc::clone(lane);
        }
        if table.by_key.len() >= table.sweep_at {
            let now = Instant::now();
            table.by_key.retain(|_, lane| Arc::strong_count(lane) > 1 || lane.pause(now).is_some());
            table.sweep_at = 64.max(table.by_key.len() * 2);
        }
        let lane = Arc::new(Lane { slots: Arc::new(Semaphore::new(width.unwrap_or(WIDTH).max(1))), paused_until: Mutex::new(None) });
        table.by_key.insert(key, Arc::clone(&lane));
        lane
    }

    /// Waits for a place in the lane of `key`, at most until `deadline`. `width` is how many places it has where the
    /// provider bears other than [`WIDTH`].
    ///
    /// # Errors
    /// `provider_rate_limited` while the provider's pause lasts, `rate_limited` when no place came free in time.
    pub async fn enter(&self, key: Uuid, width: Option<usize>, deadline: Instant) -> Result<Turn, Problem> {
        let lane = self.lane(key, width);
        lane.not_paused()?;
        let waiting = Arc::clone(&lane.slots).acquire_owned();
        let permit = tokio::time::timeout_at(deadline.into(), waiting)
            .await
            .map_err(|_| Problem::new(Code::RateLimited, "Too many calls of this integration are under way at once. Try again when some have finished.").retry_after(1))?
            .map_err(|_| Problem::internal("a lane was closed"))?;
        lane.not_paused()?;
        Ok(Turn { lane, _permit: permit })
    }
}

impl Lane {
    /// Lets nothing through for this long; a longer pause that is running stays.
    pub fn pause_for(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut paused = unpoisoned(&self.paused_until);
        *paused = Some(paused.map_or(until, |running| running.max(until)));
    }

    fn pause(&self, now: Instant) -> Option<Duration> {
        unpoisoned(&self.paused_until).and_then(|until| until.checked_duration_since(now)).filter(|left| !left.is_zero())
    }

    fn not_paused(&self) -> Result<(), Problem> {
        match self.pause(Instant::now()) {
            None => Ok(()),
            Some(left) => {
                let seconds = left.as_secs() + 1;
                Err(Problem::new(Code::ProviderRateLimited, format!("The provider asked Patchbay to slow down. Calls of this integration go on in {seconds} s."))
                    .retry_after(seconds))
            }
        }
    }
}

impl Turn {
    /// The lane it belongs to.
    pub fn lane(&self) -> &Lane {
        &self.lane
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(30)
    }

    #[tokio::test]
    async fn a_full_lane_makes_others_wait_and_then_says_so() {
        let (lanes, key) = (Lanes::default(), Uuid::from_u128(1));
        let mut turns = Vec::new();
        for _ in 0..WIDTH {
            turns.push(lanes.enter(key, None, soon()).await.unwrap());
        }
        assert_eq!(lanes.enter(key, None, soon()).await.err().unwrap().code, Code::RateLimited);
        assert!(lanes.enter(Uuid::from_u128(2), None, soon()).await.is_ok(), "another integration is not held up");
        turns.pop();
        assert!(lanes.enter(key, None, soon()).await.is_ok(), "a place given back is taken");
    }

    #[tokio::test]
    async fn a_pause_is_told_and_ends() {
        let (lanes, key) = (Lanes::default(), Uuid::from_u128(1));
        lanes.enter(key, None, soon()).await.unwrap().lane().pause_for(Duration::from_millis(40));
        let problem = lanes.enter(key, None, soon()).await.err().unwrap();
        assert_eq!((problem.code, problem.retry_after), (Code::ProviderRateLimited, Some(1)));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(lanes.enter(key, None, soon()).await.is_ok());
    }

    #[tokio::test]
    async fn lanes_out_of_use_are_forgotten() {
        let lanes = Lanes::default();
        for key in 0..10_000 {
            drop(lanes.enter(Uuid::from_u128(key), None, soon()).await.unwrap());
        }
        assert!(lanes.lanes.lock().unwrap().by_key.len() <= 64, "the table does not grow with every integration ever called");
    }
}

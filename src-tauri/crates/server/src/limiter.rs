//! Slows down guessing: failed sign-ins are counted per address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use patchbay_model::{Code, Problem, Timestamp};

/// Failures that an address may have within the window.
const ALLOWED: u32 = 20;
/// The window.
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses remembered at once; beyond that the old ones are forgotten.
const REMEMBERED: usize = 10_000;

#[derive(Default)]
pub(crate) struct Limiter {
    failures: Mutex<HashMap<IpAddr, (Timestamp, u32)>>,
}

impl Limiter {
    /// Refuses an address that failed too often lately.
    pub(crate) fn admit(&self, address: IpAddr, now: Timestamp) -> Result<(), Problem> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match failures.get(&address) {
            Some((since, count)) if *count >= ALLOWED && now.since(*since) < WINDOW => {
                let wait = WINDOW.saturating_sub(now.since(*since)).as_secs().max(1);
                Err(Problem::new(Code::RateLimited, format!("Too many sign-ins from this address failed. Try again in {wait} s.")).retry_after(wait))
            }
            _ => Ok(()),
        }
    }

    /// Notes a failure.
    pub(crate) fn failed(&self, address: IpAddr, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= REMEMBERED {
            failures.retain(|_, (since, _)| now.since(*since) < WINDOW);
        }
        if failures.len() >= REMEMBERED {
            failures.clear();
        }
        let entry = failures.entry(address).or_insert((now, 0));
        if now.since(entry.0) >= WINDOW {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_is_slowed_and_forgotten() {
        let limiter = Limiter::default();
        let (here, there): (IpAddr, IpAddr) = ("1.1.1.1".parse().unwrap(), "2.2.2.2".parse().unwrap());
        let now: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
        for _ in 0..ALLOWED {
            assert!(limiter.admit(here, now).is_ok());
            limiter.failed(here, now);
        }
        let problem = limiter.admit(here, now).unwrap_err();
        assert_eq!((problem.code, problem.retry_after), (Code::RateLimited, Some(60)));
        assert!(limiter.admit(there, now).is_ok(), "another address is not concerned");
        assert!(limiter.admit(here, now.plus(WINDOW)).is_ok(), "after the window it is forgotten");
    }
}

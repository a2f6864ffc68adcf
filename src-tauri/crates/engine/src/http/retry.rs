//! When to try again, and after how long.

use std::time::Duration;

use patchbay_model::{Entropy, Timestamp};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Tries in all, the first among them.
pub(crate) const ATTEMPTS: u32 = 3;
/// A pause that the provider asks for is waited out inside a call up to this; a longer one is told to the caller.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// No provider may put an integration to sleep for longer than this.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
const FIRST_BACKOFF: Duration = Duration::from_millis(200);

/// Whether an answer with this status may be better the next time.
pub(crate) fn worth_repeating(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

/// A wait before try number `attempt` (counted from 1 for the first repetition): anything between nothing and the
/// exponential bound ("full jitter"), so that many callers do not come back in step.
pub(crate) fn backoff(attempt: u32, entropy: &dyn Entropy) -> Duration {
    let bound = FIRST_BACKOFF.saturating_mul(1 << attempt.saturating_sub(1).min(6));
    let mut random = [0; 4];
    entropy.fill(&mut random);
    bound.mul_f64(f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX))
}

/// Reads `Retry-After` as seconds or as a date (RFC 9110 section 10.2.3), bounded by [`LONGEST_PAUSE`].
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Timestamp::from(chrono::DateTime::parse_from_rfc2822(text).ok()?.to_utc()).since(now),
    };
    Some(wait.min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn wait(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        retry_after(&headers, "2026-11-22T10:00:00Z".parse().unwrap())
    }

    #[test]
    fn retry_after_reads_seconds_and_dates() {
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Sun, 22 Nov 2026 10:00:09 GMT"), Some(Duration::from_secs(9)));
        assert_eq!(wait("Sun, 22 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO), "a date in the past is now");
        assert_eq!(wait("99999999"), Some(LONGEST_PAUSE), "a pause is bounded");
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-3"), None);
    }

    #[test]
    fn backoff_stays_between_nothing_and_its_bound() {
        assert_eq!(backoff(1, &Fixed(0)), Duration::ZERO);
        assert_eq!(backoff(1, &Fixed(255)), Duration::from_millis(200));
        assert_eq!(backoff(2, &Fixed(255)), Duration::from_millis(400));
        assert!(backoff(60, &Fixed(255)) <= Duration::from_secs(13), "the bound does not overflow");
    }
}

//! Points in time, in UTC, to the microsecond.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, truncated to microseconds: PostgreSQL keeps no more, so both stores compare equal.
/// Written as RFC 3339 with `Z` and six digits, which also sorts as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ts_rs::TS)]
#[ts(type = "string")]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Microseconds since the Unix epoch; `None` when outside the years that a timestamp can write.
    pub fn from_unix_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).map(Self)
    }

    /// Microseconds since the Unix epoch.
    pub fn unix_micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// Milliseconds since the Unix epoch.
    pub fn unix_millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// This point moved into the future; the last representable point where that would overflow.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        chrono::Duration::from_std(duration).ok().and_then(|duration| self.0.checked_add_signed(duration)).map_or(Self(DateTime::<Utc>::MAX_UTC), Self)
    }

    /// This point moved into the past; the first representable point where that would overflow.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        chrono::Duration::from_std(duration).ok().and_then(|duration| self.0.checked_sub_signed(duration)).map_or(Self(DateTime::<Utc>::MIN_UTC), Self)
    }

    /// How long after `earlier` this is; zero when it is before.
    pub fn since(self, earlier: Self) -> Duration {
        (self.0 - earlier.0).to_std().unwrap_or_default()
    }

    /// The value for binding to a query.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(value: DateTime<Utc>) -> Self {
        DateTime::from_timestamp_micros(value.timestamp_micros()).map_or(Self(value), Self)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl FromStr for Timestamp {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DateTime::parse_from_rfc3339(text).map(|value| Self::from(value.to_utc()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Parses a lifetime written as hours, minutes and seconds (`24h`, `10m`, `1h30m`), the wire's `token_ttl`.
/// `None` for anything else, zero, a number of more than five digits and more than ten years among it.
pub fn parse_lifetime(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds: u64 = 0;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits <= 5)?;
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        let unit = match rest.as_bytes().get(digits)? {
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        if unit >= last_unit {
            return None;
        }
        last_unit = unit;
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = rest.get(digits + 1..)?;
    }
    (1..=10 * 366 * 86_400).contains(&seconds).then(|| Duration::from_secs(seconds))
}

/// Writes a lifetime the way [`parse_lifetime`] reads it.
pub fn format_lifetime(lifetime: Duration) -> String {
    let seconds = lifetime.as_secs();
    let (h, m, s) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
    let mut text = String::new();
    for (value, unit) in [(h, 'h'), (m, 'm'), (s, 's')] {
        if value > 0 {
            text.push_str(&value.to_string());
            text.push(unit);
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_read_and_write() {
        for text in ["24h", "10m", "1h30m", "45s", "2160h"] {
            assert_eq!(format_lifetime(parse_lifetime(text).unwrap()), text);
        }
        for text in ["", "0s", "10", "m", "1m1h", "-1h", "1d", "99999999999h", "1h1h"] {
            assert_eq!(parse_lifetime(text), None, "{text} must be refused");
        }
    }

    #[test]
    fn a_timestamp_keeps_microseconds_and_writes_z() {
        let at: Timestamp = "2026-11-22T02:55:20.559783Z".parse().unwrap();
        assert_eq!(at.to_string(), "2026-11-22T02:55:20.559783Z");
        let offset: Timestamp = "2026-11-22T04:55:20.559783999+02:00".parse().unwrap();
        assert_eq!(offset, at, "an offset and nanoseconds are folded");
    }
}

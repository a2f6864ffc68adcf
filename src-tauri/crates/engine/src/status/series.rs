//! Time series of calls.

use std::str::FromStr;
use std::time::Duration;

use patchbay_model::status::{CallSums, MinuteUse};
use patchbay_model::{Operation, Problem, Timestamp};

use super::{listing, up_to_date};
use crate::usage::{MINUTE, first_moment};
use crate::{Engine, ManagementGrant, reach};

/// The steps of a series and how far it goes back. The wire knows `hour`; the others are ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Interval {
    /// The last hour by the minute.
    Minute,
    /// The last 24 hours by the hour.
    #[default]
    Hour,
    /// The last 7 days by the day, in UTC.
    Day,
}

impl Interval {
    /// Length of one step.
    pub const fn step(self) -> Duration {
        match self {
            Self::Minute => MINUTE,
            Self::Hour => Duration::from_secs(3600),
            Self::Day => Duration::from_secs(86_400),
        }
    }

    /// How many steps.
    const fn steps(self) -> u32 {
        match self {
            Self::Minute => 60,
            Self::Hour => 24,
            Self::Day => 7,
        }
    }

    /// The length of a step as the wire writes durations.
    pub const fn as_duration(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::Hour => "1h",
            Self::Day => "24h",
        }
    }
}

impl FromStr for Interval {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "minute" => Ok(Self::Minute),
            "hour" => Ok(Self::Hour),
            "day" => Ok(Self::Day),
            _ => Err(()),
        }
    }
}

/// Calls over time, without gaps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Series {
    /// The first moment of the first step.
    pub start: Timestamp,
    /// The first moment behind the last step, which is the one under way.
    pub end: Timestamp,
    /// Its steps.
    pub interval: Interval,
    /// One per step, oldest first.
    pub points: Vec<Point>,
}

/// One step of a series.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    /// Its first moment.
    pub at: Timestamp,
    /// What calls used in it; operations are not kept over time.
    pub used: CallSums,
}

/// The last hour of all integrations within the caller's reach, by the minute.
///
/// # Errors
/// `permission_denied`; problems of the store.
pub async fn of_organization(engine: &Engine, grant: &ManagementGrant) -> Result<Series, Problem> {
    let mut tx = listing(engine, grant, Operation::StatusGetTimeseries).await?;
    let empty = Series::empty(Interval::Minute, engine.now());
    let minutes = tx.status_minutes(None, empty.start, empty.end).await?;
    Ok(empty.filled(minutes))
}

/// The calls of one integration over time.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn of_integration(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str, interval: Interval) -> Result<Series, Problem> {
    up_to_date(engine).await;
    let mut tx = reach::reading(engine, grant).await?;
    let (_, integration) = reach::permitted(&mut tx, grant, Operation::StatusGetIntegrationTimeseries, account, integration).await?;
    let empty = Series::empty(interval, engine.now());
    let minutes = tx.status_minutes(Some(integration.id), empty.start, empty.end).await?;
    Ok(empty.filled(minutes))
}

impl Series {
    /// Zeros up to the step in which `now` lies.
    fn empty(interval: Interval, now: Timestamp) -> Self {
        let last = first_moment(now, interval.step());
        let start = last.minus(interval.step() * (interval.steps() - 1));
        let points = (0..interval.steps()).map(|number| Point { at: start.plus(interval.step() * number), used: CallSums::default() }).collect();
        Self { start, end: last.plus(interval.step()), interval, points }
    }

    /// The same with the sums of these minutes.
    fn filled(mut self, minutes: Vec<MinuteUse>) -> Self {
        for minute in minutes {
            let at = first_moment(minute.minute, self.interval.step());
            if let Ok(place) = self.points.binary_search_by_key(&at, |point| point.at)
                && let Some(point) = self.points.get_mut(place)
            {
                point.used.add(&minute.used);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_zeros_and_minutes_fall_into_their_step() {
        let now: Timestamp = "2026-11-22T10:17:42Z".parse().unwrap();
        for (interval, start, end, points) in [
            (Interval::Minute, "2026-11-22T09:18:00Z", "2026-11-22T10:18:00Z", 60),
            (Interval::Hour, "2026-11-21T11:00:00Z", "2026-11-22T11:00:00Z", 24),
            (Interval::Day, "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z", 7),
        ] {
            let empty = Series::empty(interval, now);
            assert_eq!((empty.start, empty.end, empty.points.len()), (start.parse().unwrap(), end.parse().unwrap(), points));
            let used = CallSums { requests: 2, failed: 1, ..CallSums::default() };
            let minute = |at: &str| MinuteUse { minute: at.parse().unwrap(), used };
            // The last but one lies before any of these series, the last behind them.
            let filled = empty.filled(vec![minute("2026-11-22T10:16:00Z"), minute("2026-11-22T10:17:00Z"), minute("2026-11-01T00:00:00Z"), minute("2026-12-01T00:00:00Z")]);
            assert_eq!(filled.points.iter().map(|point| point.used.requests).sum::<u64>(), 4, "{interval:?}");
            assert_eq!(filled.points.last().unwrap().used.requests, if interval == Interval::Minute { 2 } else { 4 });
        }
    }
}

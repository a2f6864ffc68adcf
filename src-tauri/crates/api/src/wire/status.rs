//! How integrations fare, on the wire.
#![expect(missing_docs, reason = "fields are those of synqly-wire.md section 7")]

use patchbay_engine::status::Series;
use patchbay_model::status::{IntegrationState, StatusEvent as Event};
use patchbay_model::{AccountId, IntegrationId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::account::Account;
use super::integration::Integration;

/// Status and sums of the calls of one integration; of one that was never called they are zeros.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Status {
    pub account_id: AccountId,
    /// Only with `expand=account`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account: Option<Account>,
    pub integration_id: IntegrationId,
    /// Only with `expand=integration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub integration: Option<Integration>,
    /// `draft`, `awaiting_consent`, `active`, `needs_attention`, `paused` or `revoked`.
    pub status: String,
    pub requests: u64,
    /// Of the requests, those that ended in a problem.
    pub failed: u64,
    /// Microseconds in which Patchbay itself worked at the calls; waiting for the provider or the store is not counted.
    pub cpu_time: u64,
    /// Transactions on the store that the calls began.
    pub db_ops: u64,
    /// Requests that went to the provider.
    pub api_ops: u64,
    /// Bytes of bodies that came from the provider.
    pub in_bytes: u64,
    /// Bytes of bodies that went to the provider.
    pub out_bytes: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub x_patchbay: Option<StatusExtra>,
}

/// What is ours on a status.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct StatusExtra {
    /// Since when calls are counted: the making of the integration, or the last reset.
    pub counted_since: Timestamp,
}

/// Calls began to fail, fail in another way, or work again.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct StatusEvent {
    pub account_id: AccountId,
    pub integration_id: IntegrationId,
    pub created_at: Timestamp,
    /// The integration's status behind it.
    pub status: String,
    /// The problem in words; absent when calls work again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub error: Option<String>,
    /// Number of the call.
    pub request: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub x_patchbay: Option<StatusEventExtra>,
}

/// What is ours on an event.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct StatusEventExtra {
    /// The code of the problem.
    pub code: String,
}

/// Calls over time, without gaps.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct StatusTimeseries {
    pub start_time: Timestamp,
    /// Behind the last point, which is the interval under way.
    pub end_time: Timestamp,
    /// Length of an interval: `1m`, `1h` or `24h`.
    pub interval: String,
    pub series: Vec<TimeseriesPoint>,
}

/// The calls of one interval.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct TimeseriesPoint {
    /// When the interval begins.
    pub created_at: Timestamp,
    pub succeeded: u64,
    pub failed: u64,
    /// Microseconds.
    pub cpu_time: u64,
    pub in_bytes: u64,
    pub out_bytes: u64,
}

/// Parameters of `status.get_integration_timeseries`.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct TimeseriesParams {
    /// `hour` (the default): the last 24 hours by the hour. `minute`: the last hour by the minute. `day`: the last 7 days by
    /// the day.
    #[ts(optional, type = "\"minute\" | \"hour\" | \"day\"")]
    #[schemars(regex(pattern = "^(hour|minute|day)$"))]
    pub interval: Option<String>,
}

impl Status {
    /// The view of an integration's status, with what was asked for beside it.
    pub fn view(state: IntegrationState, account: Option<Account>, integration: Option<Integration>) -> Self {
        Self {
            account_id: state.account_id,
            account,
            integration_id: state.integration_id,
            integration,
            status: state.status,
            requests: state.used.requests,
            failed: state.used.failed,
            cpu_time: state.used.cpu_time_us,
            db_ops: state.used.db_ops,
            api_ops: state.used.api_ops,
            in_bytes: state.used.in_bytes,
            out_bytes: state.used.out_bytes,
            created_at: state.created_at,
            updated_at: state.updated_at,
            x_patchbay: Some(StatusExtra { counted_since: state.counted_since }),
        }
    }
}

impl From<Event> for StatusEvent {
    fn from(event: Event) -> Self {
        Self {
            account_id: event.account_id,
            integration_id: event.integration_id,
            created_at: event.created_at,
            status: event.status,
            error: event.error,
            request: event.request,
            x_patchbay: event.code.map(|code| StatusEventExtra { code }),
        }
    }
}

impl From<Series> for StatusTimeseries {
    fn from(series: Series) -> Self {
        let point = |point: patchbay_engine::status::Point| TimeseriesPoint {
            created_at: point.at,
            succeeded: point.used.requests.saturating_sub(point.used.failed),
            failed: point.used.failed,
            cpu_time: point.used.cpu_time_us,
            in_bytes: point.used.in_bytes,
            out_bytes: point.used.out_bytes,
        };
        Self { start_time: series.start, end_time: series.end, interval: series.interval.as_duration().to_owned(), series: series.points.into_iter().map(point).collect() }
    }
}

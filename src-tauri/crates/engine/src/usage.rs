//! Counters of calls, gathered in memory and written in batches: a call never waits for the disk. A kill may lose what was
//! not written yet, at most half a minute, and nothing else (product.md section 4).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use patchbay_model::integration::IntegrationStatus;
use patchbay_model::status::{CallSums, MinuteUse};
use patchbay_model::{AccountId, Code, IntegrationId, OrganizationId, Problem, StatusEventId, Timestamp, TokenId};
use patchbay_store::Turn;

use crate::Engine;

/// Most events of one integration in one batch; one that flaps faster is not told in more detail.
const MOST_TURNS: usize = 20;
/// Longest words of an event.
const LONGEST: usize = 500;

/// Whose call it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) organization: OrganizationId,
    pub(crate) account: AccountId,
    pub(crate) integration: IntegrationId,
}

/// What one connector call used, and how it ended.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct CallUse {
    /// Code of the problem in which it ended, and its words.
    pub(crate) failure: Option<(Code, String)>,
    /// The integration's status behind it.
    pub(crate) status: IntegrationStatus,
    /// Time in which its own task worked.
    pub(crate) worked: Duration,
    /// Transactions on the store.
    pub(crate) db_ops: u64,
    /// Requests to the provider.
    pub(crate) api_ops: u64,
    /// Bytes from the provider.
    pub(crate) in_bytes: u64,
    /// Bytes to the provider.
    pub(crate) out_bytes: u64,
}

impl CallUse {
    fn sums(&self) -> CallSums {
        CallSums {
            requests: 1,
            failed: u64::from(self.failure.is_some()),
            cpu_time_us: u64::try_from(self.worked.as_micros()).unwrap_or(u64::MAX),
            db_ops: self.db_ops,
            api_ops: self.api_ops,
            in_bytes: self.in_bytes,
            out_bytes: self.out_bytes,
        }
    }
}

/// What is not written yet, and how each integration fared last.
#[derive(Default)]
pub(crate) struct Usage {
    pending: Mutex<HashMap<IntegrationId, Pending>>,
    /// Code of the problem in which the last call ended that told anything of the connection.
    last: Mutex<HashMap<IntegrationId, Option<Code>>>,
}

struct Pending {
    caller: Caller,
    used: CallSums,
    minutes: Vec<MinuteUse>,
    turns: Vec<Turn>,
    last_used_at: Timestamp,
    last_connected_at: Option<Timestamp>,
}

/// When tokens were last shown, as far as it is not written yet.
#[derive(Default)]
pub(crate) struct TokenUses(Mutex<HashMap<TokenId, Timestamp>>);

impl Usage {
    fn take(&self) -> HashMap<IntegrationId, Pending> {
        std::mem::take(&mut *open(&self.pending))
    }

    /// Forgets what is not written of an integration.
    pub(crate) fn forget(&self, integration: IntegrationId) {
        open(&self.pending).remove(&integration);
        open(&self.last).remove(&integration);
    }
}

impl Engine {
    /// Notes that a container's secret was shown and taken.
    pub(crate) fn note_token(&self, token: TokenId) {
        open(&self.token_uses().0).insert(token, self.now());
    }

    /// Counts a connector call.
    pub(crate) fn note_use(&self, caller: Caller, call: CallUse) {
        let now = self.now();
        let turned = self.turned(caller.integration, &call);
        let mut pending = open(&self.usage().pending);
        let entry = pending.entry(caller.integration).or_insert_with(|| Pending {
            caller,
            used: CallSums::default(),
            minutes: Vec::new(),
            turns: Vec::new(),
            last_used_at: now,
            last_connected_at: None,
        });
        let used = call.sums();
        entry.used.add(&used);
        let minute = first_moment(now, MINUTE);
        match entry.minutes.iter_mut().find(|known| known.minute == minute) {
            Some(known) => known.used.add(&used),
            None => entry.minutes.push(MinuteUse { minute, used }),
        }
        if turned && entry.turns.len() < MOST_TURNS {
            entry.turns.push(Turn {
                id: StatusEventId::from_uuid(self.context().new_uuid()),
                at: now,
                status: call.status.as_str().to_owned(),
                failure: call.failure.as_ref().map(|(code, words)| (code.as_str().to_owned(), words.chars().take(LONGEST).collect())),
                request: entry.used.requests,
            });
        }
        entry.last_used_at = now;
        if call.failure.is_none() {
            entry.last_connected_at = Some(now);
        }
    }

    /// Whether a call ended otherwise than the one before, as far as this process knows; the store knows for certain.
    fn turned(&self, integration: IntegrationId, call: &CallUse) -> bool {
        let ended = call.failure.as_ref().map(|(code, _)| *code);
        if ended.is_some_and(callers_mistake) {
            return false;
        }
        open(&self.usage().last).insert(integration, ended) != Some(ended)
    }
}

/// Problems that tell nothing of the connection: the same call would fail on the best one.
fn callers_mistake(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidRequest
            | Code::InvalidBody
            | Code::InvalidField
            | Code::InvalidFilter
            | Code::InvalidOrder
            | Code::InvalidCursor
            | Code::InvalidPatch
            | Code::NotFound
            | Code::OperationUnsupported
            | Code::PayloadTooLarge
            | Code::RateLimited
    )
}

/// Length of the buckets that are kept.
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// The first moment of the interval in which `at` lies, intervals counted from the Unix epoch.
pub(crate) fn first_moment(at: Timestamp, interval: Duration) -> Timestamp {
    let length = i64::try_from(interval.as_micros()).unwrap_or(i64::MAX).max(1);
    let micros = at.unix_micros();
    Timestamp::from_unix_micros(micros - micros.rem_euclid(length)).unwrap_or(at)
}

/// Writes what is pending. What cannot be written is lost, since counting must never hold up a call.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn flush(engine: &Engine) -> Result<(), Problem> {
    if engine.read_only() {
        return Ok(());
    }
    let tokens: Vec<(TokenId, Timestamp)> = std::mem::take(&mut *open(&engine.token_uses().0)).into_iter().collect();
    engine.store().flush_token_uses(&tokens).await?;
    flush_calls(engine).await
}

/// Writes the pending counters of calls alone; without any, nothing is written.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn flush_calls(engine: &Engine) -> Result<(), Problem> {
    if engine.read_only() {
        return Ok(());
    }
    let batch: Vec<_> = engine
        .usage()
        .take()
        .into_values()
        .map(|pending| patchbay_store::Usage {
            organization_id: pending.caller.organization,
            account_id: pending.caller.account,
            integration_id: pending.caller.integration,
            last_used_at: pending.last_used_at,
            last_connected_at: pending.last_connected_at,
            used: pending.used,
            minutes: pending.minutes,
            turns: pending.turns,
        })
        .collect();
    Ok(engine.store().flush_usage(&batch).await?)
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_begin_where_clocks_say() {
        let at: Timestamp = "2026-11-22T10:17:42.5Z".parse().unwrap();
        assert_eq!(first_moment(at, MINUTE).to_string(), "2026-11-22T10:17:00.000000Z");
        assert_eq!(first_moment(at, MINUTE * 60).to_string(), "2026-11-22T10:00:00.000000Z");
        assert_eq!(first_moment(at, MINUTE * 60 * 24).to_string(), "2026-11-22T00:00:00.000000Z");
    }
}

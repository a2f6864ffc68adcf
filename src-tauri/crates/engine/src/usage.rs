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
use crate::contention::again;

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
    /// Whether the provider accepted the credential, however the call ended: a ticket that is not found was looked for.
    pub(crate) connected: bool,
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
    /// When it was last written down that a connection works.
    connected: Mutex<HashMap<IntegrationId, Timestamp>>,
}

/// So soon it is not written down again that a connection works: many who try one at once would only wait for each other.
const JUST_NOW: Duration = Duration::from_secs(1);

struct Pending {
    caller: Caller,
    used: CallSums,
    minutes: Vec<MinuteUse>,
    turns: Vec<Turn>,
    last_used_at: Timestamp,
    last_connected_at: Option<Timestamp>,
}

impl Pending {
    /// Adds what came later.
    fn follow(&mut self, later: Self) {
        let requests = self.used.requests;
        self.used.add(&later.used);
        for minute in later.minutes {
            match self.minutes.iter_mut().find(|known| known.minute == minute.minute) {
                Some(known) => known.used.add(&minute.used),
                None => self.minutes.push(minute),
            }
        }
        let room = MOST_TURNS.saturating_sub(self.turns.len());
        self.turns.extend(later.turns.into_iter().take(room).map(|turn| Turn { request: turn.request + requests, ..turn }));
        self.last_used_at = self.last_used_at.max(later.last_used_at);
        self.last_connected_at = self.last_connected_at.max(later.last_connected_at);
    }
}

/// When tokens were last shown, as far as it is not written yet.
#[derive(Default)]
pub(crate) struct TokenUses(Mutex<HashMap<TokenId, Timestamp>>);

impl Usage {
    fn take(&self) -> HashMap<IntegrationId, Pending> {
        std::mem::take(&mut *open(&self.pending))
    }

    /// Takes back what could not be written, before what came since: the next turn tries again.
    fn put_back(&self, batch: Vec<patchbay_store::Usage>) {
        let mut pending = open(&self.pending);
        for usage in batch {
            let caller = Caller { organization: usage.organization_id, account: usage.account_id, integration: usage.integration_id };
            let (last_used_at, last_connected_at) = (usage.last_used_at, usage.last_connected_at);
            let mut earlier = Pending { caller, used: usage.used, minutes: usage.minutes, turns: usage.turns, last_used_at, last_connected_at };
            if let Some(later) = pending.remove(&usage.integration_id) {
                earlier.follow(later);
            }
            pending.insert(usage.integration_id, earlier);
        }
    }

    /// Whether it is to be written down that a connection works, which somebody who tried it just now may have done already.
    pub(crate) fn connects(&self, integration: IntegrationId, now: Timestamp) -> bool {
        let mut connected = open(&self.connected);
        let known = connected.get(&integration).is_some_and(|at| *at <= now && now.since(*at) < JUST_NOW);
        if !known {
            connected.insert(integration, now);
        }
        !known
    }

    /// Forgets what is not written of an integration.
    pub(crate) fn forget(&self, integration: IntegrationId) {
        open(&self.connected).remove(&integration);
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
        if call.connected {
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

/// Writes what is pending. What cannot be written stays pending, and is lost when the program ends like that.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn flush(engine: &Engine) -> Result<(), Problem> {
    if engine.read_only() {
        return Ok(());
    }
    let tokens: Vec<(TokenId, Timestamp)> = std::mem::take(&mut *open(&engine.token_uses().0)).into_iter().collect();
    if let Err(problem) = write_token_uses(engine, &tokens).await {
        let mut pending = open(&engine.token_uses().0);
        for (token, at) in tokens {
            // A later use that came since stays.
            pending.entry(token).or_insert(at);
        }
        return Err(problem);
    }
    flush_calls(engine).await
}

async fn write_token_uses(engine: &Engine, uses: &[(TokenId, Timestamp)]) -> Result<(), Problem> {
    again!(engine, { Ok(engine.store().flush_token_uses(uses).await?) });
    Ok(())
}

async fn write_calls(engine: &Engine, batch: &[patchbay_store::Usage]) -> Result<(), Problem> {
    again!(engine, { Ok(engine.store().flush_usage(batch).await?) });
    Ok(())
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
    if let Err(problem) = write_calls(engine, &batch).await {
        engine.usage().put_back(batch);
        return Err(problem);
    }
    Ok(())
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An installation with one mock integration.
    async fn installed() -> (tempfile::TempDir, Engine, Caller) {
        use crate::integration::CreateIntegration;
        use patchbay_model::Origin;
        use patchbay_vault::{KeyAccess, KeySource, system_context};

        let folder = tempfile::tempdir().unwrap();
        let store = crate::installation::StoreUrl::Sqlite(folder.path().join("store.db"));
        let keys = KeyAccess::from(KeySource::File(folder.path().join("store.key")));
        let (engine, created) = crate::installation::create(&store, &keys, "Acme", system_context()).await.unwrap();
        let grant = engine.local_grant(created.organization.id, Origin::Cli).await.unwrap();
        let account = crate::account::CreateAccount { name: Some("globex".to_owned()), ..Default::default() };
        crate::account::create(&engine, &grant, account).await.unwrap();
        let new = CreateIntegration { provider_config: serde_json::json!({ "type": "ticketing_mock_ticketing" }), ..CreateIntegration::default() };
        let made = crate::integration::create(&engine, &grant, "globex", new).await.unwrap().integration;
        flush(&engine).await.unwrap();
        (folder, engine, Caller { organization: made.organization_id, account: made.account_id, integration: made.id })
    }

    fn used(connected: bool) -> CallUse {
        let failure = (!connected).then(|| (Code::ProviderUnreachable, "gone".to_owned()));
        CallUse { failure, connected, status: IntegrationStatus::Active, worked: Duration::from_millis(1), db_ops: 1, api_ops: 1, in_bytes: 10, out_bytes: 1 }
    }

    /// What another process sees: last use, last connection, calls and failures.
    async fn seen(folder: &tempfile::TempDir, caller: Caller) -> (Option<Timestamp>, Option<Timestamp>, u64, u64) {
        let store = patchbay_store::Store::open(&folder.path().join("store.db")).await.unwrap();
        let mut tx = store.read(patchbay_model::Scope::Account(caller.organization, caller.account)).await.unwrap();
        let integration = tx.integration(caller.integration).await.unwrap().unwrap();
        let counters = tx.counters(Some(caller.integration)).await.unwrap();
        drop(tx);
        store.close().await;
        (integration.last_used_at, integration.last_connected_at, counters.requests, counters.failed)
    }

    #[test]
    fn many_who_try_a_connection_at_once_write_it_down_once() {
        let (usage, integration) = (Usage::default(), IntegrationId::from_uuid(uuid::Uuid::from_u128(1)));
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        assert!(usage.connects(integration, now));
        assert!(!usage.connects(integration, now.plus(Duration::from_millis(900))));
        assert!(usage.connects(integration, now.plus(Duration::from_secs(1))));
        assert!(usage.connects(integration, now), "the clock was set back");
        usage.forget(integration);
        assert!(usage.connects(integration, now), "of a deleted one nothing is known");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_kill_loses_at_most_what_was_not_written() {
        let (folder, engine, caller) = installed().await;
        let (.., before, failed_before) = seen(&folder, caller).await;
        engine.note_use(caller, used(true));
        let connected = engine.now();
        engine.note_use(caller, used(false));
        flush(&engine).await.unwrap();
        let written = seen(&folder, caller).await;
        assert_eq!((written.2 - before, written.3 - failed_before), (2, 1));
        assert!(written.1.unwrap() <= connected && written.0.unwrap() >= written.1.unwrap(), "a failed call is a use and no connection: {written:?}");
        for _ in 0..3 {
            engine.note_use(caller, used(true));
        }
        assert_eq!(seen(&folder, caller).await, written, "a call writes nothing by itself, so this is what a kill would leave");
        engine.shutdown().await;
        let after = seen(&folder, caller).await;
        assert_eq!((after.2 - before, after.3 - failed_before), (5, 1), "an orderly end loses nothing");
        assert!(after.0 > written.0 && after.1 > written.1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_cannot_be_written_now_is_written_later() {
        let (_folder, engine, caller) = installed().await;
        engine.note_use(caller, used(false));
        engine.store().close().await;
        assert!(flush_calls(&engine).await.is_err());
        engine.note_use(caller, used(true));
        assert!(flush_calls(&engine).await.is_err());
        let pending = engine.usage().take();
        let kept = &pending[&caller.integration];
        assert_eq!((kept.used.requests, kept.used.failed, kept.minutes.iter().map(|minute| minute.used.requests).sum::<u64>()), (2, 1, 2));
        assert_eq!(kept.turns.iter().map(|turn| turn.request).collect::<Vec<_>>(), [1, 2], "each turn knows after how many calls it came");
        assert_eq!(kept.last_connected_at, Some(kept.last_used_at));
    }

    #[test]
    fn intervals_begin_where_clocks_say() {
        let at: Timestamp = "2026-11-22T10:17:42.5Z".parse().unwrap();
        assert_eq!(first_moment(at, MINUTE).to_string(), "2026-11-22T10:17:00.000000Z");
        assert_eq!(first_moment(at, MINUTE * 60).to_string(), "2026-11-22T10:00:00.000000Z");
        assert_eq!(first_moment(at, MINUTE * 60 * 24).to_string(), "2026-11-22T00:00:00.000000Z");
    }
}

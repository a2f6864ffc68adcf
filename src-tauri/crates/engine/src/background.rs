//! What runs beside the verbs: changes of other processes, counters, the purge of what can no longer be undone.

use std::sync::Arc;
use std::time::Duration;

use patchbay_model::deletion::UNDO_WINDOW;
use patchbay_model::{Origin, Problem, Scope, Timestamp};
use patchbay_store::ReadTx;
use tokio::sync::Notify;

use crate::contention::again;
use crate::engine::{Stopping, WeakEngine};
use crate::{Engine, audit, changes, consent, installation, key, member, preflight, refresh, revocation, usage, webhook};

/// How often a file is asked for changes of other processes: soon enough for a window, cheap enough to do always.
const POLL: Duration = Duration::from_millis(400);
/// How often a server is asked, which tells of changes by itself, should it not have been heard.
const MISHEARD: Duration = Duration::from_secs(5);
/// How often counters are written (product.md section 4 demands at least every 30 s).
const FLUSH: Duration = Duration::from_secs(15);
/// How long the steps of renewals are kept.
const KEPT_STEPS: Duration = Duration::from_secs(90 * 86_400);
/// Changes kept for listeners that resume after a gap.
const KEPT_CHANGES: u32 = 100_000;
/// How long time series go back.
const KEPT_MINUTES: Duration = Duration::from_secs(7 * 86_400);
/// How long what happened to integrations is told.
const KEPT_EVENTS: Duration = Duration::from_secs(30 * 86_400);
/// How long the log of deliveries to webhooks goes back.
const KEPT_DELIVERIES: Duration = Duration::from_secs(30 * 86_400);
/// How long it is told what happened in a consent. A callback that comes later still is as good as unknown.
const KEPT_CONSENTS: Duration = Duration::from_secs(30 * 86_400);
/// How long it is told what was taken back at providers, and what proved it. What a person has to see to stays.
const KEPT_REVOCATIONS: Duration = Duration::from_secs(366 * 86_400);
/// How often it is looked whether a version's sunset has begun.
const SUNSETS: Duration = Duration::from_secs(3600);
/// How often it is looked whether a provider app is to be tested.
const NIGHTS: Duration = Duration::from_secs(300);
/// How long links are kept that have ended, so that their list tells what became of them.
const KEPT_LINKS: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often deletions are looked at whose undo window has closed.
const PURGE: Duration = Duration::from_secs(60);

/// Starts the tasks. Without a runtime there are none, which a tool that only reads can live with.
pub(crate) fn start(engine: &Engine) {
    if tokio::runtime::Handle::try_current().is_err() {
        return;
    }
    let (news, patience) = (Arc::new(Notify::new()), if engine.store().path().is_some() { POLL } else { MISHEARD });
    engine.keep(tokio::spawn(changes::hear(engine.store().clone(), news.clone(), engine.stopping(), patience)));
    engine.keep(tokio::spawn(changes::tail(engine.downgrade(), engine.store().watch_changes(), engine.stopping(), news)));
    engine.keep(tokio::spawn(key::work(engine.downgrade(), engine.stopping())));
    if !engine.store().is_read_only() {
        engine.keep(tokio::spawn(webhook::worker::run(engine.downgrade(), engine.subscribe(), engine.stopping())));
        engine.keep(tokio::spawn(refresh::worker::run(engine.downgrade(), engine.stopping())));
        engine.keep(tokio::spawn(revocation::worker::run(engine.downgrade(), engine.subscribe(), engine.stopping())));
        engine.keep(tokio::spawn(every(engine.downgrade(), engine.stopping(), FLUSH, "counters", |engine: Engine| async move { usage::flush(&engine).await })));
        engine.keep(tokio::spawn(every(engine.downgrade(), engine.stopping(), SUNSETS, "sunsets", |engine: Engine| async move {
            installation::sunsets(engine.store(), engine.catalog(), engine.context()).await
        })));
        engine.keep(tokio::spawn(every(engine.downgrade(), engine.stopping(), NIGHTS, "provider apps", |engine: Engine| async move { preflight::run_due(&engine).await })));
        engine.keep(tokio::spawn(every(engine.downgrade(), engine.stopping(), FLUSH, "refusals", |engine: Engine| async move { audit::flush_refusals(&engine, false).await })));
        engine.keep(tokio::spawn(every(engine.downgrade(), engine.stopping(), PURGE, "purge", |engine: Engine| async move { purge_once(&engine).await })));
    }
}

/// Ends consents that nobody finished, and removes deletions whose undo window has closed, and secrets and sessions that have ended.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn purge_once(engine: &Engine) -> Result<(), Problem> {
    // First: what a consent brought that nobody finished is given back, deleted or not.
    consent::end_stale(engine).await?;
    let rows = again!(engine, { purge(engine).await });
    if rows > 0 {
        tracing::debug!(rows, "removed what has ended");
    }
    member::release_locks(engine).await
}

async fn purge(engine: &Engine) -> Result<u64, Problem> {
    let mut tx = engine.store().write_secrets(Scope::System, Origin::Background).await?;
    let now = surely(engine, &mut tx).await?;
    // What a person had authorized is taken back, not only forgotten.
    revocation::release(engine, &mut tx, now.minus(UNDO_WINDOW)).await?;
    let rows = tx.purge_deleted(now.minus(UNDO_WINDOW)).await?
        + tx.remove_expired_tokens(now).await?
        + tx.remove_expired_web_sessions(now).await?
        + tx.remove_ended_public_links(now.minus(KEPT_LINKS)).await?;
    let rows = rows + tx.remove_old_status(now.minus(KEPT_MINUTES), now.minus(KEPT_EVENTS)).await? + tx.remove_old_deliveries(now.minus(KEPT_DELIVERIES)).await?;
    let rows = rows + tx.remove_ended_connect_sessions(now.minus(KEPT_CONSENTS)).await? + tx.remove_old_revocations(now.minus(KEPT_REVOCATIONS)).await?;
    tx.trim_changes(KEPT_CHANGES).await?;
    tx.trim_refresh_steps(now.minus(KEPT_STEPS)).await?;
    tx.commit().await?;
    Ok(rows)
}

/// The time that it is at least: the earlier one of this machine's clock and the database's. What one server lets live must not
/// be ended by another whose clock is ahead, and nothing brings it back.
///
/// # Errors
/// Those of the database.
pub(crate) async fn surely(engine: &Engine, tx: &mut ReadTx) -> Result<Timestamp, Problem> {
    let ours = engine.now();
    Ok(tx.clock(ours).await?.min(ours))
}

/// Runs something at an interval until the engine stops; a failure is logged and tried again at the next turn.
async fn every<F, T>(engine: WeakEngine, mut stopping: Stopping, interval: Duration, what: &'static str, run: F)
where
    F: Fn(Engine) -> T + Send,
    T: Future<Output = Result<(), Problem>> + Send,
{
    loop {
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = stopping.stopped() => return,
        }
        let Some(engine) = engine.upgrade() else { return };
        if let Err(problem) = run(engine).await {
            tracing::warn!(code = problem.code.as_str(), what, "a background task failed and will be tried again");
        }
    }
}

#[cfg(test)]
mod skew;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_late_by_half_a_minute_at_most() {
        assert!(FLUSH * 2 <= Duration::from_secs(30), "one turn may fail because the store is busy");
    }
}

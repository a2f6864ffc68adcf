//! What changed, for listeners that resume after a gap.

use std::sync::Arc;
use std::time::Duration;

use patchbay_model::change::{Change, ChangeKind};
use patchbay_model::{AccountId, Problem, Scope};
use patchbay_store::{ReadTx, Store};
use tokio::sync::{Notify, watch};

use crate::engine::{Stopping, WeakEngine};
use crate::{Engine, ManagementGrant};

/// Between two attempts to hear from a server that went away.
const RECONNECT: Duration = Duration::from_millis(500);
/// Changes read at once by the tail.
const BATCH: u32 = 500;

/// Changes after `sequence` that the caller may see, oldest first, at most `most`. A caller that is narrowed to some
/// accounts is told of these and of points and provider apps, which everybody may read.
///
/// # Errors
/// Problems of the store.
pub async fn since(engine: &Engine, grant: &ManagementGrant, sequence: i64, most: u32) -> Result<Vec<Change>, Problem> {
    let mut tx = engine.store().read(Scope::Organization(grant.organization())).await?;
    let narrowed = grant.permits().iter().all(crate::grant::Permit::narrowed);
    let mut seen = sequence;
    let mut visible = Vec::new();
    // What is filtered out must not make an answer look like the end.
    while visible.len() < most as usize {
        let page = tx.changes_since(seen, most).await?;
        let Some(last) = page.last() else { break };
        seen = last.sequence;
        for change in page {
            if visible.len() < most as usize && (!narrowed || within(&mut tx, grant, &change).await?) {
                visible.push(change);
            }
        }
    }
    Ok(visible)
}

async fn within(tx: &mut ReadTx, grant: &ManagementGrant, change: &Change) -> Result<bool, Problem> {
    match change.account_id {
        // An account that is gone is told of too: whoever saw it must take it off the screen.
        Some(account) => Ok(tx.account(account).await?.is_none_or(|account| grant.reaches(&account))),
        None => Ok(matches!(change.kind, ChangeKind::Organization | ChangeKind::IntegrationPoint | ChangeKind::ProviderApp)),
    }
}

/// Whether the caller may be told of a change in this account, or in none; what belongs to another organization is never told.
///
/// # Errors
/// Problems of the store.
pub async fn visible(engine: &Engine, grant: &ManagementGrant, account: Option<AccountId>) -> Result<bool, Problem> {
    if grant.permits().iter().any(|permit| !permit.narrowed()) {
        return Ok(true);
    }
    let Some(account) = account else { return Ok(false) };
    let mut tx = engine.store().read(Scope::Organization(grant.organization())).await?;
    Ok(tx.account(account).await?.is_some_and(|account| grant.reaches(&account)))
}

/// The newest sequence of the store, from which a new listener goes on.
///
/// # Errors
/// Problems of the store.
pub async fn latest(engine: &Engine) -> Result<i64, Problem> {
    Ok(engine.store().read(Scope::System).await?.latest_sequence().await?)
}

/// Whether the store answers, for readiness checks.
///
/// # Errors
/// Problems of the store.
pub async fn ready(engine: &Engine) -> Result<(), Problem> {
    latest(engine).await.map(|_| ())
}

/// Hears of what other processes do: a server says so at once, a file is looked at every `patience`. What a server said while
/// the connection was lost is made up for: after a loss, and every `patience` anyway, `news` says that there may be some.
pub(crate) async fn hear(store: Store, news: Arc<Notify>, mut stopping: Stopping, patience: Duration) {
    loop {
        let heard = tokio::select! {
            heard = store.wait_for_changes(patience) => heard,
            () = stopping.stopped() => return,
        };
        news.notify_one();
        if let Err(error) = heard {
            tracing::warn!(%error, "the connection on which changes are told was lost and is made anew");
            tokio::select! {
                () = tokio::time::sleep(RECONNECT) => {}
                () = stopping.stopped() => return,
            }
        }
    }
}

/// Feeds the engine's listeners: at once with what this process commits, and with what others do when `news` says so.
pub(crate) async fn tail(engine: WeakEngine, mut commits: watch::Receiver<i64>, mut stopping: Stopping, news: Arc<Notify>) {
    let mut seen = *commits.borrow_and_update();
    loop {
        let polls = tokio::select! {
            changed = commits.changed() => match changed {
                Ok(()) => false,
                Err(_) => return,
            },
            () = news.notified() => true,
            () = stopping.stopped() => return,
        };
        let Some(engine) = engine.upgrade() else { return };
        if polls {
            if let Err(error) = engine.store().poll_changes().await {
                tracing::warn!(%error, "the store could not be asked for changes");
                continue;
            }
            if *commits.borrow_and_update() <= seen {
                continue;
            }
        }
        match pass_on(&engine, seen).await {
            Ok(newest) => seen = newest,
            Err(problem) => tracing::warn!(code = problem.code.as_str(), "changes could not be read and will be tried again"),
        }
    }
}

async fn pass_on(engine: &Engine, mut seen: i64) -> Result<i64, Problem> {
    let mut tx = engine.store().read(Scope::System).await?;
    loop {
        let page = tx.tail_changes(seen, BATCH).await?;
        let full = page.len() >= BATCH as usize;
        for (_, change) in page {
            seen = seen.max(change.sequence);
            if change.kind == ChangeKind::Key {
                engine.keys().wake();
            }
            engine.announce(change);
        }
        if !full {
            return Ok(seen);
        }
    }
}

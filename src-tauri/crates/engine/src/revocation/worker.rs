//! Looking after revocations in whichever process has the store open: each is one process's at a time, many go on side by side.

use std::collections::HashSet;
use std::time::Duration;

use patchbay_model::change::{Change, ChangeKind};
use patchbay_model::{Problem, RevocationId, Scope};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;

use super::attempt;
use crate::Engine;
use crate::engine::{Stopping, WeakEngine};

/// Revocations that are looked at side by side.
const WIDTH: usize = 8;
/// How many are read at once.
const PAGE: u32 = 100;
/// How long a process looks around before it begins.
const SETTLE: Duration = Duration::from_millis(500);
/// How often the store is asked without a reason, should the clock have jumped or another process have died.
const LOOK: Duration = Duration::from_secs(30);

/// What is under way in this process.
#[derive(Default)]
struct Working {
    busy: HashSet<RevocationId>,
    /// Others are at these; they are left alone until the next look without a reason.
    left: HashSet<RevocationId>,
    tasks: JoinSet<(RevocationId, bool)>,
}

impl Working {
    /// Begins what is due, as far as there is room. Gives in how long something else will be due.
    async fn begin_due(&mut self, engine: &Engine) -> Result<Option<Duration>, Problem> {
        let mut tx = engine.store().read(Scope::System).await?;
        let (due, now) = (tx.due_revocations(PAGE).await?, tx.clock(engine.now()).await?);
        drop(tx);
        for revocation in due {
            if self.busy.contains(&revocation.id) || self.left.contains(&revocation.id) {
                continue;
            }
            if revocation.due > now {
                return Ok(Some(revocation.due.since(now)));
            }
            if self.tasks.len() >= WIDTH {
                return Ok(None);
            }
            self.busy.insert(revocation.id);
            let engine = engine.clone();
            self.tasks.spawn(async move {
                let _held = engine.hold();
                let looked = attempt::work(&engine, revocation).await.unwrap_or_else(|problem| {
                    tracing::warn!(revocation = %revocation.id, code = problem.code.as_str(), "a revocation could not be looked at and will be again");
                    false
                });
                (revocation.id, looked)
            });
        }
        Ok(None)
    }

    /// Waits until one has been looked at; for ever when none is. Says whether it was.
    async fn one_ended(&mut self) -> bool {
        match self.tasks.join_next().await {
            Some(Ok((revocation, looked))) => {
                self.busy.remove(&revocation);
                if !looked {
                    self.left.insert(revocation);
                }
                looked
            }
            // A task that panicked cannot say whose it was; its lease ends by itself.
            Some(Err(_)) => {
                self.busy.clear();
                false
            }
            None => std::future::pending().await,
        }
    }
}

/// Runs until the engine stops. What is under way then is finished: the engine waits for it.
pub(crate) async fn run(engine: WeakEngine, mut changes: broadcast::Receiver<Change>, mut stopping: Stopping) {
    tokio::select! {
        () = tokio::time::sleep(SETTLE) => {}
        () = stopping.stopped() => return,
    }
    let mut working = Working::default();
    loop {
        let Some(strong) = engine.upgrade() else { return };
        let next = match working.begin_due(&strong).await {
            Ok(next) => next.map_or(LOOK, |wait| wait.min(LOOK)),
            Err(problem) => {
                tracing::warn!(code = problem.code.as_str(), "revocations could not be looked after and will be tried again");
                LOOK
            }
        };
        drop(strong);
        tokio::select! {
            () = tokio::time::sleep(next) => working.left.clear(),
            _ = working.one_ended() => {}
            () = news(&mut changes) => {}
            () = stopping.stopped() => break,
        }
    }
    while working.tasks.join_next().await.is_some() {}
}

/// Waits for something that may be due.
async fn news(changes: &mut broadcast::Receiver<Change>) {
    loop {
        match changes.recv().await {
            Ok(change) if change.kind == ChangeKind::Revocation => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Looks at every revocation that is due now, once, without waiting for what is due later. Gives how many were looked at. Processes
/// that are open do this by themselves; it is for those that are not, and for tests.
///
/// # Errors
/// Problems of the store.
pub async fn revoke_due(engine: &Engine) -> Result<usize, Problem> {
    let mut working = Working::default();
    let mut looked = 0;
    loop {
        working.begin_due(engine).await?;
        if working.tasks.is_empty() {
            return Ok(looked);
        }
        looked += usize::from(working.one_ended().await);
    }
}

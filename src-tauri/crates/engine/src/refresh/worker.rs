//! Renewal without anybody asking, in whichever process has the store open: one at a time for each credential over all of them, many
//! side by side.

use std::time::Duration;

use patchbay_model::credential::CredentialOwner;
use patchbay_model::deadline::{Clock, ClockKind, ClockOwner, DueClock, MAIN_TOKEN};
use patchbay_model::integration::IntegrationStatus;
use patchbay_model::refresh::RefreshReason;
use patchbay_model::{CredentialId, Origin, Problem, Scope};
use patchbay_providers::manifest::lifetime::Silent;
use tokio::task::JoinSet;

use super::{By, ahead, journal, renew};
use crate::contention::again;
use crate::engine::{Stopping, WeakEngine};
use crate::{Engine, definition};

/// Renewals side by side.
const WIDTH: usize = 16;
/// How long a process leaves this to others before it begins. Whoever calls is served at once anyway.
const SETTLE: Duration = Duration::from_secs(60);
/// How often the store is asked without a reason.
const LOOK: Duration = Duration::from_secs(30);
/// How long one that was taken up is left alone by others; tried again then, should nothing have become of it.
const AGAIN: Duration = Duration::from_secs(300);

/// Runs until the engine stops. A renewal that is under way then is finished: the engine waits for it.
pub(crate) async fn run(engine: WeakEngine, mut stopping: Stopping) {
    tokio::select! {
        () = tokio::time::sleep(SETTLE) => {}
        () = stopping.stopped() => return,
    }
    loop {
        let Some(strong) = engine.upgrade() else { return };
        let next = async {
            renew_due(&strong).await?;
            next(&strong).await
        };
        let wait = tokio::select! {
            next = next => next.unwrap_or_else(|problem| {
                tracing::warn!(code = problem.code.as_str(), "tokens could not be renewed ahead of their time and will be tried again");
                LOOK
            }),
            () = stopping.stopped() => return,
        };
        drop(strong);
        tokio::select! {
            () = tokio::time::sleep(wait.min(LOOK)) => {}
            () = stopping.stopped() => return,
        }
    }
}

/// In how long something is due.
async fn next(engine: &Engine) -> Result<Duration, Problem> {
    let mut tx = engine.store().read(Scope::System).await?;
    let now = tx.clock(engine.now()).await?;
    Ok(tx.next_clock().await?.map_or(LOOK, |at| at.since(now)))
}

/// Renews what is due now, and what is kept alive or tried now and then. Gives how many were taken up. Processes that are open do this by
/// themselves; it is for those that are not, and for tests.
///
/// # Errors
/// Problems of the store. What providers bring is written down where it belongs.
pub async fn renew_due(engine: &Engine) -> Result<usize, Problem> {
    let mut tasks = JoinSet::new();
    let mut taken = 0;
    loop {
        let mut tx = engine.store().read(Scope::System).await?;
        let now = tx.clock(engine.now()).await?;
        let due = tx.due_clocks(now, u32::try_from(WIDTH).unwrap_or_default()).await?;
        drop(tx);
        if due.is_empty() {
            break;
        }
        for clock in due {
            if !again!(engine, { claim(engine, &clock).await }) {
                continue;
            }
            taken += 1;
            let engine = engine.clone();
            tasks.spawn(async move {
                let _held = engine.hold();
                if let Err(problem) = see_to(&engine, &clock).await {
                    tracing::info!(owner = %clock.owner.uuid(), code = problem.code.as_str(), "what was due could not be renewed: {}", problem.message);
                }
            });
        }
        while tasks.len() >= WIDTH {
            tasks.join_next().await;
        }
    }
    while tasks.join_next().await.is_some() {}
    Ok(taken)
}

fn scope(due: &DueClock) -> Scope {
    due.account_id.map_or(Scope::Organization(due.organization_id), |account| Scope::Account(due.organization_id, account))
}

/// Takes a clock up, once over all processes. It is due again later, should nothing become of it.
async fn claim(engine: &Engine, due: &DueClock) -> Result<bool, Problem> {
    let mut tx = engine.store().write(scope(due), Origin::Background).await?;
    let later = tx.clock(engine.now()).await?.plus(AGAIN);
    let claimed = tx.turn_clock(due, Some(later)).await?;
    tx.commit().await?;
    Ok(claimed)
}

/// Lets a clock rest until it is written anew.
async fn rest(engine: &Engine, due: &DueClock) -> Result<(), Problem> {
    again!(engine, {
        let mut tx = engine.store().write(scope(due), Origin::Background).await?;
        tx.rest_clock(due).await?;
        tx.commit().await?;
        Ok(())
    });
    Ok(())
}

async fn see_to(engine: &Engine, due: &DueClock) -> Result<(), Problem> {
    let ClockOwner::Credential(id) = due.owner else { return rest(engine, due).await };
    let scope = scope(due);
    let mut tx = engine.store().read_secrets(scope).await?;
    let Some(CredentialOwner::Integration(_, integration)) = tx.credential(id).await?.map(|credential| credential.owner) else { return rest(engine, due).await };
    let Some(integration) = tx.integration(integration).await? else { return rest(engine, due).await };
    // What a person has to see to is not asked again and again; a pause does not let anything die.
    let works = matches!(integration.status, IntegrationStatus::Active | IntegrationStatus::Paused) || integration.callable().is_ok();
    if !works {
        return rest(engine, due).await;
    }
    match due.clock.kind {
        ClockKind::NonexpiringProbe => {
            let definition = definition::pinned(engine, &mut tx, integration.definition).await?;
            drop(tx);
            let server = engine.provider_of(&definition).and_then(|provider| {
                let word = integration.config.pointer("/credential/type").and_then(serde_json::Value::as_str)?;
                provider.consent(word).cloned()
            });
            let days = match server.map(|server| server.lifetime.access.silent) {
                Some(Silent::NonExpiring { probe_days }) => probe_days.max(1),
                _ => return rest(engine, due).await,
            };
            // Its refusal is written down by the probe itself.
            let tried = engine.probe(&integration).await;
            let at = engine.now().plus(Duration::from_secs(u64::from(days) * 86_400));
            again!(engine, {
                let mut tx = engine.store().write(scope, Origin::Background).await?;
                tx.move_clock(due, &Clock { at, renew_at: Some(at), ..due.clock.clone() }).await?;
                tx.commit().await?;
                Ok(())
            });
            tried.map(drop)
        }
        ClockKind::Access if !ahead::in_use(&integration, engine.now()) => rest(engine, due).await,
        ClockKind::Access | ClockKind::RefreshIdle => {
            drop(tx);
            ahead_of_time(engine, scope, id, due).await
        }
        _ => rest(engine, due).await,
    }
}

async fn ahead_of_time(engine: &Engine, scope: Scope, id: CredentialId, due: &DueClock) -> Result<(), Problem> {
    let mut tx = engine.store().write_secrets(scope, Origin::Background).await?;
    // A call may have renewed it since it was seen to be due, and what came then is not due.
    let renewed = !tx.clocks_of(due.owner).await?.iter().any(|clock| (clock.kind, &clock.token, clock.at) == (due.clock.kind, &due.clock.token, due.clock.at));
    if renewed {
        return Ok(());
    }
    let (credential, set) = journal::read(engine, &mut tx, id).await?;
    drop(tx);
    match renew(engine, scope, &credential, &set, &due.clock.token, RefreshReason::Due, By::Clock).await {
        Ok(_) => Ok(()),
        Err(trouble) => {
            // The integration may go on without this token, and asking again would bring nothing.
            if trouble.needs_person && due.clock.token != MAIN_TOKEN {
                rest(engine, due).await?;
            }
            Err(trouble.problem)
        }
    }
}

//! Every night every provider app is tested, by whichever process comes first.

use std::time::Duration;

use patchbay_model::preflight::DueApp;
use patchbay_model::{Origin, Problem, ProviderAppId, Scope, Timestamp};

use super::test;
use crate::Engine;
use crate::contention::again;

/// Apps that one turn takes over.
const AT_ONCE: u32 = 50;
const DAY: u64 = 86_400;
/// When a night begins and how long it is: between two and five in the morning, UTC.
const EVENING: u64 = 2 * 3600;
const NIGHT: u64 = 3 * 3600;

/// Tests what is due. An app that nobody has thought of yet waits for its first night.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn run_due(engine: &Engine) -> Result<(), Problem> {
    test_due(engine).await.map(drop)
}

/// The same; gives how many apps were tested. Processes that are open do this by themselves; it is for those that are not, and for tests.
///
/// # Errors
/// Problems of the store.
pub async fn test_due(engine: &Engine) -> Result<usize, Problem> {
    let mut tested = 0;
    loop {
        let mut tx = engine.store().read(Scope::System).await?;
        let now = tx.clock(engine.now()).await?;
        let due = tx.due_provider_apps(now, AT_ONCE).await?;
        drop(tx);
        if due.is_empty() {
            return Ok(tested);
        }
        for app in due {
            tested += usize::from(one(engine, &app, now).await?);
        }
    }
}

/// Takes one app over and tests it. Says whether it was tested.
async fn one(engine: &Engine, due: &DueApp, now: Timestamp) -> Result<bool, Problem> {
    let scope = Scope::Organization(due.organization_id);
    let app = again!(engine, {
        let mut tx = engine.store().write(scope, Origin::Background).await?;
        let ours = tx.claim_app_check(due, next_night(due.id, now)).await?;
        let app = if ours && due.due.is_some() { tx.provider_app(due.id).await? } else { None };
        tx.commit().await?;
        Ok(app)
    });
    let Some(app) = app else { return Ok(false) };
    // One app with trouble of its own must not keep the others from being tested; the next night comes.
    if let Err(problem) = test(engine, &app).await {
        tracing::warn!(app = app.name.as_str(), code = problem.code.as_str(), "a provider app could not be tested");
    }
    Ok(true)
}

/// The app's moment in the next night: spread over it, and the same every night.
pub(super) fn next_night(app: ProviderAppId, now: Timestamp) -> Timestamp {
    let share = u64::try_from(app.uuid().as_u128() % u128::from(NIGHT)).unwrap_or_default();
    let since = u64::try_from(now.unix_millis() / 1000).unwrap_or_default() % DAY;
    let midnight = now.minus(Duration::from_secs(since)).minus(Duration::from_micros(u64::try_from(now.unix_micros() % 1_000_000).unwrap_or_default()));
    let tonight = midnight.plus(Duration::from_secs(EVENING + share));
    if tonight > now { tonight } else { tonight.plus(Duration::from_secs(DAY)) }
}

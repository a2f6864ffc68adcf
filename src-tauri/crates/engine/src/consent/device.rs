//! Consent by way of a device (RFC 8628): whoever waits for the outcome asks the provider, in its interval, which holds over all
//! processes; one of them takes the tokens.

use std::time::Duration;

use patchbay_model::consent::{ConnectLeg, ConnectSession, ConnectState, ConsentRoute, DevicePrompt, LegState};
use patchbay_model::flight::{StepDetail, StepKind};
use patchbay_model::{Code, ConnectSessionId, Operation, Problem, Scope, Timestamp};
use patchbay_providers::manifest::At;

use super::exchange::{self, Finished};
use super::explain::Trouble;
use super::finish;
use super::flight::Trail;
use crate::background::surely;
use crate::contention::again;
use crate::oauth::{self, Polled, Refusal};
use crate::{CallerInfo, Engine, ManagementGrant};

/// Seconds more between two questions when the provider asks for that (RFC 8628 section 3.5).
const SLOWER: u32 = 5;
/// Most of them.
const SLOWEST: u32 = 300;
/// How long whoever waits is kept waiting by one question. It goes on without them.
const PATIENCE: Duration = Duration::from_secs(4);

/// What the person of a consent that is under way enters where.
///
/// # Errors
/// `not_found` and problems of permission.
pub async fn prompt(engine: &Engine, grant: &ManagementGrant, session: ConnectSessionId) -> Result<Option<DevicePrompt>, Problem> {
    let mut tx = engine.store().read(grant.scope()).await?;
    let session = super::reachable(&mut tx, grant, Operation::ConnectGet, session).await?;
    if session.state != ConnectState::Begun || session.route != ConsentRoute::Device {
        return Ok(None);
    }
    Ok(tx.connect_legs(session.id).await?.last().and_then(|leg| leg.device.as_ref()).map(DevicePrompt::from))
}

/// Asks the provider whether the person has answered, if a leg waits for that and its time has come.
///
/// # Errors
/// Those of the store. Whatever the provider says is written down.
pub(super) async fn look(engine: &Engine, caller: &CallerInfo, session: &ConnectSession) -> Result<(), Problem> {
    if session.state != ConnectState::Begun {
        return Ok(());
    }
    let scope = Scope::Account(session.organization_id, session.account_id);
    let mut tx = engine.store().read(scope).await?;
    let now = surely(engine, &mut tx).await?;
    let due = |leg: &ConnectLeg| leg.state == LegState::Opened && leg.device.as_ref().is_some_and(|device| device.next_poll_at <= now);
    // Of several codes the one that has waited longest, so that none is forgotten over another.
    let waiting = |leg: &ConnectLeg| leg.device.as_ref().map(|device| device.next_poll_at);
    let Some(leg) = tx.connect_legs(session.id).await?.into_iter().filter(due).min_by_key(waiting) else { return Ok(()) };
    drop(tx);
    // In a task of its own: whoever waits may go away, and tokens that came must not be lost with them.
    let (engine, caller, session) = (engine.clone(), caller.clone(), session.clone());
    let task = tokio::spawn(async move {
        let _held = engine.hold();
        ask(&engine, scope, &caller, &session, leg).await
    });
    match tokio::time::timeout(PATIENCE, task).await {
        Ok(done) => done.map_err(|_| Problem::internal("the consent was interrupted"))?,
        Err(_) => Ok(()),
    }
}

async fn ask(engine: &Engine, scope: Scope, caller: &CallerInfo, session: &ConnectSession, leg: ConnectLeg) -> Result<(), Problem> {
    let Some(device) = leg.device.clone() else { return Ok(()) };
    let next = |seconds: u32| engine.now().plus(Duration::from_secs(u64::from(seconds)));
    let turn = next(device.poll_seconds);
    if !turned(engine, scope, caller, &leg, (device.next_poll_at, turn, device.poll_seconds)).await? {
        return Ok(());
    }
    let polled = match question(engine, scope, session, &leg).await {
        Ok(polled) => polled,
        // Without the server's addresses, or the client, nothing can be asked: that may be so for a moment only.
        Err(problem) => Polled::Unknown(problem),
    };
    let mut trail = Trail::default();
    let failed = match polled {
        Polled::Pending => return Ok(()),
        Polled::Slower => {
            let seconds = device.poll_seconds.saturating_add(SLOWER).min(SLOWEST);
            return turned(engine, scope, caller, &leg, (turn, next(seconds), seconds)).await.map(drop);
        }
        Polled::Unknown(problem) => {
            tracing::warn!(%problem, session = %session.id, "a provider could not be asked whether the person at a device has answered");
            // RFC 8628 section 3.5: whoever is not answered asks less often.
            let seconds = device.poll_seconds.saturating_mul(2).min(SLOWEST);
            return turned(engine, scope, caller, &leg, (turn, next(seconds), seconds)).await.map(drop);
        }
        Polled::Granted(new) => match taken(engine, scope, caller, &leg).await? {
            Some(session) => match exchange::gather(engine, scope, &session, Some(&leg)).await {
                Ok(material) => {
                    let words = Some("The person has agreed.".to_owned());
                    trail.add(StepKind::Answer, Some(&leg), engine.now(), StepDetail { words, ..StepDetail::default() });
                    exchange::established(engine, scope, caller, &session, &material, *new, (Some(&leg), &mut trail)).await.map(|Finished { .. }| ()).err()
                }
                Err(problem) => Some(problem),
            },
            None => {
                tracing::warn!(session = %session.id, "a person agreed at a device to a consent that has ended");
                return Ok(());
            }
        },
        Polled::Refused(refusal) => {
            let (error, words, status) = (Some(refusal.error.clone()), refusal.description.clone(), Some(refusal.status));
            trail.add(StepKind::Answer, Some(&leg), engine.now(), StepDetail { error: error.clone(), words: words.clone(), status, ..StepDetail::default() });
            trail.trouble = Some((At::Token, Trouble { code: error, words, status, ..Trouble::default() }));
            Some(over(&refusal))
        }
        Polled::Nonsense(status) => Some(Problem::new(
            Code::ProviderInvalidAnswer,
            format!("The provider's token endpoint answers with something that is neither tokens nor an error (status {status}). Connect in another way."),
        )),
    };
    let Some(problem) = failed else { return Ok(()) };
    finish::failed(engine, scope, caller, (session, Some(&leg)), &trail, &problem).await
}

/// Moves the next question on, if nobody else has: `(seen, next, seconds apart)`.
async fn turned(engine: &Engine, scope: Scope, caller: &CallerInfo, leg: &ConnectLeg, (seen, next, seconds): (Timestamp, Timestamp, u32)) -> Result<bool, Problem> {
    Ok(again!(engine, {
        let mut tx = engine.store().write(scope, caller.origin).await?;
        let turned = tx.turn_device_leg(leg.id, seen, next, seconds).await?;
        tx.commit().await?;
        Ok(turned)
    }))
}

async fn question(engine: &Engine, scope: Scope, session: &ConnectSession, leg: &ConnectLeg) -> Result<Polled, Problem> {
    let material = exchange::gather(engine, scope, session, Some(leg)).await?;
    let authority = material.authority(engine).await?;
    finish::same_authority(session, &authority)?;
    let code = material.device_code.as_ref().ok_or_else(|| Problem::internal("a leg by way of a device has no device code"))?;
    oauth::poll(engine, &authority, &material.client, code).await
}

/// Takes the answer, which can be done once. None where the consent has ended meanwhile.
async fn taken(engine: &Engine, scope: Scope, caller: &CallerInfo, leg: &ConnectLeg) -> Result<Option<ConnectSession>, Problem> {
    Ok(again!(engine, {
        let mut tx = engine.store().write(scope, caller.origin).await?;
        let now = surely(engine, &mut tx).await?;
        if !tx.answer_connect_leg(leg, now).await? {
            return Ok(None);
        }
        let session = tx.begin_exchange(leg.session_id, Some(leg), now).await?;
        if session.is_some() {
            tx.commit().await?;
        }
        Ok(session)
    }))
}

/// Why it is over (RFC 8628 section 3.5).
fn over(refusal: &Refusal) -> Problem {
    let says = refusal.description.as_deref().map(|words| format!(" The provider says: `{words}`.")).unwrap_or_default();
    let (code, step) = match refusal.error.as_str() {
        "expired_token" => (Code::ConsentExpired, "The code was not entered in time. Begin the consent again.".to_owned()),
        "access_denied" => (Code::ConsentDenied, "The person or the provider refused. Begin the consent again when that is settled.".to_owned()),
        error => (Code::ProviderRefused, format!("The provider ended the consent with `{error}`. Begin it again.")),
    };
    let mut problem = Problem::new(code, format!("{step}{says}"));
    problem.context.raw_error = Some(refusal.error.clone());
    problem
}

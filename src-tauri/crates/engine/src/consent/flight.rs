//! The flight recorder of a consent: what happened on the way, without what must stay secret. Steps of ours are written in the
//! transaction in which they happen; a window tells what it saw in batches.

use patchbay_model::consent::{ConnectLeg, ConnectSession, ConnectState};
use patchbay_model::flight::{FlightStep, MOST_STEPS, NewStep, StepDetail, StepKind, redact};
use patchbay_model::{ConnectSessionId, Operation, Origin, Problem, Scope, Secret, Timestamp};
use patchbay_providers::manifest::At;
use patchbay_store::WriteTx;
use url::Url;

use super::explain::Trouble;
use crate::contention::again;
use crate::{Engine, ManagementGrant};

/// Steps that are kept free for those of ours: a page that goes round in circles must not hide how a consent ended.
const OURS: u32 = 40;

/// What happened between an answer and the end of its consent, which is written down with that end.
#[derive(Clone, Default)]
pub(super) struct Trail {
    /// In their order.
    pub(super) steps: Vec<NewStep>,
    /// What the provider said that went wrong, and where.
    pub(super) trouble: Option<(At, Trouble)>,
}

impl Trail {
    /// Adds a step.
    pub(super) fn add(&mut self, kind: StepKind, leg: Option<&ConnectLeg>, at: Timestamp, detail: StepDetail) {
        self.steps.push(step(kind, leg, at, detail));
    }
}

/// A step of ours.
pub(super) fn step(kind: StepKind, leg: Option<&ConnectLeg>, at: Timestamp, detail: StepDetail) -> NewStep {
    NewStep { kind, leg: leg.map(|leg| leg.id), at, detail }
}

/// A problem as a detail.
pub(super) fn failed(problem: &Problem) -> StepDetail {
    StepDetail { code: Some(problem.code), words: Some(problem.message.clone()), ..StepDetail::default() }
}

/// What is told of an address; `state` is the one that was sent.
pub(super) fn at(url: &Url, state: Option<&Secret>) -> StepDetail {
    StepDetail { seen: Some(redact(url, state.map(Secret::expose))), ..StepDetail::default() }
}

/// Writes steps down in the transaction in which they happened.
///
/// # Errors
/// Those of the store.
pub(super) async fn write(tx: &mut WriteTx, session: &ConnectSession, steps: Vec<NewStep>) -> Result<(), Problem> {
    tx.add_flight_steps(session, steps, MOST_STEPS).await?;
    Ok(())
}

/// Writes a step down by itself, about what is not stored otherwise. Whether that works decides nothing.
pub(super) async fn note(engine: &Engine, session: &ConnectSession, origin: Origin, step: NewStep) {
    if let Err(problem) = noted(engine, session, origin, &step).await {
        tracing::debug!(code = problem.code.as_str(), session = %session.id, "a step of a consent could not be recorded");
    }
}

async fn noted(engine: &Engine, session: &ConnectSession, origin: Origin, step: &NewStep) -> Result<(), Problem> {
    let scope = Scope::Account(session.organization_id, session.account_id);
    again!(engine, {
        let mut tx = engine.store().write(scope, origin).await?;
        tx.add_flight_steps(session, vec![step.clone()], MOST_STEPS - OURS / 2).await?;
        tx.commit().await?;
        Ok(())
    });
    Ok(())
}

/// The steps of a consent, in their order.
///
/// # Errors
/// `not_found` and problems of permission.
pub async fn flight(engine: &Engine, grant: &ManagementGrant, session: ConnectSessionId) -> Result<Vec<FlightStep>, Problem> {
    let mut tx = engine.store().read(grant.scope()).await?;
    let session = super::reachable(&mut tx, grant, Operation::ConnectFlight, session).await?;
    Ok(tx.flight_steps(session.id).await?)
}

/// Adds what a window saw; gives how many steps there are now. Of a consent that is over nothing is added.
///
/// # Errors
/// `invalid_field` for steps that are not a window's to tell, and problems of permission.
pub async fn record(engine: &Engine, grant: &ManagementGrant, session: ConnectSessionId, steps: Vec<NewStep>) -> Result<u32, Problem> {
    if let Some((place, step)) = steps.iter().enumerate().find(|(_, step)| !step.kind.is_of_a_window()) {
        return Err(Problem::field(&format!("/steps/{place}/kind"), format!("`{}` is not for a window to tell.", step.kind.as_str())));
    }
    let mut tx = engine.store().write(grant.scope(), grant.caller().origin).await?;
    let session = super::reachable(&mut tx, grant, Operation::ConnectRecord, session).await?;
    if !matches!(session.state, ConnectState::Begun | ConnectState::Exchanging) {
        return Ok(u32::try_from(tx.flight_steps(session.id).await?.len()).unwrap_or(MOST_STEPS));
    }
    let count = tx.add_flight_steps(&session, steps, MOST_STEPS - OURS).await?;
    tx.commit().await?;
    Ok(count)
}

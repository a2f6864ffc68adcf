//! Ends a consent that the person gave up.

use patchbay_model::change::ChangeKind;
use patchbay_model::consent::{ConnectSession, ConnectState};
use patchbay_model::flight::{StepDetail, StepKind};
use patchbay_model::{ConnectSessionId, Operation, Problem};

use super::flight;
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant};

/// Ends a consent that the person gave up. One that is over, or whose answer has just arrived, stays as it is.
///
/// # Errors
/// `not_found` and problems of permission.
pub async fn cancel(engine: &Engine, grant: &ManagementGrant, session: ConnectSessionId) -> Result<ConnectSession, Problem> {
    let mut tx = engine.store().write(grant.scope(), grant.caller().origin).await?;
    let before = super::reachable(&mut tx, grant, Operation::ConnectCancel, session).await?;
    if before.state != ConnectState::Begun {
        return Ok(before);
    }
    tx.end_connect_session(session, ConnectState::Cancelled, Some("The person gave up."), engine.now()).await?;
    let detail = StepDetail { words: Some("The person gave up.".to_owned()), ..StepDetail::default() };
    flight::write(&mut tx, &before, vec![flight::step(StepKind::Ended, None, engine.now(), detail)]).await?;
    let done = Done::changed(Operation::ConnectCancel)
        .in_account(before.account_id)
        .on_integration(before.integration_id)
        .object(ChangeKind::ConnectSession, session.uuid())
        .giving(session, "");
    record(engine, &mut tx, grant, done).await?;
    let after = tx.connect_session(session).await?.unwrap_or(before);
    tx.commit().await?;
    Ok(after)
}

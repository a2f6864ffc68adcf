//! Ends a consent that the person gave up.

use patchbay_model::change::ChangeKind;
use patchbay_model::consent::{ConnectSession, ConnectState};
use patchbay_model::flight::{StepDetail, StepKind};
use patchbay_model::{ConnectSessionId, Operation, Problem};

use super::{choice, flight};
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant};

/// Why it ended.
const GAVE_UP: &str = "The person gave up.";

/// Ends a consent that the person gave up; what it brought already is taken back at the provider. One that is over, or whose answer has just arrived, stays as it is.
///
/// # Errors
/// `not_found` and problems of permission.
pub async fn cancel(engine: &Engine, grant: &ManagementGrant, session: ConnectSessionId) -> Result<ConnectSession, Problem> {
    let mut tx = engine.store().write_secrets(grant.scope(), grant.caller().origin).await?;
    let before = super::reachable(&mut tx, grant, Operation::ConnectCancel, session).await?;
    match before.state {
        ConnectState::Begun => {
            tx.end_connect_session(session, ConnectState::Cancelled, Some(GAVE_UP), engine.now()).await?;
            let detail = StepDetail { words: Some(GAVE_UP.to_owned()), ..StepDetail::default() };
            flight::write(&mut tx, &before, vec![flight::step(StepKind::Ended, None, engine.now(), detail)]).await?;
        }
        ConnectState::Choosing => choice::abandon(engine, &mut tx, &before, ConnectState::Cancelled, GAVE_UP).await?,
        ConnectState::Exchanging | ConnectState::Completed | ConnectState::Failed { .. } | ConnectState::Cancelled => return Ok(before),
    }
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

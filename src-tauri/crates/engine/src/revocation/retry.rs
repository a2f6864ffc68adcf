//! Asks the provider now, without waiting for the next time.

use patchbay_model::change::ChangeKind;
use patchbay_model::revocation::Revocation;
use patchbay_model::{Code, Operation, Problem};

use super::permitted;
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Has the provider asked at once, where something is still to be asked.
///
/// # Errors
/// `invalid_request` when it is at its end, since nothing is kept to ask with; `not_found`, `permission_denied`; problems of the store.
pub async fn retry(engine: &Engine, grant: &ManagementGrant, revocation: &str) -> Result<Revocation, Problem> {
    let mut tx = reach::writing(engine, grant).await?;
    let mut revocation = permitted(&mut tx, grant, Operation::RevocationsRetry, revocation).await?;
    if revocation.next_attempt_at.is_none() {
        let words = if revocation.state.needs_person() {
            "Nothing is kept with which the provider could be asked once more. Follow the steps, then confirm that it has ended."
        } else {
            "The provider has been asked, and there is nothing left to ask."
        };
        return Err(Problem::new(Code::InvalidRequest, words).with_resource("revocation", revocation.id, "affected"));
    }
    let clock = tx.clock(engine.now()).await?;
    revocation.next_attempt_at = Some(clock);
    revocation.updated_at = engine.now();
    // Whoever is at it at this moment asks already.
    tx.put_revocation(&revocation, None, clock).await?;
    let done = Done::changed(Operation::RevocationsRetry).in_account(revocation.account_id).on_integration(revocation.integration_id);
    record(engine, &mut tx, grant, done.object(ChangeKind::Revocation, revocation.id.uuid()).giving(revocation.id, &revocation.integration_name)).await?;
    tx.commit().await?;
    Ok(revocation)
}

//! A person has ended at the provider what a program could not.

use patchbay_model::change::ChangeKind;
use patchbay_model::revocation::{Revocation, RevocationStep};
use patchbay_model::{Code, Operation, Problem};

use super::permitted;
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Notes that a person has ended the access at the provider. Confirming it twice changes nothing.
///
/// # Errors
/// `invalid_request` when the provider is still being asked, or has proven it; `not_found`, `permission_denied`; problems of the store.
pub async fn confirm(engine: &Engine, grant: &ManagementGrant, revocation: &str) -> Result<Revocation, Problem> {
    let mut tx = reach::writing(engine, grant).await?;
    let mut revocation = permitted(&mut tx, grant, Operation::RevocationsConfirm, revocation).await?;
    if !revocation.state.needs_person() {
        return Err(Problem::new(Code::InvalidRequest, "There is nothing to confirm: only what a person has to end at the provider is confirmed by one.").with_resource(
            "revocation",
            revocation.id,
            "affected",
        ));
    }
    if revocation.proof.confirmed_at.is_some() {
        return Ok(revocation);
    }
    let now = engine.now();
    revocation.proof.confirmed_at = Some(now);
    revocation.proof.confirmed_by = Some(grant.member());
    revocation.proof.note(now, RevocationStep::Confirmed, "A person says that it was ended at the provider.");
    revocation.updated_at = now;
    if !tx.put_revocation(&revocation, None, now).await? {
        return Err(Problem { contended: true, ..Problem::new(Code::StoreBusy, "The revocation is being worked on. Try again in a moment.") });
    }
    let done = Done::changed(Operation::RevocationsConfirm).in_account(revocation.account_id).on_integration(revocation.integration_id);
    record(engine, &mut tx, grant, done.object(ChangeKind::Revocation, revocation.id.uuid()).giving(revocation.id, &revocation.integration_name)).await?;
    tx.commit().await?;
    Ok(revocation)
}

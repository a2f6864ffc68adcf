//! Takes the last move between versions back.

use patchbay_model::{Code, Operation, Problem};

use crate::audit::record::{Done, record};
use crate::governance::{self, Subject};
use crate::integration::IntegrationOutcome;
use crate::integration::create::tested;
use crate::{Engine, ManagementGrant, definition, reach};

/// Brings an integration back to the version and configuration before its last move. A version that was withdrawn meanwhile
/// takes it back all the same: it was in use there. The connection is tested then; trouble is told in `problems`.
///
/// # Errors
/// `invalid_request` when there is no move to take back; `update_conflict` when the integration was edited since;
/// `provider_not_allowed` when its point forbids the old configuration; `not_found`, `permission_denied`; problems of the store.
pub async fn rollback(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<IntegrationOutcome, Problem> {
    let mut tx = reach::writing(engine, grant).await?;
    let (account, before) = reach::permitted(&mut tx, grant, Operation::IntegrationsRollbackVersion, account, integration).await?;
    let last = tx.last_move(account.id, before.id).await?.ok_or_else(|| {
        Problem::new(Code::InvalidRequest, format!("Integration `{}` has not moved to another version, so there is nothing to roll back.", before.name)).with_resource(
            "integration",
            before.id,
            "cause",
        )
    })?;
    if last.to != before.definition || last.config_after != before.config {
        return Err(Problem::new(
            Code::UpdateConflict,
            format!("Integration `{}` was edited since it moved, and a rollback would lose that. Move it to the older version by hand.", before.name),
        )
        .with_resource("integration", before.id, "affected"));
    }
    if let Some(id) = before.integration_point_id
        && let Some(point) = tx.point(id).await?
    {
        let definition = definition::pinned(engine, &mut tx, last.from).await?;
        let subject = Subject { environment: account.environment, definition: &definition, config: &last.config_before };
        if let Some(violation) = governance::violations(&point, &subject).first() {
            return Err(governance::refusal(&before, &point, violation));
        }
    }
    let now = engine.now();
    let mut after = before.clone();
    after.definition = last.from;
    after.config = last.config_before;
    after.updated_at = now;
    tx.update_integration(&after).await?;
    tx.roll_back_move(last.id, now).await?;
    let done = Done::changed(Operation::IntegrationsRollbackVersion).in_account(account.id).on_integration(after.id).before(&before).after(&after);
    let done = done.giving(after.id, after.name.as_str());
    record(engine, &mut tx, grant, done).await?;
    tx.commit().await?;
    let (integration, problems) = tested(engine, after).await?;
    Ok(IntegrationOutcome { integration, token: None, credentials_created: Vec::new(), problems })
}

//! Moves an integration to another version.

use patchbay_model::definition::DefinitionMove;
use patchbay_model::{DefinitionMoveId, Operation, Problem};

use super::Target;
use super::change::planned;
use crate::audit::record::{Done, record};
use crate::integration::IntegrationOutcome;
use crate::integration::create::tested;
use crate::{Engine, ManagementGrant, reach};

/// Moves an integration to another version of its provider's definition, newer or older. The connection is tested then;
/// trouble is told in `problems`.
///
/// # Errors
/// The first of the problems that [`super::preview`] shows, with the others as detail; `update_conflict`; `not_found`,
/// `permission_denied`; problems of the store.
pub async fn set(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str, target: Target) -> Result<IntegrationOutcome, Problem> {
    let mut tx = reach::writing(engine, grant).await?;
    let (account, before) = reach::permitted(&mut tx, grant, Operation::IntegrationsSetVersion, account, integration).await?;
    reach::unchanged(target.expected, before.updated_at, "integration", before.id)?;
    let point = match before.integration_point_id {
        Some(id) => tx.point(id).await?,
        None => None,
    };
    let mut change = planned(engine, &mut tx, &account, &before, point.as_ref(), &target).await?;
    if !change.problems.is_empty() {
        let first = change.problems.swap_remove(0);
        let others = change.problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join(" ");
        return Err(if others.is_empty() { first } else { first.with_detail(others) });
    }
    let now = engine.now();
    let mut after = before.clone();
    after.definition = change.to.id;
    after.config = change.stored(&before);
    after.updated_at = now;
    tx.update_integration(&after).await?;
    let made = DefinitionMove {
        id: DefinitionMoveId::from_uuid(engine.context().new_uuid()),
        organization_id: after.organization_id,
        account_id: account.id,
        integration_id: after.id,
        from: before.definition,
        to: after.definition,
        config_before: before.config.clone(),
        config_after: after.config.clone(),
        member_id: grant.member(),
        moved_at: now,
        rolled_back_at: None,
    };
    tx.insert_move(&made).await?;
    let done = Done::changed(Operation::IntegrationsSetVersion).in_account(account.id).on_integration(after.id).before(&before).after(&after);
    let done = done.giving(after.id, after.name.as_str());
    record(engine, &mut tx, grant, done).await?;
    tx.commit().await?;
    let (integration, problems) = tested(engine, after).await?;
    Ok(IntegrationOutcome { integration, token: None, credentials_created: Vec::new(), problems })
}

//! Shows what a move to another version would change.

use patchbay_model::{Operation, Problem};

use super::change::{credential_changes, planned, schema_changes};
use super::{Preview, Target};
use crate::{Engine, ManagementGrant, reach};

/// What a move would change and what forbids it. Nothing is written.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_field` for a target that is not there; problems of the store.
pub async fn preview(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str, target: Target) -> Result<Preview, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let (account, integration) = reach::permitted(&mut tx, grant, Operation::IntegrationsPreviewVersion, account, integration).await?;
    let point = match integration.integration_point_id {
        Some(id) => tx.point(id).await?,
        None => None,
    };
    let change = planned(engine, &mut tx, &account, &integration, point.as_ref(), &target).await?;
    Ok(Preview {
        schema: schema_changes(&change.from, &change.to),
        credentials: credential_changes(&change.from, &change.to),
        from: change.from,
        to: change.to,
        config_before: change.before,
        config_after: change.after,
        problems: change.problems,
    })
}

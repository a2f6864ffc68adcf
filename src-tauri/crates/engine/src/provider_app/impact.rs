//! What a delete of a provider app takes along.

use patchbay_model::{Operation, Problem};
use patchbay_store::Affected;

use super::get::find;
use crate::deletion::{Impact, today};
use crate::{Engine, ManagementGrant, reach};

/// What a delete of a provider app takes along: nothing but itself. Integrations that were authorized through it forbid it.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, app: &str) -> Result<Impact, Problem> {
    grant.require(Operation::ProviderAppsImpact, None)?;
    let mut tx = reach::reading(engine, grant).await?;
    let app = find(&mut tx, app).await?;
    let users = tx.provider_app_users(app.id).await?.resources();
    Ok(Impact { users, used_today: tx.used_since(Affected::ProviderApp(app.id), today(engine)).await?, ..Impact::default() })
}

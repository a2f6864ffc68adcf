//! Deletes a provider app.

use patchbay_model::{Operation, Problem, ProviderAppId};

use super::get::find;
use super::users::users;
use crate::audit::record::{Done, record};
use crate::deletion::Deletion;
use crate::{Engine, ManagementGrant, reach};

/// Deletes a provider app that nothing uses; it can be undone for some minutes.
///
/// # Errors
/// `in_use` with what was authorized through it and the roles that it assumes; `not_found`, `permission_denied`; problems of the store.
pub async fn delete(engine: &Engine, grant: &ManagementGrant, app: &str) -> Result<Deletion, Problem> {
    grant.require(Operation::ProviderAppsDelete, None)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let app = find(&mut tx, app).await?;
    users(engine, &mut tx, &app).await?.refuse(ProviderAppId::NOUN, app.id.uuid())?;
    let deletion = Deletion::new(engine);
    tx.delete_provider_app(app.id, deletion.id, engine.now()).await?;
    record(engine, &mut tx, grant, Done::deleted(Operation::ProviderAppsDelete).before(&app).deletion(deletion.id).giving(app.id, app.name.as_str())).await?;
    tx.commit().await?;
    Ok(deletion)
}

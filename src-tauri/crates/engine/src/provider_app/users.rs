//! What uses a provider app: what people authorized through it, and the roles that are assumed with its key.

use patchbay_model::consent::ProviderApp;
use patchbay_model::{Problem, Timestamp};
use patchbay_store::{Affected, ReadTx, Users};

use crate::Engine;
use crate::auth::roles_of;

/// Every integration that would not work without the app.
///
/// # Errors
/// Problems of the store.
pub(super) async fn users(engine: &Engine, tx: &mut ReadTx, app: &ProviderApp) -> Result<Users, Problem> {
    let mut users = tx.provider_app_users(app.id).await?;
    for provider in roles_of(engine, tx, app).await? {
        users = users.and(tx.role_users(&provider).await?);
    }
    Ok(users)
}

/// How many of them were used since.
///
/// # Errors
/// Problems of the store.
pub(super) async fn used_since(engine: &Engine, tx: &mut ReadTx, app: &ProviderApp, since: Timestamp) -> Result<u64, Problem> {
    let mut used = tx.used_since(Affected::ProviderApp(app.id), since).await?;
    for provider in roles_of(engine, tx, app).await? {
        used += tx.role_users_since(&provider, since).await?;
    }
    Ok(used)
}

//! Changes a provider app.

use patchbay_model::consent::ProviderApp;
use patchbay_model::{Fullname, Name, Operation, Problem};

use super::UpdateProviderApp;
use super::create::{client_id, issuer, redirect_uris, scopes, seal};
use super::get::find;
use crate::audit::record::{Done, record};
use crate::deadline::clocks;
use crate::{Engine, ManagementGrant, reach};

/// Changes a provider app.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_field`, `name_taken`, `update_conflict`; problems of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, app: &str, change: UpdateProviderApp) -> Result<ProviderApp, Problem> {
    grant.require(Operation::ProviderAppsUpdate, None)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let mut app = find(&mut tx, app).await?;
    let before = app.clone();
    reach::unchanged(change.expected, app.updated_at, "provider_app", app.id)?;
    if let Some(name) = change.name.filter(|name| *name != app.name.as_str()) {
        app.name = Name::parse(&name)?;
    }
    if let Some(fullname) = change.fullname {
        app.fullname = Fullname::parse(&fullname)?;
    }
    app.issuer = issuer(change.issuer)?;
    app.client_id = client_id(change.client_id)?;
    app.redirect_uris = redirect_uris(change.redirect_uris)?;
    app.scopes = scopes(change.scopes)?;
    app.updated_at = engine.now();
    let secret_replaced = change.client_secret.is_some();
    let mut given_up = None;
    match change.client_secret {
        None => {}
        Some(secret) if secret.is_empty() => given_up = app.client_secret.take(),
        Some(secret) => app.client_secret = Some(seal(engine, &mut tx, &app, secret).await?),
    }
    app.secret_expires = change.secret_expires.filter(|_| app.client_secret.is_some());
    tx.update_provider_app(&app).await?;
    clocks::provider_app(&mut tx, &app).await?;
    // What was found is of the app as it was.
    tx.put_app_checks(app.id, &[]).await?;
    if let Some(shared) = given_up {
        tx.remove_sealed_shared(shared).await?;
    }
    let done = Done::changed(Operation::ProviderAppsUpdate).before(&before).after(&app).secret_replaced(secret_replaced);
    record(engine, &mut tx, grant, done.giving(app.id, app.name.as_str())).await?;
    tx.commit().await?;
    Ok(app)
}

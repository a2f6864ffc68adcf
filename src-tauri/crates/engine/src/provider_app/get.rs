//! Reads a provider app.

use patchbay_model::consent::ProviderApp;
use patchbay_model::{Operation, Problem, ProviderAppId};
use patchbay_store::ReadTx;

use crate::{Engine, ManagementGrant, reach};

/// Reads a provider app by id or name. The client secret is never read back.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, app: &str) -> Result<ProviderApp, Problem> {
    grant.require(Operation::ProviderAppsGet, None)?;
    find(&mut reach::reading(engine, grant).await?, app).await
}

/// The provider app of this id or name.
pub(crate) async fn find(tx: &mut ReadTx, reference: &str) -> Result<ProviderApp, Problem> {
    tx.find_provider_app(reference).await?.ok_or_else(|| Problem::not_found(ProviderAppId::NOUN, reference))
}

//! Lists provider apps.

use patchbay_model::consent::ProviderApp;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// Lists the provider apps of the organization.
///
/// # Errors
/// `permission_denied`; problems of the query and the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<ProviderApp>, Problem> {
    Ok(reach::paging(engine, grant, Operation::ProviderAppsList, &query).await?.provider_apps(&query).await?)
}

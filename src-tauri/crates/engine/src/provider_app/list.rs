//! Lists them, within the caller's reach.

use patchbay_model::Problem;
use patchbay_model::consent::ProviderApp;
use patchbay_model::list::{ListQuery, Listed};

use crate::{Engine, ManagementGrant};

/// Lists.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<ProviderApp>, Problem> {
    let _ = (grant, query,);
    Err(crate::pending(engine))
}

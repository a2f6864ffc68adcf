//! Lists integrations.

use patchbay_model::Problem;
use patchbay_model::integration::Integration;
use patchbay_model::list::{ListQuery, Listed};

use crate::{Engine, ManagementGrant};

/// Lists integrations within reach.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<Integration>, Problem> {
    let _ = (grant, query,);
    Err(crate::pending(engine))
}

/// Lists the integrations of one account.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn list_account(engine: &Engine, grant: &ManagementGrant, account: &str, query: ListQuery) -> Result<Listed<Integration>, Problem> {
    let _ = (grant, account, query,);
    Err(crate::pending(engine))
}

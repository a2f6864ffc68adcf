//! Lists credentials.

use patchbay_model::Problem;
use patchbay_model::credential::Credential;
use patchbay_model::list::{ListQuery, Listed};

use crate::{Engine, ManagementGrant};

/// Lists the credentials of an account, an integration or a point.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, owner: &str, query: ListQuery) -> Result<Listed<Credential>, Problem> {
    let _ = (grant, owner, query,);
    Err(crate::pending(engine))
}

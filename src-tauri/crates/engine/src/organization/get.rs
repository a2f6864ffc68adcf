//! Reads the organization.

use patchbay_model::Problem;
use patchbay_model::organization::Organization;

use crate::{Engine, ManagementGrant};

/// Reads the organization.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant) -> Result<Organization, Problem> {
    let _ = (grant,);
    Err(crate::pending(engine))
}

//! Changes the organization.

use patchbay_model::Problem;
use patchbay_model::organization::Organization;

use super::UpdateOrganization;
use crate::{Engine, ManagementGrant};

/// Changes the organization.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, change: UpdateOrganization) -> Result<Organization, Problem> {
    let _ = (grant, change,);
    Err(crate::pending(engine))
}

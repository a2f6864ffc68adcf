//! Reads the organization.

use patchbay_model::organization::Organization;
use patchbay_model::{Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// Reads the organization.
///
/// # Errors
/// `permission_denied`, problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant) -> Result<Organization, Problem> {
    grant.require(Operation::OrganizationGet, None)?;
    Ok(reach::reading(engine, grant).await?.organization().await?)
}

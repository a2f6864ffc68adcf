//! Lists how integrations fare.

use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::status::IntegrationState;
use patchbay_model::{Operation, Problem};

use super::listing;
use crate::{Engine, ManagementGrant};

/// Lists how the integrations within the caller's reach fare, those that were never called among them.
///
/// # Errors
/// `permission_denied`; problems of the query and the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<IntegrationState>, Problem> {
    Ok(listing(engine, grant, Operation::StatusList).await?.integration_states(&query).await?)
}

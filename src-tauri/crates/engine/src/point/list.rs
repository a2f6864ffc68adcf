//! Lists integration points.

use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::point::IntegrationPoint;
use patchbay_model::{Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// Lists the integration points of the organization.
///
/// # Errors
/// `permission_denied`; problems of the query and the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<IntegrationPoint>, Problem> {
    Ok(reach::paging(engine, grant, Operation::IntegrationPointsList, &query).await?.points(&query).await?)
}

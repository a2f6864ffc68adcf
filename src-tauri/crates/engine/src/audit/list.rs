//! Lists audit events.

use patchbay_model::audit::AuditEvent;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// Lists audit events, oldest first unless ordered otherwise.
///
/// # Errors
/// `permission_denied`, also for a caller that is narrowed to some accounts; problems of the query and the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<AuditEvent>, Problem> {
    Ok(reach::paging(engine, grant, Operation::AuditList, &query).await?.audit_events(&query).await?)
}

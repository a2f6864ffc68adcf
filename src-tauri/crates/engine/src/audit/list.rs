//! Lists audit events.

use patchbay_model::Problem;
use patchbay_model::audit::AuditEvent;
use patchbay_model::list::{ListQuery, Listed};

use crate::{Engine, ManagementGrant};

/// Lists audit events, latest last unless ordered otherwise.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<AuditEvent>, Problem> {
    let _ = (grant, query,);
    Err(crate::pending(engine))
}

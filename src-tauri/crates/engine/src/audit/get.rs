//! Reads one audit event.

use patchbay_model::audit::AuditEvent;
use patchbay_model::{AuditId, Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// Reads one audit event, with the object before and after the change.
///
/// # Errors
/// `not_found`; `permission_denied`, also for a caller that is narrowed to some accounts; problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, reference: &str) -> Result<AuditEvent, Problem> {
    grant.require(Operation::AuditGet, None)?;
    let unknown = || Problem::not_found(AuditId::NOUN, reference);
    let id: AuditId = reference.parse().map_err(|_| unknown())?;
    reach::reading(engine, grant).await?.audit_event(id).await?.ok_or_else(unknown)
}

//! Writes down what was refused.

use patchbay_model::{Problem, Scope};

use super::record::event;
use crate::{CallerInfo, Engine, Grant};

/// Writes a refused or failed call into the audit log. Verbs write what they do themselves; the surface in front of them
/// calls this for every problem it answers. A refusal without a grant is kept when the organization can be told: the store
/// holds one alone. It never fails; what cannot be written is logged.
pub async fn refused(engine: &Engine, grant: Option<&Grant>, operation: &str, caller: &CallerInfo, problem: &Problem) {
    if let Err(trouble) = write(engine, grant, operation, caller, problem).await {
        tracing::warn!(code = trouble.code.as_str(), operation, "a refused call could not be written into the audit log");
    }
}

async fn write(engine: &Engine, grant: Option<&Grant>, operation: &str, caller: &CallerInfo, problem: &Problem) -> Result<(), Problem> {
    let organization = match grant {
        Some(grant) => grant.organization(),
        None => match engine.organizations().await?.as_slice() {
            [only] => only.id,
            _ => return Ok(()),
        },
    };
    let mut event = event(engine, organization, grant.map(Grant::member), caller, operation);
    event.audit_type = "ERROR".to_owned();
    event.status = problem.code.status();
    event.code = problem.code.as_str().to_owned();
    if let Some(Grant::Connector(grant)) = grant {
        event.account_id = Some(grant.account());
        event.integration_id = Some(grant.integration());
    }
    event.response = Some(crate::redact::redacted(&serde_json::json!({ "message": problem.message })));
    let mut tx = engine.store().write(Scope::Organization(organization), caller.origin).await?;
    tx.insert_audit(&event).await?;
    tx.commit().await?;
    Ok(())
}

//! Writes down what was refused.

use patchbay_model::audit::AuditEvent;
use patchbay_model::organization::Organization;
use patchbay_model::{Code, Origin, Problem, Scope};

use super::floods::{Source, Suppressed};
use super::record::event;
use crate::contention::again;
use crate::{CallerInfo, Engine, Grant};

/// Operation of the row that tells how many refusals were counted and not kept one by one.
const SUPPRESSED: &str = "audit.suppressed";

/// Writes a refused or failed call into the audit log. Verbs write what they do themselves; the surface in front of them
/// calls this for every problem it answers. A refusal without a grant goes to the organization that it asked for, else to
/// the store's first. Rows are bounded per minute; what goes beyond is counted, and told in a row when the minute is over.
/// It never fails; what cannot be written is logged.
pub async fn refused(engine: &Engine, grant: Option<&Grant>, operation: &str, caller: &CallerInfo, problem: &Problem) {
    if engine.read_only() {
        return;
    }
    if let Err(trouble) = write(engine, grant, operation, caller, problem).await {
        tracing::warn!(code = trouble.code.as_str(), operation, "a refused call could not be written into the audit log");
    }
}

async fn write(engine: &Engine, grant: Option<&Grant>, operation: &str, caller: &CallerInfo, problem: &Problem) -> Result<(), Problem> {
    flush(engine, false).await?;
    let (organization, source) = match grant {
        Some(grant) => (grant.organization(), Source::Member(grant.member())),
        None => match concerned(&engine.organizations().await?, operation, caller) {
            Some(organization) => (organization.id, Source::stranger(&caller.remote_addr)),
            None => return Ok(()),
        },
    };
    if !engine.floods().admit(organization, source, problem.code.as_str()) {
        return Ok(());
    }
    let mut event = event(engine, organization, grant.map(Grant::member), caller, operation);
    event.audit_type = "ERROR".to_owned();
    event.status = problem.code.status();
    event.code = problem.code.as_str().to_owned();
    if let Some(Grant::Connector(grant)) = grant {
        event.account_id = Some(grant.account());
        event.integration_id = Some(grant.integration());
    }
    event.response = Some(crate::redact::redacted(&serde_json::json!({ "message": problem.message })));
    insert(engine, &event).await
}

/// The organization that a stranger asked for: a logon names it, by id or name. What cannot be told goes to the first one of
/// the store, whose people run it.
fn concerned<'a>(organizations: &'a [Organization], operation: &str, caller: &CallerInfo) -> Option<&'a Organization> {
    let named = (operation == patchbay_model::Operation::AuthLogon.id()).then(|| caller.path.rsplit('/').next().unwrap_or_default());
    let found = named.and_then(|named| organizations.iter().find(|one| one.id.to_string().eq_ignore_ascii_case(named) || one.name.as_str().eq_ignore_ascii_case(named)));
    found.or_else(|| organizations.iter().min_by_key(|organization| organization.created_at))
}

/// Writes what was counted in minutes that are over, or until now where `all`.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn flush(engine: &Engine, all: bool) -> Result<(), Problem> {
    for Suppressed { organization, source, codes } in engine.floods().over(engine.now(), all) {
        let (member, remote_addr) = match &source {
            Source::Member(member) => (Some(*member), String::new()),
            Source::Address(address) => (None, address.clone()),
            Source::Others => (None, String::new()),
        };
        let caller = CallerInfo { remote_addr, ..CallerInfo::local(Origin::Background) };
        let number: u64 = codes.values().sum();
        let whom = match source {
            Source::Member(_) => "of this member",
            Source::Address(_) => "from this address",
            Source::Others => "from many other addresses",
        };
        let event = AuditEvent {
            audit_type: "ERROR".to_owned(),
            status: Code::RateLimited.status(),
            code: Code::RateLimited.as_str().to_owned(),
            response: Some(
                serde_json::json!({ "message": format!("{number} more refused calls {whom} within a minute were counted and not kept one by one."), "suppressed": number, "codes": codes }),
            ),
            ..event(engine, organization, member, &caller, SUPPRESSED)
        };
        insert(engine, &event).await?;
    }
    Ok(())
}

async fn insert(engine: &Engine, event: &AuditEvent) -> Result<(), Problem> {
    again!(engine, {
        let mut tx = engine.store().write(Scope::Organization(event.organization_id), event.origin).await?;
        tx.insert_audit(event).await?;
        tx.commit().await?;
        Ok(())
    });
    Ok(())
}

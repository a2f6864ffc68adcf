//! Writes down what was done, in the transaction that does it.

use patchbay_model::audit::AuditEvent;
use patchbay_model::{AccountId, AuditId, IntegrationId, MemberId, Operation, OrganizationId, Problem};
use patchbay_store::WriteTx;
use serde_json::Value;

use crate::grant::ManagementGrant;
use crate::redact::redacted;
use crate::{CallerInfo, Engine};

/// What was done, and to what.
pub(crate) struct Done {
    operation: Operation,
    status: u16,
    account: Option<AccountId>,
    integration: Option<IntegrationId>,
    response: Option<Value>,
}

impl Done {
    /// Something was made.
    pub(crate) fn created(operation: Operation) -> Self {
        Self { operation, status: 201, account: None, integration: None, response: None }
    }

    /// An organization was made, by the holder of the key. There is no operation for that; it is noted under the
    /// organization's own.
    pub(crate) fn created_organization() -> Self {
        Self::created(Operation::OrganizationUpdate)
    }

    /// Something was changed.
    pub(crate) fn changed(operation: Operation) -> Self {
        Self { status: 200, ..Self::created(operation) }
    }

    /// Something was deleted.
    pub(crate) fn deleted(operation: Operation) -> Self {
        Self { status: 204, ..Self::created(operation) }
    }

    /// In which account.
    pub(crate) fn in_account(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// On which integration.
    pub(crate) fn on_integration(mut self, integration: IntegrationId) -> Self {
        self.integration = Some(integration);
        self
    }

    /// The object that came of it, by id and name.
    pub(crate) fn giving(mut self, id: impl std::fmt::Display, name: &str) -> Self {
        self.response = Some(serde_json::json!({ "id": id.to_string(), "name": name }));
        self
    }
}

/// Writes the row of what a caller did.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn record(engine: &Engine, tx: &mut WriteTx, grant: &ManagementGrant, done: Done) -> Result<(), Problem> {
    record_for(engine, tx, grant.organization(), Some(grant.member()), grant.caller(), done).await
}

/// Writes the row of what was done without a management grant: a logon, a refresh by its own secret.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn record_for(engine: &Engine, tx: &mut WriteTx, organization: OrganizationId, member: Option<MemberId>, caller: &CallerInfo, done: Done) -> Result<(), Problem> {
    let mut event = event(engine, organization, member, caller, done.operation.id());
    event.status = done.status;
    event.account_id = done.account;
    event.integration_id = done.integration;
    event.response = done.response;
    tx.insert_audit(&event).await?;
    Ok(())
}

/// A row with everything that the caller tells.
pub(crate) fn event(engine: &Engine, organization: OrganizationId, member: Option<MemberId>, caller: &CallerInfo, operation: &str) -> AuditEvent {
    let cut = |text: &str, most: usize| text.chars().filter(|c| !c.is_control()).take(most).collect::<String>();
    AuditEvent {
        id: AuditId::from_uuid(engine.context().new_uuid()),
        organization_id: organization,
        created_at: engine.now(),
        origin: caller.origin,
        audit_type: "API".to_owned(),
        operation: cut(operation, 100),
        method: cut(&caller.method, 16),
        path: if caller.path.is_empty() { cut(operation, 100) } else { cut(&caller.path, 500) },
        status: 200,
        code: String::new(),
        remote_addr: cut(&caller.remote_addr, 100),
        user_agent: cut(&caller.user_agent, 200),
        member_id: member,
        account_id: None,
        environment: None,
        integration_id: None,
        body: caller.body.as_ref().map(redacted),
        response: None,
    }
}

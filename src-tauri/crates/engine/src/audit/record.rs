//! Writes down what was done, in the transaction that does it.
//!
//! A verb says what it did with [`Done`]: `Done::changed(operation).in_account(id).before(&old).after(&new).giving(id, name)`.
//! `before` is the object as the verb found it, `after` as it left it; an undo lives from the two, so every verb that makes,
//! changes or deletes an object gives them.

use patchbay_model::audit::{AuditEvent, AuditObject};
use patchbay_model::change::ChangeKind;
use patchbay_model::{AccountId, AuditId, Code, DeletionId, IntegrationId, MemberId, Operation, OrganizationId, Problem};
use patchbay_store::WriteTx;
use serde_json::Value;
use uuid::Uuid;

use super::snapshot::Snapshot;
use crate::grant::{ManagementGrant, Undoing};
use crate::redact::redacted;
use crate::webhook::outbox;
use crate::{CallerInfo, Engine};

/// What was done, and to what.
#[derive(Clone)]
pub(crate) struct Done {
    operation: Operation,
    status: u16,
    account: Option<AccountId>,
    integration: Option<IntegrationId>,
    object: Option<AuditObject>,
    before: Option<Value>,
    after: Option<Value>,
    deletion: Option<DeletionId>,
    secret_replaced: bool,
    response: Option<Value>,
}

impl Done {
    /// Something was made.
    pub(crate) fn created(operation: Operation) -> Self {
        Self { operation, status: 201, account: None, integration: None, object: None, before: None, after: None, deletion: None, secret_replaced: false, response: None }
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

    /// On which object, where there is no snapshot of it; [`Self::before`] and [`Self::after`] say it themselves.
    pub(crate) fn object(mut self, kind: ChangeKind, id: Uuid) -> Self {
        self.object = Some(AuditObject { kind, id });
        self
    }

    /// The object as it was.
    pub(crate) fn before<T: Snapshot>(mut self, object: &T) -> Self {
        self.before = Some(object.snapshot());
        self.object(T::KIND, object.object_id())
    }

    /// The object as it became.
    pub(crate) fn after<T: Snapshot>(mut self, object: &T) -> Self {
        self.after = Some(object.snapshot());
        self.object(T::KIND, object.object_id())
    }

    /// The object that was brought back, as it is now.
    pub(crate) fn brought_back(mut self, object: AuditObject, after: Option<Value>) -> Self {
        self.after = after;
        self.object(object.kind, object.id)
    }

    /// The deletion that was made; its undo takes it back.
    pub(crate) fn deletion(mut self, deletion: DeletionId) -> Self {
        self.deletion = Some(deletion);
        self
    }

    /// Whether a secret was replaced or removed. Nothing is kept of it, so that the change cannot be undone.
    pub(crate) fn secret_replaced(mut self, replaced: bool) -> Self {
        self.secret_replaced = replaced;
        self
    }

    /// The object that came of it, by id and name.
    pub(crate) fn giving(mut self, id: impl std::fmt::Display, name: &str) -> Self {
        self.response = Some(serde_json::json!({ "id": id.to_string(), "name": name }));
        self
    }
}

/// Writes the row of what a caller did. When that takes an earlier change back, it is checked here, in the transaction that
/// does so, that the object is still as that change left it, that it is now as it was before, and that nobody else took the
/// change back meanwhile.
///
/// # Errors
/// `update_conflict` of an undo; problems of the store.
pub(crate) async fn record(engine: &Engine, tx: &mut WriteTx, grant: &ManagementGrant, done: Done) -> Result<(), Problem> {
    let undoing = grant.undoing.as_ref();
    if let Some(undoing) = undoing {
        restores(undoing, &done)?;
    }
    let mut event = done.event(engine, grant.organization(), Some(grant.member()), grant.caller());
    event.undo_of = undoing.map(|undoing| undoing.row);
    write(engine, tx, &event).await?;
    if let Some(undoing) = undoing
        && !tx.mark_undone(undoing.row, event.id).await?
    {
        return Err(undone_already(undoing.row));
    }
    Ok(())
}

/// Whether what was done takes exactly the earlier change back.
fn restores(undoing: &Undoing, done: &Done) -> Result<(), Problem> {
    let conflict = |message: &str| {
        let problem = Problem::new(Code::UpdateConflict, message).with_resource("audit", undoing.row, "cause");
        Err(match done.object {
            Some(object) => problem.with_resource(object.kind.as_str(), object.id, "affected"),
            None => problem,
        })
    };
    if undoing.after.is_some() && done.before != undoing.after {
        return conflict("The object was changed again since. Undo the later changes first, newest first, or change it by hand.");
    }
    if undoing.before.is_some() && done.after != undoing.before {
        return conflict("The object cannot be brought back to exactly what it was. Change it by hand.");
    }
    Ok(())
}

/// The answer to a second undo of the same change.
pub(crate) fn undone_already(row: AuditId) -> Problem {
    Problem::new(Code::UpdateConflict, "This change was undone already. Undo that undo to make it again.").with_resource("audit", row, "cause")
}

/// Writes the row of what was done without a management grant: a logon, a refresh by its own secret.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn record_for(engine: &Engine, tx: &mut WriteTx, organization: OrganizationId, member: Option<MemberId>, caller: &CallerInfo, done: Done) -> Result<(), Problem> {
    write(engine, tx, &done.event(engine, organization, member, caller)).await
}

/// Writes a row, and beside it what webhooks are told of it.
async fn write(engine: &Engine, tx: &mut WriteTx, event: &AuditEvent) -> Result<(), Problem> {
    tx.insert_audit(event).await?;
    outbox::note(engine, tx, event).await
}

impl Done {
    fn event(self, engine: &Engine, organization: OrganizationId, member: Option<MemberId>, caller: &CallerInfo) -> AuditEvent {
        AuditEvent {
            status: self.status,
            account_id: self.account,
            integration_id: self.integration,
            response: self.response,
            object: self.object,
            before: self.before,
            after: self.after,
            deletion: self.deletion,
            secret_replaced: self.secret_replaced,
            ..event(engine, organization, member, caller, self.operation.id())
        }
    }
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
        object: None,
        before: None,
        after: None,
        deletion: None,
        secret_replaced: false,
        undo_of: None,
        undone_by: None,
    }
}

//! Takes a change back, by running the verb that undoes it. That verb demands its own permission on the object, keeps its
//! own rules, and writes its own audit row; what makes it an undo is checked where that row is written
//! ([`super::record::record`]): the object is still as the change left it, it is now as it was before, and nobody took the
//! change back meanwhile.

use patchbay_model::audit::{AuditEvent, AuditObject};
use patchbay_model::change::ChangeKind;
use patchbay_model::{AuditId, Code, Operation, Problem, Scope};
use serde_json::Value;

use super::inverse::{Step, step};
use super::restore::{self, text};
use crate::grant::Undoing;
use crate::{Engine, ManagementGrant, account, credential, deletion, end_user, integration, manifest_entry, member, point, provider_app, role, token, webhook};

/// Takes the change of one audit row back. Gives the row of the undo, which can be undone in turn.
///
/// # Errors
/// `not_undoable` with the reason; `update_conflict` when it was undone already, when the object was changed since, or when
/// it is gone; `not_found`, and whatever the verb that undoes it refuses, `permission_denied` among it.
pub async fn undo(engine: &Engine, grant: &ManagementGrant, reference: &str) -> Result<AuditEvent, Problem> {
    grant.require(Operation::AuditUndo, None)?;
    let row = found(engine, grant, reference).await?;
    let step = step(&row)?;
    let object = row.object.ok_or_else(|| Problem::internal("a change that can be undone names no object"))?;
    let undoing = grant.undoing(Undoing { row: row.id, before: row.before.clone(), after: row.after.clone() });
    let done = match &step {
        Step::BringBack(id) => deletion::undo(engine, &undoing, &id.to_string()).await,
        Step::Delete => delete(engine, &undoing, &row, object).await,
        Step::Restore(before) => restored(engine, &undoing, &row, object, before).await,
    };
    done.map_err(|problem| gone(problem, &step, object))?;
    let mut tx = engine.store().read(Scope::Organization(grant.organization())).await?;
    let by = tx.audit_event(row.id).await?.and_then(|row| row.undone_by);
    let undo = match by {
        Some(by) => tx.audit_event(by).await?,
        None => None,
    };
    // A verb that finds nothing to do writes no row.
    undo.ok_or_else(|| Problem::new(Code::UpdateConflict, "The object is as it was before this change already. There is nothing to undo.").with_resource("audit", row.id, "cause"))
}

/// The row, when its caller may know of it: who reaches all accounts, who reaches the row's account, and who made the change.
async fn found(engine: &Engine, grant: &ManagementGrant, reference: &str) -> Result<AuditEvent, Problem> {
    let unknown = || Problem::not_found(AuditId::NOUN, reference);
    let id: AuditId = reference.parse().map_err(|_| unknown())?;
    let mut tx = engine.store().read(Scope::Organization(grant.organization())).await?;
    let row = tx.audit_event(id).await?.ok_or_else(unknown)?;
    if grant.permits().iter().any(|permit| !permit.narrowed()) {
        return Ok(row);
    }
    let visible = match row.account_id {
        Some(account) => tx.account(account).await?.is_some_and(|account| grant.reaches(&account)),
        None => row.member_id == Some(grant.member()),
    };
    if visible { Ok(row) } else { Err(unknown()) }
}

/// An object that is not there any more is no missing audit row.
fn gone(problem: Problem, step: &Step, object: AuditObject) -> Problem {
    if problem.code != Code::NotFound {
        return problem;
    }
    let message = match step {
        Step::BringBack(_) => "The time in which this deletion could be undone is over, or it was undone already. Make the object anew.",
        Step::Delete | Step::Restore(_) => "The object of this change is not there any more, or out of reach. Undo its deletion first.",
    };
    Problem::new(Code::UpdateConflict, message).with_resource(object.kind.as_str(), object.id, "cause")
}

/// Deletes what the change made.
async fn delete(engine: &Engine, grant: &ManagementGrant, row: &AuditEvent, object: AuditObject) -> Result<(), Problem> {
    let id = object.id.to_string();
    let made = row.after.as_ref().unwrap_or(&Value::Null);
    match object.kind {
        ChangeKind::Account => account::delete(engine, grant, &id).await.map(drop),
        ChangeKind::IntegrationPoint => point::delete(engine, grant, &id).await.map(drop),
        ChangeKind::Integration => integration::delete(engine, grant, &text(made, "account_id"), &id).await.map(drop),
        ChangeKind::Credential => credential::delete(engine, grant, &text(made, "owner_id"), &id).await.map(drop),
        ChangeKind::Token => token::delete(engine, grant, &id).await,
        ChangeKind::Member => member::delete(engine, grant, &id).await.map(drop),
        ChangeKind::ProviderApp => provider_app::delete(engine, grant, &id).await.map(drop),
        ChangeKind::OrganizationWebhook => webhook::delete(engine, grant, &id).await.map(drop),
        ChangeKind::Role => role::delete(engine, grant, &id).await.map(drop),
        ChangeKind::Definition => manifest_entry::withdraw(engine, grant, &id).await.map(drop),
        ChangeKind::Organization
        | ChangeKind::ConnectSession
        | ChangeKind::Audit
        | ChangeKind::WebhookDelivery
        | ChangeKind::EndUser
        | ChangeKind::ConnectLink
        | ChangeKind::Revocation
        | ChangeKind::Key => Err(unknown(object)),
    }
}

/// Changes the object back to what it was.
async fn restored(engine: &Engine, grant: &ManagementGrant, row: &AuditEvent, object: AuditObject, before: &Value) -> Result<(), Problem> {
    let id = object.id.to_string();
    match object.kind {
        ChangeKind::Organization => crate::organization::update(engine, grant, restore::organization(before)?).await.map(drop),
        ChangeKind::Member => member::update(engine, grant, &id, restore::member(before, row.after.as_ref())?).await.map(drop),
        ChangeKind::Account => account::update(engine, grant, &id, restore::account(before)?).await.map(drop),
        ChangeKind::IntegrationPoint => point::update(engine, grant, &id, restore::point(before)?).await.map(drop),
        ChangeKind::Integration => {
            let account = text(before, "account_id");
            let was_paused = before.get("paused").and_then(Value::as_bool);
            if was_paused != row.after.as_ref().and_then(|after| after.get("paused")).and_then(Value::as_bool) {
                return if was_paused == Some(true) {
                    integration::pause(engine, grant, &account, &id).await.map(drop)
                } else {
                    integration::resume(engine, grant, &account, &id).await.map(drop)
                };
            }
            if before.get("definition_id") != row.after.as_ref().and_then(|after| after.get("definition_id")) {
                // A move is rolled back; a rollback is moved forward again.
                return if row.operation == Operation::IntegrationsSetVersion.id() {
                    integration::version::rollback(engine, grant, &account, &id).await.map(drop)
                } else {
                    integration::version::set(engine, grant, &account, &id, restore::version(before)).await.map(drop)
                };
            }
            Box::pin(integration::update(engine, grant, &account, &id, restore::integration(before))).await.map(drop)
        }
        ChangeKind::Credential => credential::update(engine, grant, &text(before, "owner_id"), &id, restore::credential(before, row.after.as_ref())?).await.map(drop),
        ChangeKind::ProviderApp => provider_app::update(engine, grant, &id, restore::provider_app(before)?).await.map(drop),
        ChangeKind::OrganizationWebhook => webhook::update(engine, grant, &id, restore::webhook(before)?).await.map(drop),
        ChangeKind::EndUser => end_user::update(engine, grant, &text(before, "account_id"), &id, restore::end_user(before)).await.map(drop),
        ChangeKind::Role => role::update(engine, grant, &id, restore::role(before)?).await.map(drop),
        ChangeKind::Definition => manifest_entry::restore(engine, grant, &id, restore::definition_status(before)?).await,
        ChangeKind::Token | ChangeKind::ConnectSession | ChangeKind::ConnectLink | ChangeKind::Revocation | ChangeKind::Audit | ChangeKind::WebhookDelivery | ChangeKind::Key => {
            Err(unknown(object))
        }
    }
}

fn unknown(object: AuditObject) -> Problem {
    Problem::internal(format!("no verb undoes a change of a {}", object.kind.as_str()))
}

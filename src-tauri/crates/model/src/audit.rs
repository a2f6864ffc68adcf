//! The audit log: every change and every refused call.

use uuid::Uuid;

use crate::change::ChangeKind;
use crate::{AccountId, AuditId, DeletionId, Environment, IntegrationId, MemberId, OrganizationId, Origin, Timestamp};

/// The object that a change was made on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AuditObject {
    /// What it is.
    pub kind: ChangeKind,
    /// Its id.
    pub id: Uuid,
}

/// One row of the audit log. Bodies hold no secrets: they are redacted before this is made.
#[derive(Clone, PartialEq, Debug)]
pub struct AuditEvent {
    /// Its id.
    pub id: AuditId,
    /// Whose log.
    pub organization_id: OrganizationId,
    /// When.
    pub created_at: Timestamp,
    /// From where.
    pub origin: Origin,
    /// `API` or `ERROR` (synqly-wire.md section 7).
    pub audit_type: String,
    /// The operation, such as `accounts.create`.
    pub operation: String,
    /// HTTP method, or `RPC`.
    pub method: String,
    /// Path of the request, or the command.
    pub path: String,
    /// HTTP status.
    pub status: u16,
    /// The problem's code; empty when all went well.
    pub code: String,
    /// Address of the caller; empty inside the application.
    pub remote_addr: String,
    /// What the caller calls itself.
    pub user_agent: String,
    /// Who.
    pub member_id: Option<MemberId>,
    /// In which account.
    pub account_id: Option<AccountId>,
    /// That account's environment. It is read from the account, so it is none once that is gone for good.
    pub environment: Option<Environment>,
    /// On which integration.
    pub integration_id: Option<IntegrationId>,
    /// The request, redacted and bounded.
    pub body: Option<serde_json::Value>,
    /// What came of it, redacted and bounded.
    pub response: Option<serde_json::Value>,
    /// What was changed; none for a refused call.
    pub object: Option<AuditObject>,
    /// The object before the change, without secrets and telemetry; none for one that was made by it.
    pub before: Option<serde_json::Value>,
    /// The object after the change; none for one that was deleted by it.
    pub after: Option<serde_json::Value>,
    /// The deletion that a delete made, which its undo takes back.
    pub deletion: Option<DeletionId>,
    /// Whether a secret was replaced or removed, of which nothing is kept: such a change cannot be undone.
    pub secret_replaced: bool,
    /// The row of the change that this one took back.
    pub undo_of: Option<AuditId>,
    /// The row of the change that took this one back.
    pub undone_by: Option<AuditId>,
}

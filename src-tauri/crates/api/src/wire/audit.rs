//! Audit events on the wire.
#![expect(missing_docs, reason = "fields are those of synqly-wire.md section 7")]

use patchbay_model::{AccountId, AuditId, Environment, IntegrationId, MemberId, Operation, Origin, Timestamp, audit};
use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

use crate::operation::{Method, route};

/// One row of the audit log; bodies are redacted.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Audit {
    pub created_at: Timestamp,
    /// `prod` or `test`: of the account that was touched; `prod` for what belongs to none.
    pub environment: Environment,
    /// `API` or `ERROR`.
    pub audit_type: String,
    pub remote_addr: String,
    pub user_agent: String,
    pub method: String,
    pub path: String,
    /// The HTTP status as text, which is what the wire calls code.
    pub code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub body: Option<serde_json::Value>,
    /// What came of it, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub response: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub member_id: Option<MemberId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account_id: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub integration_id: Option<IntegrationId>,
    pub x_patchbay: AuditExtra,
}

/// What is ours on an audit event.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct AuditExtra {
    pub id: AuditId,
    pub origin: Origin,
    /// The operation, such as `accounts.create`.
    pub operation: String,
    /// The problem's code; empty when all went well.
    pub problem: String,
}

/// The HTTP method, also of what came by `/rpc`, the window or the command line: clients know no others.
fn method(written: &str, operation: &str) -> String {
    if ["DELETE", "GET", "PATCH", "POST", "PUT"].contains(&written) {
        return written.to_owned();
    }
    let known = Operation::from_id(operation).and_then(route);
    known.map_or(Method::Post, |route| route.method).as_str().to_owned()
}

impl From<audit::AuditEvent> for Audit {
    fn from(event: audit::AuditEvent) -> Self {
        Self {
            created_at: event.created_at,
            environment: event.environment.unwrap_or(Environment::Prod),
            audit_type: event.audit_type,
            remote_addr: event.remote_addr,
            user_agent: event.user_agent,
            method: method(&event.method, &event.operation),
            path: event.path,
            code: event.status.to_string(),
            status: (!event.code.is_empty()).then(|| event.code.clone()),
            body: event.body,
            response: event.response.map(|response| response.to_string()),
            member_id: event.member_id,
            account_id: event.account_id,
            integration_id: event.integration_id,
            x_patchbay: AuditExtra { id: event.id, origin: event.origin, operation: event.operation, problem: event.code },
        }
    }
}

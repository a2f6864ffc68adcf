//! The audit log. Rows are added and, after a time of the operator's choice, removed; never changed.

use patchbay_model::audit::AuditEvent;
use patchbay_model::change::ChangeKind;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{AccountId, AuditId, IntegrationId, MemberId, OrganizationId, Timestamp};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::list::{self, Field, Kind, Noun};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

macro_rules! columns {
    () => {
        "id, organization_id, created_at, origin, audit_type, operation, method, path, status, code, remote_addr, user_agent, member_id, account_id, (SELECT environment FROM accounts WHERE accounts.id = audit_events.account_id) AS environment, integration_id, body, response"
    };
}

pub(crate) const NOUN: Noun = Noun {
    table: "audit_events",
    columns: columns!(),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("origin", "origin", Kind::Text),
        Field::new("audit_type", "audit_type", Kind::Text),
        Field::new("operation", "operation", Kind::Text),
        Field::new("method", "method", Kind::Text),
        Field::new("path", "path", Kind::Text),
        Field::new("status", "status", Kind::Number),
        Field::new("code", "code", Kind::Text),
        Field::new("remote_addr", "remote_addr", Kind::Text),
        Field::new("user_agent", "user_agent", Kind::Text),
        Field::nullable("member_id", "member_id", Kind::Id),
        Field::nullable("account_id", "account_id", Kind::Id),
        Field::nullable("integration_id", "integration_id", Kind::Id),
    ],
    default_order: "created_at",
    account: Some("account_id"),
    tombstones: false,
};

#[derive(FromRow)]
struct AuditRow {
    id: Uuid,
    organization_id: Uuid,
    created_at: At,
    origin: String,
    audit_type: String,
    operation: String,
    method: String,
    path: String,
    status: i64,
    code: String,
    remote_addr: String,
    user_agent: String,
    member_id: Option<Uuid>,
    account_id: Option<Uuid>,
    environment: Option<String>,
    integration_id: Option<Uuid>,
    body: Option<Json<serde_json::Value>>,
    response: Option<Json<serde_json::Value>>,
}

impl TryFrom<AuditRow> for AuditEvent {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<Self> {
        Ok(Self {
            id: AuditId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            created_at: row.created_at.0,
            origin: row::word("audit_events", "origin", &row.origin)?,
            audit_type: row.audit_type,
            operation: row.operation,
            method: row.method,
            path: row.path,
            status: u16::try_from(row.status).map_err(|error| row::bad("audit_events", "status", error.to_string()))?,
            code: row.code,
            remote_addr: row.remote_addr,
            user_agent: row.user_agent,
            member_id: row.member_id.map(MemberId::from_uuid),
            account_id: row.account_id.map(AccountId::from_uuid),
            environment: row.environment.map(|environment| row::word("accounts", "environment", &environment)).transpose()?,
            integration_id: row.integration_id.map(IntegrationId::from_uuid),
            body: row.body.map(|json| json.0),
            response: row.response.map(|json| json.0),
        })
    }
}

impl ReadTx {
    /// One page of the log; of the account's rows alone in an account's scope.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn audit_events(&mut self, query: &ListQuery) -> Result<Listed<AuditEvent>> {
        list::page::<AuditRow, _>(self, &NOUN, query, true, &[]).await
    }
}

impl WriteTx {
    /// Adds a row to the log, in the transaction of what it speaks of.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn insert_audit(&mut self, event: &AuditEvent) -> Result<()> {
        let (organization, _) = self.bound()?;
        if organization != event.organization_id.uuid() {
            return Err(StoreError::WrongScope { what: "the log of another organization" });
        }
        sqlx::query("INSERT INTO audit_events (id, organization_id, created_at, origin, audit_type, operation, method, path, status, code, remote_addr, user_agent, member_id, account_id, integration_id, body, response) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)")
            .bind(event.id.uuid())
            .bind(event.organization_id.uuid())
            .bind(At(event.created_at))
            .bind(event.origin.as_str())
            .bind(&event.audit_type)
            .bind(&event.operation)
            .bind(&event.method)
            .bind(&event.path)
            .bind(i64::from(event.status))
            .bind(&event.code)
            .bind(&event.remote_addr)
            .bind(&event.user_agent)
            .bind(event.member_id.map(MemberId::uuid))
            .bind(event.account_id.map(AccountId::uuid))
            .bind(event.integration_id.map(IntegrationId::uuid))
            .bind(event.body.as_ref().map(Json))
            .bind(event.response.as_ref().map(Json))
            .execute(&mut *self.tx)
            .await?;
        self.changed(ChangeKind::Audit, event.id, event.account_id)
    }

    /// Removes rows from before `before`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_audit_before(&mut self, before: Timestamp) -> Result<u64> {
        let organization = self.whole_organization("the audit log")?;
        let done = sqlx::query("DELETE FROM audit_events WHERE organization_id = $1 AND created_at < $2").bind(organization).bind(At(before)).execute(&mut *self.tx).await?;
        Ok(done.rows_affected())
    }
}

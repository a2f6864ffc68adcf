//! The audit log. Rows are added and, after a time of the operator's choice, removed. Of a row that stands nothing changes
//! but by what it was undone, and the data of a person who is erased.

use patchbay_model::audit::{AuditEvent, AuditObject};
use patchbay_model::change::ChangeKind;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{AccountId, AuditId, DeletionId, IntegrationId, MemberId, OrganizationId, Timestamp};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::list::{self, Category, Field, Kind, Noun};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

macro_rules! columns {
    () => {
        "id, organization_id, created_at, origin, audit_type, operation, method, path, status, code, remote_addr, user_agent, member_id, account_id, (SELECT environment FROM accounts WHERE accounts.id = audit_events.account_id) AS environment, integration_id, body, response, object_kind, object_id, before, after, deletion_id, secret_replaced, undo_of, undone_by"
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
        // The wire calls the HTTP status code and the problem's code status.
        Field::new("code", "status", Kind::Number),
        Field::new("status", "code", Kind::Text),
        Field::new("problem", "code", Kind::Text),
        Field::new("remote_addr", "remote_addr", Kind::Text),
        Field::new("user_agent", "user_agent", Kind::Text),
        Field::nullable("member_id", "member_id", Kind::Id),
        Field::nullable("account_id", "account_id", Kind::Id),
        Field::new("environment", "COALESCE((SELECT environment FROM accounts WHERE accounts.id = audit_events.account_id), 'prod')", Kind::Text),
        Field::nullable("integration_id", "integration_id", Kind::Id),
        Field::nullable("object_kind", "object_kind", Kind::Text),
        Field::nullable("object_id", "object_id", Kind::Id),
        Field::nullable("undo_of", "undo_of", Kind::Id),
        Field::nullable("undone_by", "undone_by", Kind::Id),
    ],
    default_order: "created_at",
    account: Some("account_id"),
    category: Category::OfIntegration("audit_events.integration_id"),
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
    object_kind: Option<String>,
    object_id: Option<Uuid>,
    before: Option<Json<serde_json::Value>>,
    after: Option<Json<serde_json::Value>>,
    deletion_id: Option<Uuid>,
    secret_replaced: bool,
    undo_of: Option<Uuid>,
    undone_by: Option<Uuid>,
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
            object: match (row.object_kind, row.object_id) {
                (Some(kind), Some(id)) => Some(AuditObject { kind: row::word("audit_events", "object_kind", &kind)?, id }),
                _ => None,
            },
            before: row.before.map(|json| json.0),
            after: row.after.map(|json| json.0),
            deletion: row.deletion_id.map(DeletionId::from_uuid),
            secret_replaced: row.secret_replaced,
            undo_of: row.undo_of.map(AuditId::from_uuid),
            undone_by: row.undone_by.map(AuditId::from_uuid),
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

impl ReadTx {
    /// One row of the log, within the scope.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn audit_event(&mut self, id: AuditId) -> Result<Option<AuditEvent>> {
        let (organization, account) = self.bound()?;
        let row: Option<AuditRow> = db::query_as(concat!("SELECT ", columns!(), " FROM audit_events WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL)"))
            .bind(id.uuid())
            .bind(organization)
            .bind(account)
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(TryInto::try_into).transpose()
    }
}

impl ReadTx {
    /// The row of the delete that made this deletion.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn audit_event_of_deletion(&mut self, id: DeletionId) -> Result<Option<AuditEvent>> {
        let (organization, account) = self.bound()?;
        let row: Option<AuditRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM audit_events WHERE deletion_id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND undone_by IS NULL ORDER BY created_at LIMIT 1"
        ))
        .bind(id.uuid())
        .bind(organization)
        .bind(account)
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(TryInto::try_into).transpose()
    }
}

impl WriteTx {
    /// Notes that the change of row `id` was taken back by the change of row `by`, which happens once. Gives false when it
    /// had been already, or the row is gone.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn mark_undone(&mut self, id: AuditId, by: AuditId) -> Result<bool> {
        let (organization, account) = self.bound()?;
        let done = db::query("UPDATE audit_events SET undone_by = $1 WHERE id = $2 AND organization_id = $3 AND (account_id = $4 OR $4 IS NULL) AND undone_by IS NULL")
            .bind(by.uuid())
            .bind(id.uuid())
            .bind(organization)
            .bind(account)
            .execute(&mut self.tx)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Adds a row to the log, in the transaction of what it speaks of.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn insert_audit(&mut self, event: &AuditEvent) -> Result<()> {
        let (organization, _) = self.bound()?;
        if organization != event.organization_id.uuid() {
            return Err(StoreError::WrongScope { what: "the log of another organization" });
        }
        db::query("INSERT INTO audit_events (id, organization_id, created_at, origin, audit_type, operation, method, path, status, code, remote_addr, user_agent, member_id, account_id, integration_id, body, response, object_kind, object_id, before, after, deletion_id, secret_replaced, undo_of) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)")
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
            .bind(event.object.map(|object| object.kind.as_str()))
            .bind(event.object.map(|object| object.id))
            .bind(event.before.as_ref().map(Json))
            .bind(event.after.as_ref().map(Json))
            .bind(event.deletion.map(DeletionId::uuid))
            .bind(event.secret_replaced)
            .bind(event.undo_of.map(AuditId::uuid))
            .execute(&mut self.tx)
            .await?;
        self.changed(ChangeKind::Audit, event.id, event.account_id)
    }

    /// Removes rows from before `before`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_audit_before(&mut self, before: Timestamp) -> Result<u64> {
        let organization = self.whole_organization("the audit log")?;
        let done = db::query("DELETE FROM audit_events WHERE organization_id = $1 AND created_at < $2").bind(organization).bind(At(before)).execute(&mut self.tx).await?;
        Ok(done.rows_affected())
    }
}

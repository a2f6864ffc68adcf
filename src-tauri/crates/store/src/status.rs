//! How integrations fare: sums of calls, events, and minutes for time series. They are written by [`crate::usage`] in batches.

use patchbay_model::change::ChangeKind;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::status::{CallSums, IntegrationState, MinuteUse, StatusEvent};
use patchbay_model::{AccountId, IntegrationId, OrganizationId, StatusEventId, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use crate::db::{self, QueryBuilder};
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::list::{self, Category, Field, Kind, Noun};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

macro_rules! columns {
    () => {
        "id, organization_id, account_id, status, requests, failed, cpu_time_us, db_ops, api_ops, in_bytes, out_bytes, counted_since, created_at, updated_at"
    };
}

/// Every integration with its counters; one that was never called has none, and so zeros.
macro_rules! source {
    () => {
        "(SELECT owner.id, owner.organization_id, owner.account_id, owner.connector, owner.status, owner.created_at, owner.deleted_at, COALESCE(sums.requests, 0) AS requests, COALESCE(sums.failed, 0) AS failed, COALESCE(sums.cpu_time_us, 0) AS cpu_time_us, COALESCE(sums.db_ops, 0) AS db_ops, COALESCE(sums.api_ops, 0) AS api_ops, COALESCE(sums.in_bytes, 0) AS in_bytes, COALESCE(sums.out_bytes, 0) AS out_bytes, COALESCE(sums.reset_at, owner.created_at) AS counted_since, CASE WHEN sums.updated_at > owner.status_since THEN sums.updated_at ELSE owner.status_since END AS updated_at FROM integration_instances AS owner LEFT JOIN integration_counters AS sums ON sums.integration_id = owner.id) AS integration_states"
    };
}

pub(crate) const NOUN: Noun = Noun {
    table: source!(),
    columns: columns!(),
    fields: &[
        Field::new("account_id", "account_id", Kind::Id),
        Field::new("integration_id", "id", Kind::Id),
        Field::new("status", "status", Kind::Text),
        Field::new("requests", "requests", Kind::Number),
        Field::new("failed", "failed", Kind::Number),
        Field::new("cpu_time", "cpu_time_us", Kind::Number),
        Field::new("db_ops", "db_ops", Kind::Number),
        Field::new("api_ops", "api_ops", Kind::Number),
        Field::new("in_bytes", "in_bytes", Kind::Number),
        Field::new("out_bytes", "out_bytes", Kind::Number),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("updated_at", "updated_at", Kind::Time),
    ],
    // The id breaks ties, so the key is `account_id,integration_id` as the wire has it.
    default_order: "account_id",
    account: Some("account_id"),
    category: Category::Column("connector"),
    tombstones: true,
};

pub(crate) const EVENTS: Noun = Noun {
    table: "status_events",
    columns: "id, account_id, integration_id, created_at, status, code, error, request",
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("account_id", "account_id", Kind::Id),
        Field::new("integration_id", "integration_id", Kind::Id),
        Field::new("status", "status", Kind::Text),
        Field::nullable("code", "code", Kind::Text),
        Field::nullable("error", "error", Kind::Text),
        Field::new("request", "request", Kind::Number),
        Field::new("created_at", "created_at", Kind::Time),
    ],
    default_order: "created_at",
    account: Some("account_id"),
    category: Category::OfIntegration("status_events.integration_id"),
    tombstones: false,
};

/// Summed up, never listed.
const MINUTES: Noun = Noun {
    table: "status_minutes",
    columns: "minute",
    fields: &[Field::new("minute", "minute", Kind::Time)],
    default_order: "minute",
    account: Some("account_id"),
    category: Category::OfIntegration("status_minutes.integration_id"),
    tombstones: false,
};

#[derive(FromRow)]
struct StateRow {
    id: Uuid,
    organization_id: Uuid,
    account_id: Uuid,
    status: String,
    requests: i64,
    failed: i64,
    cpu_time_us: i64,
    db_ops: i64,
    api_ops: i64,
    in_bytes: i64,
    out_bytes: i64,
    counted_since: At,
    created_at: At,
    updated_at: At,
}

impl TryFrom<StateRow> for IntegrationState {
    type Error = StoreError;

    fn try_from(row: StateRow) -> Result<Self> {
        let count = row::count;
        Ok(Self {
            organization_id: OrganizationId::from_uuid(row.organization_id),
            account_id: AccountId::from_uuid(row.account_id),
            integration_id: IntegrationId::from_uuid(row.id),
            status: row.status,
            used: CallSums {
                requests: count(row.requests),
                failed: count(row.failed),
                cpu_time_us: count(row.cpu_time_us),
                db_ops: count(row.db_ops),
                api_ops: count(row.api_ops),
                in_bytes: count(row.in_bytes),
                out_bytes: count(row.out_bytes),
            },
            counted_since: row.counted_since.0,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

#[derive(FromRow)]
struct EventRow {
    id: Uuid,
    account_id: Uuid,
    integration_id: Uuid,
    created_at: At,
    status: String,
    code: Option<String>,
    error: Option<String>,
    request: i64,
}

impl TryFrom<EventRow> for StatusEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self> {
        Ok(Self {
            id: StatusEventId::from_uuid(row.id),
            account_id: AccountId::from_uuid(row.account_id),
            integration_id: IntegrationId::from_uuid(row.integration_id),
            created_at: row.created_at.0,
            status: row.status,
            code: row.code,
            error: row.error,
            request: row::count(row.request),
        })
    }
}

type MinuteRow = (At, i64, i64, i64, i64, i64);

impl ReadTx {
    /// How one integration fares.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn integration_state(&mut self, id: IntegrationId) -> Result<Option<IntegrationState>> {
        let (organization, account) = self.bound()?;
        let row: Option<StateRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM ", source!(), " WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL"))
                .bind(id.uuid())
                .bind(organization)
                .bind(account)
                .fetch_optional(&mut self.tx)
                .await?;
        row.map(IntegrationState::try_from).transpose()
    }

    /// One page of how integrations fare, by account and id unless ordered otherwise.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn integration_states(&mut self, query: &ListQuery) -> Result<Listed<IntegrationState>> {
        list::page::<StateRow, _>(self, &NOUN, query, true, &[]).await
    }

    /// One page of what happened to an integration.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn status_events(&mut self, account: AccountId, integration: IntegrationId, query: &ListQuery) -> Result<Listed<StatusEvent>> {
        let of_integration = move |sql: &mut QueryBuilder| {
            sql.push("account_id = ").push_bind(account.uuid()).push(" AND integration_id = ").push_bind(integration.uuid());
        };
        list::page::<EventRow, _>(self, &EVENTS, query, true, &[&of_integration]).await
    }

    /// The sums of each minute from `from` to before `to` in which there was a call: of one integration, or of all that the
    /// scope and the choice of accounts leave.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn status_minutes(&mut self, integration: Option<IntegrationId>, from: Timestamp, to: Timestamp) -> Result<Vec<MinuteUse>> {
        let mut sql = QueryBuilder::new(
            self.dialect(),
            "SELECT minute, CAST(SUM(succeeded) AS BIGINT), CAST(SUM(failed) AS BIGINT), CAST(SUM(cpu_time_us) AS BIGINT), CAST(SUM(in_bytes) AS BIGINT), CAST(SUM(out_bytes) AS BIGINT)",
        );
        let within = move |sql: &mut QueryBuilder| {
            sql.push("minute >= ").push_bind(At(from)).push(" AND minute < ").push_bind(At(to));
            if let Some(integration) = integration {
                sql.push(" AND integration_id = ").push_bind(integration.uuid());
            }
        };
        list::push_visible(self, &MINUTES, &mut sql, &[&within])?;
        sql.push(" GROUP BY minute ORDER BY minute");
        let rows: Vec<MinuteRow> = sql.build_query_as().fetch_all(&mut self.tx).await?;
        let count = row::count;
        Ok(rows
            .into_iter()
            .map(|(minute, succeeded, failed, cpu_time_us, in_bytes, out_bytes)| MinuteUse {
                minute: minute.0,
                used: CallSums {
                    requests: count(succeeded.saturating_add(failed)),
                    failed: count(failed),
                    cpu_time_us: count(cpu_time_us),
                    in_bytes: count(in_bytes),
                    out_bytes: count(out_bytes),
                    ..CallSums::default()
                },
            })
            .collect())
    }
}

impl WriteTx {
    /// Sets the sums of an integration to zero and forgets its events and minutes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn reset_status(&mut self, id: IntegrationId, now: Timestamp) -> Result<()> {
        let integration = self.integration(id).await?.ok_or_else(|| StoreError::not_found(IntegrationId::NOUN, id))?;
        db::query("INSERT INTO integration_counters (integration_id, organization_id, account_id, updated_at, reset_at) VALUES ($1, $2, $3, $4, $4) ON CONFLICT (integration_id) DO UPDATE SET requests = 0, failed = 0, cpu_time_us = 0, db_ops = 0, api_ops = 0, in_bytes = 0, out_bytes = 0, updated_at = excluded.updated_at, reset_at = excluded.reset_at")
            .bind(id.uuid())
            .bind(integration.organization_id.uuid())
            .bind(integration.account_id.uuid())
            .bind(At(now))
            .execute(&mut self.tx)
            .await?;
        for sql in [
            "DELETE FROM status_events WHERE organization_id = $1 AND account_id = $2 AND integration_id = $3",
            "DELETE FROM status_minutes WHERE organization_id = $1 AND account_id = $2 AND integration_id = $3",
        ] {
            db::query(sql).bind(integration.organization_id.uuid()).bind(integration.account_id.uuid()).bind(id.uuid()).execute(&mut self.tx).await?;
        }
        self.changed(ChangeKind::Integration, id, Some(integration.account_id))
    }

    /// Removes minutes from before `minutes` and events from before `events`, in all organizations. Gives how many. System
    /// scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn remove_old_status(&mut self, minutes: Timestamp, events: Timestamp) -> Result<u64> {
        self.system("the time series of all organizations")?;
        let minutes = db::query("DELETE FROM status_minutes WHERE minute < $1").bind(At(minutes)).execute(&mut self.tx).await?;
        let events = db::query("DELETE FROM status_events WHERE created_at < $1").bind(At(events)).execute(&mut self.tx).await?;
        Ok(minutes.rows_affected() + events.rows_affected())
    }
}

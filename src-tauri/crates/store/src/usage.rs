//! Telemetry of calls: gathered by the engine, written in batches, so that a call costs no write.

use patchbay_model::status::{CallSums, MinuteUse};
use patchbay_model::{AccountId, IntegrationId, OrganizationId, Origin, Scope, StatusEventId, Timestamp};

use crate::db;
use crate::dialect::At;
use crate::error::Result;
use crate::store::Store;
use crate::transaction::{ReadTx, WriteTx};

/// What an integration did since the last batch.
#[derive(Clone, PartialEq, Debug)]
pub struct Usage {
    /// Whose.
    pub organization_id: OrganizationId,
    /// In which account.
    pub account_id: AccountId,
    /// Which integration.
    pub integration_id: IntegrationId,
    /// When it was last called.
    pub last_used_at: Timestamp,
    /// When the provider last accepted the credential, if in this time.
    pub last_connected_at: Option<Timestamp>,
    /// What its calls used.
    pub used: CallSums,
    /// The same by minute.
    pub minutes: Vec<MinuteUse>,
    /// What may have happened to it, oldest first; what is known already is passed over.
    pub turns: Vec<Turn>,
}

/// A call after which an integration may fare otherwise than before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Turn {
    /// Id of the event that it becomes.
    pub id: StatusEventId,
    /// When.
    pub at: Timestamp,
    /// The word of the integration's status behind it.
    pub status: String,
    /// Code of the problem and its words; none when the call worked.
    pub failure: Option<(String, String)>,
    /// Number of the call within this batch, counted from 1.
    pub request: u64,
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Store {
    /// Writes a batch, in one transaction. Integrations that were deleted meanwhile are passed over. No rows of `changes`:
    /// nobody needs to read anew because a call was made.
    ///
    /// # Errors
    /// Those of the database; nothing of the batch was written then.
    pub async fn flush_usage(&self, batch: &[Usage]) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut tx = self.write(Scope::System, Origin::Background).await?;
        for usage in batch {
            tx.write_last_use(usage).await?;
            let Some(before) = tx.add_counters(usage).await? else { continue };
            for minute in &usage.minutes {
                tx.add_minute(usage, minute).await?;
            }
            tx.write_turns(usage, before).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

impl WriteTx {
    async fn write_last_use(&mut self, usage: &Usage) -> Result<()> {
        db::query("UPDATE integration_instances SET last_used_at = CASE WHEN last_used_at IS NULL OR last_used_at < $4 THEN $4 ELSE last_used_at END, last_connected_at = CASE WHEN last_connected_at IS NULL OR last_connected_at < $5 THEN COALESCE($5, last_connected_at) ELSE last_connected_at END WHERE id = $1 AND organization_id = $2 AND account_id = $3 AND deleted_at IS NULL")
            .bind(usage.integration_id.uuid())
            .bind(usage.organization_id.uuid())
            .bind(usage.account_id.uuid())
            .bind(At(usage.last_used_at))
            .bind(usage.last_connected_at.map(At))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Adds to the sums; gives the number of calls before, or none where the integration is gone.
    async fn add_counters(&mut self, usage: &Usage) -> Result<Option<i64>> {
        let sums: Option<(i64,)> = db::query_as("INSERT INTO integration_counters (integration_id, organization_id, account_id, requests, failed, cpu_time_us, db_ops, api_ops, in_bytes, out_bytes, updated_at) SELECT owner.id, owner.organization_id, owner.account_id, $4, $5, $6, $7, $8, $9, $10, $11 FROM integration_instances AS owner WHERE owner.id = $1 AND owner.organization_id = $2 AND owner.account_id = $3 AND owner.deleted_at IS NULL ON CONFLICT (integration_id) DO UPDATE SET requests = integration_counters.requests + excluded.requests, failed = integration_counters.failed + excluded.failed, cpu_time_us = integration_counters.cpu_time_us + excluded.cpu_time_us, db_ops = integration_counters.db_ops + excluded.db_ops, api_ops = integration_counters.api_ops + excluded.api_ops, in_bytes = integration_counters.in_bytes + excluded.in_bytes, out_bytes = integration_counters.out_bytes + excluded.out_bytes, updated_at = excluded.updated_at RETURNING requests")
            .bind(usage.integration_id.uuid())
            .bind(usage.organization_id.uuid())
            .bind(usage.account_id.uuid())
            .bind(number(usage.used.requests))
            .bind(number(usage.used.failed))
            .bind(number(usage.used.cpu_time_us))
            .bind(number(usage.used.db_ops))
            .bind(number(usage.used.api_ops))
            .bind(number(usage.used.in_bytes))
            .bind(number(usage.used.out_bytes))
            .bind(At(usage.last_used_at))
            .fetch_optional(&mut self.tx)
            .await?;
        Ok(sums.map(|(requests,)| requests.saturating_sub(number(usage.used.requests))))
    }

    async fn add_minute(&mut self, usage: &Usage, minute: &MinuteUse) -> Result<()> {
        let used = &minute.used;
        db::query("INSERT INTO status_minutes (integration_id, minute, organization_id, account_id, succeeded, failed, cpu_time_us, in_bytes, out_bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (integration_id, minute) DO UPDATE SET succeeded = status_minutes.succeeded + excluded.succeeded, failed = status_minutes.failed + excluded.failed, cpu_time_us = status_minutes.cpu_time_us + excluded.cpu_time_us, in_bytes = status_minutes.in_bytes + excluded.in_bytes, out_bytes = status_minutes.out_bytes + excluded.out_bytes")
            .bind(usage.integration_id.uuid())
            .bind(At(minute.minute))
            .bind(usage.organization_id.uuid())
            .bind(usage.account_id.uuid())
            .bind(number(used.requests.saturating_sub(used.failed)))
            .bind(number(used.failed))
            .bind(number(used.cpu_time_us))
            .bind(number(used.in_bytes))
            .bind(number(used.out_bytes))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Writes what is news: a problem other than the one that was known at that time, or that calls work again. Several
    /// processes may call one integration and write at different times, so what was known is asked here, for each moment.
    async fn write_turns(&mut self, usage: &Usage, before: i64) -> Result<()> {
        let (organization, account, integration) = (usage.organization_id.uuid(), usage.account_id.uuid(), usage.integration_id.uuid());
        for turn in &usage.turns {
            let known: Option<(Option<String>,)> = db::query_as(
                "SELECT code FROM status_events WHERE organization_id = $1 AND account_id = $2 AND integration_id = $3 AND created_at <= $4 ORDER BY created_at DESC, id DESC LIMIT 1",
            )
            .bind(organization)
            .bind(account)
            .bind(integration)
            .bind(At(turn.at))
            .fetch_optional(&mut self.tx)
            .await?;
            let code = turn.failure.as_ref().map(|(code, _)| code.clone());
            if code == known.and_then(|(code,)| code) {
                continue;
            }
            db::query(
                "INSERT INTO status_events (id, organization_id, account_id, integration_id, created_at, status, code, error, request) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(turn.id.uuid())
            .bind(organization)
            .bind(account)
            .bind(integration)
            .bind(At(turn.at))
            .bind(&turn.status)
            .bind(&code)
            .bind(turn.failure.as_ref().map(|(_, words)| words))
            .bind(before.saturating_add(number(turn.request)))
            .execute(&mut self.tx)
            .await?;
            // What another process wrote of a later moment is no news any more where it says the same.
            db::query("DELETE FROM status_events WHERE id = (SELECT later.id FROM status_events AS later WHERE later.organization_id = $1 AND later.account_id = $2 AND later.integration_id = $3 AND later.created_at > $4 ORDER BY later.created_at, later.id LIMIT 1) AND organization_id = $1 AND code IS NOT DISTINCT FROM $5")
                .bind(organization)
                .bind(account)
                .bind(integration)
                .bind(At(turn.at))
                .bind(&code)
                .execute(&mut self.tx)
                .await?;
        }
        Ok(())
    }
}

impl ReadTx {
    /// The sums of one integration, or of all in the scope.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn counters(&mut self, integration: Option<IntegrationId>) -> Result<CallSums> {
        let (organization, account) = self.bound()?;
        let sums: (i64, i64, i64, i64, i64, i64, i64) = db::query_as(
            "SELECT CAST(COALESCE(SUM(requests), 0) AS BIGINT), CAST(COALESCE(SUM(failed), 0) AS BIGINT), CAST(COALESCE(SUM(cpu_time_us), 0) AS BIGINT), CAST(COALESCE(SUM(db_ops), 0) AS BIGINT), CAST(COALESCE(SUM(api_ops), 0) AS BIGINT), CAST(COALESCE(SUM(in_bytes), 0) AS BIGINT), CAST(COALESCE(SUM(out_bytes), 0) AS BIGINT) FROM integration_counters WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND (integration_id = $3 OR $3 IS NULL)",
        )
        .bind(organization)
        .bind(account)
        .bind(integration.map(IntegrationId::uuid))
        .fetch_one(&mut self.tx)
        .await?;
        let count = crate::row::count;
        Ok(CallSums {
            requests: count(sums.0),
            failed: count(sums.1),
            cpu_time_us: count(sums.2),
            db_ops: count(sums.3),
            api_ops: count(sums.4),
            in_bytes: count(sums.5),
            out_bytes: count(sums.6),
        })
    }
}

//! Telemetry of calls: gathered by the engine, written in batches, so that a call costs no write.

use patchbay_model::{AccountId, IntegrationId, OrganizationId, Origin, Scope, Timestamp};

use crate::dialect::At;
use crate::error::Result;
use crate::store::Store;
use crate::transaction::ReadTx;

/// What an integration did since the last batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    /// Calls.
    pub requests: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Bytes that came from the provider.
    pub in_bytes: u64,
    /// Bytes that went to the provider.
    pub out_bytes: u64,
}

/// Sums of an integration's calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Calls.
    pub requests: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Bytes that came from the provider.
    pub in_bytes: u64,
    /// Bytes that went to the provider.
    pub out_bytes: u64,
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
            sqlx::query("UPDATE integration_instances SET last_used_at = CASE WHEN last_used_at IS NULL OR last_used_at < $4 THEN $4 ELSE last_used_at END, last_connected_at = CASE WHEN last_connected_at IS NULL OR last_connected_at < $5 THEN COALESCE($5, last_connected_at) ELSE last_connected_at END WHERE id = $1 AND organization_id = $2 AND account_id = $3 AND deleted_at IS NULL")
                .bind(usage.integration_id.uuid())
                .bind(usage.organization_id.uuid())
                .bind(usage.account_id.uuid())
                .bind(At(usage.last_used_at))
                .bind(usage.last_connected_at.map(At))
                .execute(&mut *tx.tx)
                .await?;
            sqlx::query("INSERT INTO integration_counters (integration_id, organization_id, account_id, requests, failed, in_bytes, out_bytes, updated_at) SELECT owner.id, owner.organization_id, owner.account_id, $4, $5, $6, $7, $8 FROM integration_instances AS owner WHERE owner.id = $1 AND owner.organization_id = $2 AND owner.account_id = $3 AND owner.deleted_at IS NULL ON CONFLICT (integration_id) DO UPDATE SET requests = integration_counters.requests + excluded.requests, failed = integration_counters.failed + excluded.failed, in_bytes = integration_counters.in_bytes + excluded.in_bytes, out_bytes = integration_counters.out_bytes + excluded.out_bytes, updated_at = excluded.updated_at")
                .bind(usage.integration_id.uuid())
                .bind(usage.organization_id.uuid())
                .bind(usage.account_id.uuid())
                .bind(number(usage.requests))
                .bind(number(usage.failed))
                .bind(number(usage.in_bytes))
                .bind(number(usage.out_bytes))
                .bind(At(usage.last_used_at))
                .execute(&mut *tx.tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

impl ReadTx {
    /// The sums of one integration, or of all in the scope.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn counters(&mut self, integration: Option<IntegrationId>) -> Result<Counters> {
        let (organization, account) = self.bound()?;
        let (requests, failed, in_bytes, out_bytes): (i64, i64, i64, i64) = sqlx::query_as(
            "SELECT CAST(COALESCE(SUM(requests), 0) AS BIGINT), CAST(COALESCE(SUM(failed), 0) AS BIGINT), CAST(COALESCE(SUM(in_bytes), 0) AS BIGINT), CAST(COALESCE(SUM(out_bytes), 0) AS BIGINT) FROM integration_counters WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND (integration_id = $3 OR $3 IS NULL)",
        )
        .bind(organization)
        .bind(account)
        .bind(integration.map(IntegrationId::uuid))
        .fetch_one(&mut *self.tx)
        .await?;
        let count = crate::row::count;
        Ok(Counters { requests: count(requests), failed: count(failed), in_bytes: count(in_bytes), out_bytes: count(out_bytes) })
    }
}

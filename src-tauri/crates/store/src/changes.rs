//! The tail of `changes`: what windows, browsers and other processes read to know what to read anew.

use patchbay_model::change::Change;
use patchbay_model::{AccountId, OrganizationId};
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use crate::db;
use crate::error::{Result, StoreError};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

#[derive(FromRow)]
struct ChangeRow {
    sequence: i64,
    organization_id: Uuid,
    account_id: Option<Uuid>,
    kind: String,
    object_id: String,
    origin: String,
}

impl TryFrom<ChangeRow> for (OrganizationId, Change) {
    type Error = StoreError;

    fn try_from(row: ChangeRow) -> Result<Self> {
        Ok((
            OrganizationId::from_uuid(row.organization_id),
            Change {
                sequence: row.sequence,
                kind: row::word("changes", "kind", &row.kind)?,
                id: row.object_id,
                account_id: row.account_id.map(AccountId::from_uuid),
                origin: row::word("changes", "origin", &row.origin)?,
            },
        ))
    }
}

impl ReadTx {
    /// Changes of this scope after `sequence`, the oldest first, at most `limit`. In an account's scope only those within
    /// the account. When more than one object of a kind changed together with its parent, one row may stand for all, with
    /// the parent's id: read the list anew.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn changes_since(&mut self, sequence: i64, limit: u32) -> Result<Vec<Change>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<ChangeRow> = db::query_as(AssertSqlSafe(format!(
            "SELECT sequence, organization_id, account_id, kind, object_id, origin FROM changes WHERE organization_id = $1 AND sequence > $2 AND (account_id = $3 OR $3 IS NULL) ORDER BY sequence LIMIT {limit}"
        )))
        .bind(organization)
        .bind(sequence)
        .bind(account)
        .fetch_all(&mut self.tx)
        .await?;
        rows.into_iter().map(|row| row.try_into().map(|(_, change): (OrganizationId, Change)| change)).collect()
    }

    /// Changes of all organizations after `sequence`, for the one task of a process that hands them to its listeners, each
    /// within its scope. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn tail_changes(&mut self, sequence: i64, limit: u32) -> Result<Vec<(OrganizationId, Change)>> {
        self.system("the changes of all organizations")?;
        let sql = format!("SELECT sequence, organization_id, account_id, kind, object_id, origin FROM changes WHERE sequence > $1 ORDER BY sequence LIMIT {limit}");
        let rows: Vec<ChangeRow> = db::query_as(AssertSqlSafe(sql)).bind(sequence).fetch_all(&mut self.tx).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The newest sequence of the store; 0 when nothing ever changed. In every scope: it is a number and no tenant's.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn latest_sequence(&mut self) -> Result<i64> {
        let (newest,): (i64,) = db::query_as(self.dialect().newest_change()).fetch_one(&mut self.tx).await?;
        Ok(newest)
    }

    /// The oldest sequence that is still there. A listener that saw nothing since before it must read everything anew.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn oldest_sequence(&mut self) -> Result<i64> {
        let (oldest,): (i64,) = db::query_as(self.dialect().oldest_change()).fetch_one(&mut self.tx).await?;
        Ok(oldest)
    }
}

impl WriteTx {
    /// Forgets all changes but the newest `keep`. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn trim_changes(&mut self, keep: u32) -> Result<u64> {
        self.system("the changes of all organizations")?;
        let done = db::query("DELETE FROM changes WHERE sequence <= (SELECT COALESCE(MAX(sequence), 0) FROM changes) - $1").bind(i64::from(keep)).execute(&mut self.tx).await?;
        Ok(done.rows_affected())
    }
}

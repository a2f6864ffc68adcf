//! Going through all sealed values of a store, page by page, and sealing them anew in batches: for the rotation of keys and
//! for whoever opens every value. The system's scope throughout.

use patchbay_model::credential::Envelope;
use sqlx::AssertSqlSafe;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db::{self, QueryBuilder};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::sealed::{SealedTable, SealedValue, Secrets};
use crate::transaction::SecretWriteTx;

/// How many sealed values lie under a pair of keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedCount {
    /// Id of the data key.
    pub data_key: String,
    /// Id of the database key; none on SQLite.
    pub database_key: Option<String>,
    /// How many values.
    pub values: u64,
}

/// Where a table keeps its sealed values.
struct Column {
    /// The column that is sealed.
    sealed: &'static str,
    /// The primary key.
    row: &'static str,
    /// For which table and row a value was sealed, where that is not its own.
    sealed_for: Option<(&'static str, &'static str)>,
}

impl SealedTable {
    /// Every table that has sealed values.
    pub const ALL: [Self; 7] =
        [Self::IntegrationInstances, Self::SharedCredentials, Self::ConnectSessions, Self::RefreshJournal, Self::RefreshFlights, Self::ConnectLegs, Self::Revocations];

    const fn column(self) -> Column {
        match self {
            Self::IntegrationInstances | Self::SharedCredentials => Column { sealed: "credentials", row: "id", sealed_for: None },
            Self::ConnectSessions => Column { sealed: "verifier", row: "id", sealed_for: None },
            Self::RefreshJournal => Column { sealed: "previous", row: "credential_id", sealed_for: Some(("sealed_table", "sealed_row")) },
            Self::RefreshFlights => Column { sealed: "previous", row: "id", sealed_for: Some(("sealed_table", "sealed_row")) },
            Self::ConnectLegs => Column { sealed: "secrets", row: "id", sealed_for: None },
            Self::Revocations => Column { sealed: "tokens", row: "id", sealed_for: None },
        }
    }
}

type SealedRow = (Uuid, Option<Uuid>, Uuid, Option<String>, Option<Uuid>, Json<Envelope>);

impl Secrets<'_> {
    /// How many sealed values, tombstones among them, lie under each key. Reads every one of them.
    ///
    /// # Errors
    /// [`crate::StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn count_sealed(&mut self) -> Result<Vec<SealedCount>> {
        self.system("all sealed values")?;
        let dialect = self.dialect();
        let mut counts: Vec<SealedCount> = Vec::new();
        for table in SealedTable::ALL {
            let column = table.column().sealed;
            let (data, database) = (dialect.json_text(column, "key_id"), dialect.json_text(column, "dbk"));
            let sql = format!("SELECT {data}, {database}, count(*) FROM {} WHERE {column} IS NOT NULL GROUP BY 1, 2", table.as_str());
            let rows: Vec<(String, Option<String>, i64)> = db::query_as(AssertSqlSafe(sql)).fetch_all(&mut self.tx).await?;
            for (data_key, database_key, values) in rows {
                let values = u64::try_from(values).unwrap_or_default();
                match counts.iter_mut().find(|count| count.data_key == data_key && count.database_key == database_key) {
                    Some(count) => count.values += values,
                    None => counts.push(SealedCount { data_key, database_key, values }),
                }
            }
        }
        Ok(counts)
    }

    /// The next sealed values of a table behind the row `after`, in the order of rows, at most `limit`; tombstones among
    /// them. With `not_under` only those that do not lie under that data key and that database key.
    ///
    /// # Errors
    /// [`crate::StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn sealed_page(&mut self, table: SealedTable, after: Option<Uuid>, not_under: Option<(&str, Option<&str>)>, limit: u32) -> Result<Vec<SealedValue>> {
        self.system("all sealed values")?;
        let dialect = self.dialect();
        let Column { sealed, row, sealed_for } = table.column();
        let sealed_for = match (sealed_for, dialect) {
            (Some((table, row)), _) => format!("{table}, {row}"),
            // A bare NULL has no type on PostgreSQL.
            (None, Dialect::Sqlite) => "NULL, NULL".to_owned(),
            (None, Dialect::Postgres) => "NULL::text, NULL::uuid".to_owned(),
        };
        let mut sql = QueryBuilder::new(dialect, "SELECT organization_id, account_id, ");
        // No row has the id of zeros, so that it stands before all of them; a choice of conditions would go unindexed.
        sql.push(format_args!("{row}, {sealed_for}, {} FROM {} WHERE {sealed} IS NOT NULL AND {row} > ", dialect.opened(sealed, "$1"), table.as_str()));
        let keyed = dialect == Dialect::Postgres;
        let mut binds = Numbered { next: if keyed { 2 } else { 1 } };
        sql.push(binds.place());
        if not_under.is_some() {
            sql.push(format_args!(
                " AND ({} <> {} OR {} IS DISTINCT FROM {})",
                dialect.json_text(sealed, "key_id"),
                binds.place(),
                dialect.json_text(sealed, "dbk"),
                binds.place()
            ));
        }
        sql.push(format_args!(" ORDER BY {row} LIMIT {}", binds.place()));
        let mut query = sql.build_query_as::<SealedRow>().bind_key(&self.tx).bind(after.unwrap_or_else(Uuid::nil));
        if let Some((data, database)) = not_under {
            query = query.bind(data).bind(database.map(str::to_owned));
        }
        let rows = query.bind(i64::from(limit)).fetch_all(&mut self.tx).await?;
        Ok(rows
            .into_iter()
            .map(|(organization_id, account_id, row, for_table, for_row, envelope)| SealedValue {
                organization_id,
                account_id,
                table,
                row,
                sealed_for_table: for_table.unwrap_or_else(|| table.as_str().to_owned()),
                sealed_for_row: for_row.unwrap_or(row),
                envelope: envelope.0,
            })
            .collect())
    }
}

/// Places of values in a statement.
struct Numbered {
    next: u32,
}

impl Numbered {
    fn place(&mut self) -> String {
        let place = format!("${}", self.next);
        self.next += 1;
        place
    }
}

impl SecretWriteTx {
    /// Puts other envelopes in place of sealed values that were read in this transaction, in one statement. Nothing else of
    /// their rows changes, so nobody is told of it.
    ///
    /// # Errors
    /// [`crate::StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn reseal(&mut self, table: SealedTable, next: &[(Uuid, Envelope)]) -> Result<()> {
        self.system("all sealed values")?;
        if next.is_empty() {
            return Ok(());
        }
        let dialect = self.dialect();
        let Column { sealed, row, .. } = table.column();
        let mut sql = QueryBuilder::new(dialect, "WITH anew (row_id, envelope) AS (");
        sql.push_values(next, |mut values, (row, envelope)| {
            values.push_bind(*row).push_bind(Json(envelope));
        });
        // The rows are found by their key, one by one, and not the other way round.
        sql.push(format_args!(
            ") UPDATE {} SET {sealed} = {} FROM anew WHERE {row} = {}",
            table.as_str(),
            dialect.sealed("anew.envelope", &format!("${}", next.len() * 2 + 1)),
            dialect.unindexed("anew.row_id")
        ));
        sql.build().bind_key(&self.tx).execute(&mut self.tx).await?;
        Ok(())
    }
}

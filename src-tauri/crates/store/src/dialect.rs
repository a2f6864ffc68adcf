//! What differs between databases, and nothing else. Every other file holds SQL that SQLite and PostgreSQL read alike.

use patchbay_model::Timestamp;
use sqlx::encode::IsNull;
use sqlx::error::{BoxDynError, DatabaseError};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteConnection, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Sqlite, Type};

/// The database.
pub(crate) type Db = Sqlite;

/// A point in time as a column value: RFC 3339 text of fixed width here, `timestamptz` on PostgreSQL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct At(pub(crate) Timestamp);

/// The latest time that sorts as text: years have four digits.
const LATEST: &str = "9999-12-31T23:59:59.999999Z";

impl Type<Sqlite> for At {
    fn type_info() -> SqliteTypeInfo {
        <str as Type<Sqlite>>::type_info()
    }

    fn compatible(info: &SqliteTypeInfo) -> bool {
        <str as Type<Sqlite>>::compatible(info)
    }
}

impl Encode<'_, Sqlite> for At {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        let text = self.0.to_string();
        // A year of five digits is written with a sign and would sort before all others.
        let text = if text.starts_with('+') { LATEST.to_owned() } else { text };
        <String as Encode<'_, Sqlite>>::encode(text, buffer)
    }
}

impl Decode<'_, Sqlite> for At {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(<&str as Decode<Sqlite>>::decode(value)?.parse()?))
    }
}

impl From<Timestamp> for At {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

/// Begins a transaction that will write: takes the write lock at once, so that it can never fail half-way for want of it.
pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// What stands for a missing time in comparisons: before every other.
pub(crate) const NO_TIME: &str = "''";

/// What stands for a missing id in comparisons: before every other.
pub(crate) const NO_ID: &str = "x''";

/// A table function with one row `each.value` per element of the JSON array in `column`.
pub(crate) fn json_elements(column: &str) -> String {
    format!("json_each({column}) AS each")
}

/// The elements of the array at a path of a JSON column, as rows `each.value`.
pub(crate) fn json_elements_at(column: &str, path: &str) -> String {
    format!("json_each({column}, '{path}') AS each")
}

/// Whether there is an object at a path of a JSON column.
pub(crate) fn json_is_object(column: &str, path: &str) -> String {
    format!("json_type({column}, '{path}') = 'object'")
}

/// Whether there is an array at a path of a JSON column.
pub(crate) fn json_is_array(column: &str, path: &str) -> String {
    format!("json_type({column}, '{path}') = 'array'")
}

/// Name of the unique index or columns that a statement ran into.
pub(crate) fn violated_unique(error: &dyn DatabaseError) -> Option<String> {
    if !error.is_unique_violation() {
        return None;
    }
    // SQLite: "UNIQUE constraint failed: index 'accounts_name'" or "...: accounts.organization_id, accounts.external_id".
    let what = error.message().rsplit("failed: ").next().unwrap_or_default();
    Some(what.trim_start_matches("index ").trim_matches('\'').to_owned())
}

/// Groups of errors that need words of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    Busy,
    ReadOnly,
    DiskFull,
    Damaged,
    CannotOpen,
    Io,
    Reference,
}

/// Which trouble an error of the database is, by SQLite's primary result code.
pub(crate) fn trouble(error: &dyn DatabaseError) -> Option<Trouble> {
    if error.is_foreign_key_violation() {
        return Some(Trouble::Reference);
    }
    let code: i32 = error.code()?.parse().ok()?;
    Some(match code & 0xff {
        5 | 6 => Trouble::Busy,
        8 => Trouble::ReadOnly,
        10 => Trouble::Io,
        11 | 26 => Trouble::Damaged,
        13 => Trouble::DiskFull,
        14 => Trouble::CannotOpen,
        _ => return None,
    })
}

/// A column as a condition for which no index shall be used: where few rows are wanted by their ids, an index that gives an
/// order looks cheaper than it is.
pub(crate) fn unindexed(column: &str) -> String {
    format!("+{column}")
}

/// An expression that says whether `column` holds JSON.
pub(crate) fn is_json(column: &str) -> String {
    format!("json_valid({column})")
}

/// What the database itself finds wrong with its pages and indexes, as sentences.
pub(crate) async fn integrity(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let rows: Vec<(String,)> = sqlx::query_as("PRAGMA integrity_check(100)").fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(line,)| line).filter(|line| line != "ok").map(|line| format!("The file is damaged: {line}.")).collect())
}

/// Foreign keys that lead nowhere, as sentences.
pub(crate) async fn broken_references(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let rows: Vec<(String, Option<i64>, String, i64)> = sqlx::query_as("PRAGMA foreign_key_check").fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(table, row, parent, _)| format!("Row {} of {table} refers to a row of {parent} that is not there.", row.unwrap_or_default())).collect())
}

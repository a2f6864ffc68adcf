//! What differs between the databases, and nothing else. Every other file holds SQL that SQLite and PostgreSQL read alike.

use chrono::{DateTime, Utc};
use patchbay_model::Timestamp;
use sqlx::encode::IsNull;
use sqlx::error::{BoxDynError, DatabaseError};
use sqlx::postgres::{PgArgumentBuffer, PgDatabaseError, PgTypeInfo, PgValueRef};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Postgres, Sqlite, Type};

use crate::db::{self, Tx};

/// A database by its ways of saying things.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// A point in time as a column value: RFC 3339 text of fixed width on SQLite, `timestamptz` on PostgreSQL.
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

impl Type<Postgres> for At {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for At {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        // The same end of time as on SQLite.
        let latest: Timestamp = LATEST.parse()?;
        <DateTime<Utc> as Encode<'_, Postgres>>::encode(self.0.min(latest).utc(), buffer)
    }
}

impl Decode<'_, Postgres> for At {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(<DateTime<Utc> as Decode<Postgres>>::decode(value)?.into()))
    }
}

impl From<Timestamp> for At {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

/// A structure as a column value: JSON text on SQLite, `jsonb` on PostgreSQL.
#[derive(Clone)]
pub(crate) struct JsonText(pub(crate) String);

impl Type<Sqlite> for JsonText {
    fn type_info() -> SqliteTypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for JsonText {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        <String as Encode<'_, Sqlite>>::encode(self.0.clone(), buffer)
    }

    fn encode(self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        <String as Encode<'_, Sqlite>>::encode(self.0, buffer)
    }
}

impl Type<Postgres> for JsonText {
    fn type_info() -> PgTypeInfo {
        <serde_json::Value as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for JsonText {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        // The binary form of jsonb: a version, which is 1, and the text.
        buffer.push(1);
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

/// Begins a transaction on a file that will write: takes the write lock at once, so that it can never fail half-way for want
/// of it.
pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// What stands for a missing time on PostgreSQL, and what is read of it.
const LEAST_TIME: &str = "0001-01-01T00:00:00.000000Z";

impl Dialect {
    /// What stands for a missing time in comparisons: before every other.
    pub(crate) const fn no_time(self) -> &'static str {
        match self {
            Self::Sqlite => "''",
            Self::Postgres => "TIMESTAMPTZ '0001-01-01 00:00:00+00'",
        }
    }

    /// What stands for a missing id in comparisons: before every other.
    pub(crate) const fn no_id(self) -> &'static str {
        match self {
            Self::Sqlite => "x''",
            Self::Postgres => "UUID '00000000-0000-0000-0000-000000000000'",
        }
    }

    /// A table function with one row `each.value` per element of the JSON array of texts in `column`.
    pub(crate) fn json_elements(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("json_each({column}) AS each"),
            Self::Postgres => format!("jsonb_array_elements_text({column}) AS each(value)"),
        }
    }

    /// The elements of the array at a path (`$.a.b`) of a JSON column, as rows `each.value`; none where there is no array.
    pub(crate) fn json_elements_at(self, column: &str, path: &str) -> String {
        match self {
            Self::Sqlite => format!("json_each({column}, '{path}') AS each"),
            // The planner may look at elements before it looks at what they are elements of.
            Self::Postgres => {
                let at = postgres_path(column, path);
                format!("jsonb_array_elements_text(CASE WHEN jsonb_typeof({at}) = 'array' THEN {at} ELSE '[]' END) AS each(value)")
            }
        }
    }

    /// Whether there is an object at a path of a JSON column.
    pub(crate) fn json_is_object(self, column: &str, path: &str) -> String {
        self.json_is(column, path, "object")
    }

    /// Whether there is an array at a path of a JSON column.
    pub(crate) fn json_is_array(self, column: &str, path: &str) -> String {
        self.json_is(column, path, "array")
    }

    fn json_is(self, column: &str, path: &str, kind: &str) -> String {
        match self {
            Self::Sqlite => format!("json_type({column}, '{path}') = '{kind}'"),
            Self::Postgres => format!("jsonb_typeof({}) = '{kind}'", postgres_path(column, path)),
        }
    }

    /// A member of the object in a JSON column, as text; missing where it is.
    pub(crate) fn json_text(self, column: &str, member: &str) -> String {
        match self {
            Self::Sqlite => format!("json_extract({column}, '$.{member}')"),
            Self::Postgres => format!("({column} ->> '{member}')"),
        }
    }

    /// The JSON array of all values of an expression over the rows of a query, with its FROM.
    pub(crate) fn json_array_of(self, expression: &str, from: &str) -> String {
        match self {
            Self::Sqlite => format!("(SELECT json_group_array({expression}) FROM {from})"),
            Self::Postgres => format!("(SELECT jsonb_agg({expression}) FROM {from})"),
        }
    }

    /// A column as a condition for which no index shall be used: where few rows are wanted by their ids, an index that gives
    /// an order looks cheaper than it is. PostgreSQL knows better what things cost.
    pub(crate) fn unindexed(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("+{column}"),
            Self::Postgres => column.to_owned(),
        }
    }

    /// An expression that says whether `column` holds JSON. On PostgreSQL nothing else fits into the column.
    pub(crate) fn is_json(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("json_valid({column})"),
            Self::Postgres => "TRUE".to_owned(),
        }
    }

    /// The time of the database itself; none where every process is on one machine and has its clock.
    pub(crate) const fn clock(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT clock_timestamp()"),
        }
    }

    /// The newest number of a change, whatever the scope: it is a number and no tenant's.
    pub(crate) const fn newest_change(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT COALESCE(MAX(sequence), 0) FROM changes",
            Self::Postgres => "SELECT patchbay.newest_change()",
        }
    }

    /// The oldest number of a change that is still there.
    pub(crate) const fn oldest_change(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT COALESCE(MIN(sequence), 0) FROM changes",
            Self::Postgres => "SELECT patchbay.oldest_change()",
        }
    }

    /// An envelope as it is put into a sealed column: on PostgreSQL its ciphertext once more under the database key, with that
    /// key's id as `dbk`. The keys are bound as `key` ([`db::Query::bind_key`]).
    pub(crate) fn sealed(self, envelope: &str, key: &str) -> String {
        match self {
            Self::Sqlite => envelope.to_owned(),
            Self::Postgres => format!(
                "{envelope} || jsonb_build_object('dbk', {key}::jsonb ->> '', 'ct', patchbay.sealed(decode({envelope} ->> 'ct', 'base64'), {key}::jsonb ->> ({key}::jsonb ->> '')))"
            ),
        }
    }

    /// The envelope that lies in a sealed column. PostgreSQL breaks base64 into lines.
    pub(crate) fn opened(self, column: &str, key: &str) -> String {
        match self {
            Self::Sqlite => column.to_owned(),
            Self::Postgres => {
                // A key that is not among those that are bound opens nothing, as a wrong one does: a missing value would look like
                // a missing secret.
                let passphrase = format!("coalesce({key}::jsonb ->> ({column} ->> 'dbk'), '')");
                format!("jsonb_set({column} - 'dbk', '{{ct}}', to_jsonb(translate(encode(patchbay.opened({column} ->> 'ct', {passphrase}), 'base64'), chr(10), '')))")
            }
        }
    }
}

/// Whether a time that was read stands for a missing one.
pub(crate) fn is_no_time(At(at): At) -> bool {
    at.to_string() == LEAST_TIME
}

/// `$.a.b` of a column, as PostgreSQL says it.
fn postgres_path(column: &str, path: &str) -> String {
    format!("({column} #> '{{{}}}')", path.trim_start_matches("$.").replace('.', ","))
}

/// Name of the unique index or columns that a statement ran into.
pub(crate) fn violated_unique(error: &dyn DatabaseError) -> Option<String> {
    if !error.is_unique_violation() {
        return None;
    }
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        return Some(error.constraint().unwrap_or_default().to_owned());
    }
    // SQLite: "UNIQUE constraint failed: index 'accounts_name'" or "...: accounts.organization_id, accounts.external_id".
    let what = error.message().rsplit("failed: ").next().unwrap_or_default();
    Some(what.trim_start_matches("index ").trim_matches('\'').to_owned())
}

/// Groups of errors that need words of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    Busy,
    /// Another transaction came between: the same again will do.
    Contended,
    /// The server is going, coming or gone.
    Unreachable,
    /// The login lacks a right.
    Denied,
    /// The server does not let the login in.
    Refused,
    /// The server has no such database.
    NoDatabase,
    ReadOnly,
    DiskFull,
    ServerReadOnly,
    ServerDisk,
    Damaged,
    CannotOpen,
    Io,
    Reference,
    /// A text has a character that the database does not keep.
    Character,
}

/// Which trouble an error of the database is: by SQLSTATE (PostgreSQL documentation, appendix A) or by SQLite's primary
/// result code.
pub(crate) fn trouble(error: &dyn DatabaseError) -> Option<Trouble> {
    if error.is_foreign_key_violation() {
        return Some(Trouble::Reference);
    }
    let code = error.code()?;
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return Some(match &*code {
            "40001" | "40P01" => Trouble::Contended,
            // Lock not available, statement cancelled for its timeout, too many connections, out of memory.
            "55P03" | "57014" | "53300" | "53200" | "53000" => Trouble::Busy,
            "53100" | "58030" => Trouble::ServerDisk,
            // U+0000, in a text and within JSON.
            "22021" | "22P05" => Trouble::Character,
            "25006" => Trouble::ServerReadOnly,
            "42501" => Trouble::Denied,
            "28000" | "28P01" => Trouble::Refused,
            "3D000" => Trouble::NoDatabase,
            "XX001" | "XX002" => Trouble::Damaged,
            code if code.starts_with("57P") || code.starts_with("08") => Trouble::Unreachable,
            _ => return None,
        });
    }
    let code: i32 = code.parse().ok()?;
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

/// What the database itself finds wrong with its pages and indexes, as sentences. A server looks after its own pages.
pub(crate) async fn integrity(tx: &mut Tx) -> Result<Vec<String>, sqlx::Error> {
    if tx.dialect() == Dialect::Postgres {
        return Ok(Vec::new());
    }
    let rows: Vec<(String,)> = db::query_as("PRAGMA integrity_check(100)").fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(line,)| line).filter(|line| line != "ok").map(|line| format!("The file is damaged: {line}.")).collect())
}

/// Foreign keys that lead nowhere, as sentences. PostgreSQL lets none come about.
pub(crate) async fn broken_references(tx: &mut Tx) -> Result<Vec<String>, sqlx::Error> {
    if tx.dialect() == Dialect::Postgres {
        return Ok(Vec::new());
    }
    let rows: Vec<(String, Option<i64>, String, i64)> = db::query_as("PRAGMA foreign_key_check").fetch_all(tx).await?;
    Ok(rows.into_iter().map(broken_reference).collect())
}

/// A row of `PRAGMA foreign_key_check` in words.
pub(crate) fn broken_reference((table, row, parent, _): (String, Option<i64>, String, i64)) -> String {
    format!("Row {} of {table} refers to a row of {parent} that is not there.", row.unwrap_or_default())
}

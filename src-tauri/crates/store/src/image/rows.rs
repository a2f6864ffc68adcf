//! Rows on their way: out of the database, into it, and the sealed values among them.

use patchbay_model::credential::Envelope;
use patchbay_model::{AccountId, OrganizationId};
use sqlx::types::Json;
use uuid::Uuid;

use super::tables::{Column, ImageTable};
use super::value::{Kind, Value};
use crate::db::{AnyRow, QueryBuilder, Tx};
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::row;

/// Some rows of one table.
pub struct Batch {
    pub(crate) table: &'static ImageTable,
    /// The columns that the rows have, in their order.
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// A sealed value in a batch, with the place to which its seal is bound.
pub struct SealedCell<'a> {
    /// In which table it lies.
    pub table: &'static str,
    /// In which row.
    pub row: Uuid,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// In which account.
    pub account_id: Option<AccountId>,
    /// The table for which it was sealed: another than `table` only for the journal of refreshes.
    pub sealed_for_table: String,
    /// The row for which it was sealed.
    pub sealed_for_row: Uuid,
    /// The envelope, to be replaced by one under other keys.
    pub envelope: &'a mut Envelope,
}

impl Batch {
    /// Name of the table.
    pub fn table(&self) -> &'static str {
        self.table.name
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|(name, _)| *name == column)
    }

    /// The sealed values in these rows.
    ///
    /// # Errors
    /// [`StoreError::Image`] for a sealed value without its organization or row.
    pub fn sealed(&mut self) -> Result<Vec<SealedCell<'_>>> {
        let table = self.table;
        let Some(at) = self.columns.iter().position(|(_, kind)| *kind == Kind::Sealed) else { return Ok(Vec::new()) };
        let key = table.key.first().and_then(|key| self.position(key));
        let [organization, account, for_table, for_row] = ["organization_id", "account_id", "sealed_table", "sealed_row"].map(|column| self.position(column));
        let mut cells = Vec::new();
        for row in &mut self.rows {
            let id = |place: Option<usize>| place.and_then(|place| row.get(place)).and_then(Value::uuid);
            let (owner, account, id_of_row, sealed_for_row) = (id(organization), id(account), id(key), id(for_row));
            let sealed_for_table = for_table.and_then(|place| row.get(place)).and_then(Value::text).unwrap_or(table.name).to_owned();
            let Some(Value::Sealed(envelope)) = row.get_mut(at) else { continue };
            let (Some(owner), Some(row)) = (owner, id_of_row) else {
                return Err(StoreError::Image { table: table.name.to_owned(), line: 0, what: "a sealed value belongs to nobody".to_owned() });
            };
            cells.push(SealedCell {
                table: table.name,
                row,
                organization_id: OrganizationId::from_uuid(owner),
                account_id: account.map(AccountId::from_uuid),
                sealed_for_table,
                sealed_for_row: sealed_for_row.unwrap_or(row),
                envelope,
            });
        }
        Ok(cells)
    }
}

/// Which rows of a table.
pub(crate) struct Wanted<'a> {
    /// Of one organization.
    pub(crate) organization: Option<Uuid>,
    /// Behind the row with this key.
    pub(crate) after: Option<&'a [Value]>,
}

/// How many rows of a table there are.
pub(crate) async fn count(tx: &mut Tx, table: &'static ImageTable, organization: Option<Uuid>) -> Result<u64> {
    let mut sql = QueryBuilder::new(tx.dialect(), &format!("SELECT count(*) FROM {}", table.name));
    restrict(&mut sql, table, organization);
    let (rows,): (i64,) = sql.build_query_as().fetch_one(tx).await?;
    Ok(row::count(rows))
}

/// The condition that rows are of an organization. Gives whether there is one.
fn restrict(sql: &mut QueryBuilder, table: &ImageTable, organization: Option<Uuid>) -> bool {
    let Some(organization) = organization else { return false };
    match table.organization {
        Some(column) => {
            sql.push(format_args!(" WHERE {column} = ")).push_bind(organization);
        }
        // Definitions belong to the store: the organization's own go along, and those that its integrations pin or ever pinned.
        None => {
            sql.push(" WHERE id IN (SELECT own.id FROM integration_definitions AS own WHERE own.organization_id = ").push_bind(organization);
            sql.push(" UNION SELECT integration_id FROM integration_instances WHERE organization_id = ").push_bind(organization);
            sql.push(" UNION SELECT from_definition FROM definition_moves WHERE organization_id = ").push_bind(organization);
            sql.push(" UNION SELECT to_definition FROM definition_moves WHERE organization_id = ").push_bind(organization);
            sql.push(" UNION SELECT definition_id FROM revocations WHERE organization_id = ").push_bind(organization);
            sql.push(")");
        }
    }
    true
}

/// The next rows of a table in the order of its key.
pub(crate) async fn page(tx: &mut Tx, table: &'static ImageTable, wanted: Wanted<'_>) -> Result<Batch> {
    let mut sql = QueryBuilder::new(tx.dialect(), "SELECT ");
    for (place, (name, kind)) in table.columns.iter().enumerate() {
        sql.push(if place > 0 { ", " } else { "" });
        if *kind == Kind::Sealed {
            let key = sql.bind_key(tx);
            let opened = sql.dialect().opened(name, &key);
            sql.push(opened);
        } else {
            sql.push(name);
        }
    }
    sql.push(" FROM ").push(table.name);
    let restricted = restrict(&mut sql, table, wanted.organization);
    let key = table.key.join(", ");
    if let Some(after) = wanted.after {
        sql.push(format_args!(" {} ({key}) > (", if restricted { "AND" } else { "WHERE" }));
        for (place, value) in after.iter().enumerate() {
            if place > 0 {
                sql.push(", ");
            }
            bind(&mut sql, tx, value);
        }
        sql.push(")");
    }
    sql.push(format_args!(" ORDER BY {key} LIMIT {}", table.page));
    let mut rows = Vec::new();
    sql.build().fetch(tx, |row| read(table, &row).map(|values| rows.push(values))).await?;
    Ok(Batch { table, columns: table.columns.to_vec(), rows })
}

fn read(table: &'static ImageTable, row: &AnyRow) -> Result<Vec<Value>> {
    let values = table.columns.iter().enumerate().map(|(place, (column, kind))| {
        let value = match kind {
            Kind::Uuid | Kind::Definition => row.try_get::<Option<Uuid>, _>(place).map(|value| value.map(Value::Uuid)),
            Kind::Text => row.try_get::<Option<String>, _>(place).map(|value| value.map(Value::Text)),
            Kind::Int => row.try_get::<Option<i64>, _>(place).map(|value| value.map(Value::Int)),
            Kind::Bool => row.try_get::<Option<bool>, _>(place).map(|value| value.map(Value::Bool)),
            Kind::Time => row.try_get::<Option<At>, _>(place).map(|value| value.map(|At(at)| Value::Time(at))),
            Kind::Json => row.try_get::<Option<Json<serde_json::Value>>, _>(place).map(|value| value.map(|Json(json)| Value::Json(json))),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(place).map(|value| value.map(Value::Bytes)),
            Kind::Sealed => row.try_get::<Option<Json<Envelope>>, _>(place).map(|value| value.map(|Json(envelope)| Value::Sealed(envelope))),
        };
        match value {
            Ok(value) => Ok(value.unwrap_or(Value::Null)),
            Err(sqlx::Error::ColumnDecode { source, .. }) => Err(row::bad(table.name, column, source.to_string())),
            Err(error) => Err(error.into()),
        }
    });
    values.collect()
}

/// Binds a value that is not missing; NULL needs no type on its way out of a key, and is written as a word elsewhere.
fn bind(sql: &mut QueryBuilder, tx: &Tx, value: &Value) {
    match value {
        Value::Null => sql.push("NULL"),
        Value::Uuid(id) => sql.push_bind(*id),
        Value::Text(text) => sql.push_bind(text.clone()),
        Value::Int(number) => sql.push_bind(*number),
        Value::Bool(bool) => sql.push_bind(*bool),
        Value::Time(at) => sql.push_bind(At(*at)),
        Value::Json(json) => sql.push_bind(Json(patchbay_model::json::canonical(json))),
        Value::Bytes(bytes) => sql.push_bind(bytes.clone()),
        Value::Sealed(envelope) => {
            let envelope = sql.bind(Json(envelope));
            let key = sql.bind_key(tx);
            let sealed = sql.dialect().sealed(&envelope, &key);
            sql.push(sealed)
        }
    };
}

/// Most values of one statement: SQLite takes 32,766, PostgreSQL twice that.
const MOST: usize = 8000;

/// Writes rows.
pub(crate) async fn insert(tx: &mut Tx, batch: &Batch) -> Result<()> {
    let columns: Vec<&str> = batch.columns.iter().map(|(name, _)| *name).collect();
    for rows in batch.rows.chunks((MOST / columns.len().max(1)).max(1)) {
        let mut sql = QueryBuilder::new(tx.dialect(), &format!("INSERT INTO {} ({}) VALUES ", batch.table.name, columns.join(", ")));
        for (number, row) in rows.iter().enumerate() {
            for (place, value) in row.iter().enumerate() {
                sql.push(match (number, place) {
                    (0, 0) => "(",
                    (_, 0) => "), (",
                    _ => ", ",
                });
                bind(&mut sql, tx, value);
            }
        }
        sql.push(")");
        sql.build().once().execute(tx).await?;
    }
    Ok(())
}

/// Removes the rows of an organization.
pub(crate) async fn remove(tx: &mut Tx, table: &ImageTable, column: &str, organization: Uuid) -> Result<()> {
    let mut sql = QueryBuilder::new(tx.dialect(), &format!("DELETE FROM {} WHERE {column} = ", table.name));
    sql.push_bind(organization);
    sql.build().once().execute(tx).await?;
    Ok(())
}

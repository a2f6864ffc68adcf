//! Filling a store from an image.

use std::collections::HashMap;

use patchbay_model::OrganizationId;
use uuid::Uuid;

use super::tables::{self, TABLES};
use super::value::{Kind, Value};
use super::{Batch, rows};
use crate::error::{Result, StoreError};
use crate::transaction::WriteTx;

impl WriteTx {
    /// That no row of any kind is in the store: an image goes into an empty one. System scope.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`], [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn require_empty(&mut self) -> Result<()> {
        self.system("a whole store")?;
        for table in TABLES {
            let rows = rows::count(&mut self.tx, table, None).await?;
            if rows > 0 {
                return Err(StoreError::NotEmpty { what: format!("{rows} rows of {}", table.name) });
            }
        }
        Ok(())
    }

    /// Writes rows of an image as they are. Nothing of it is told as a change: who looks at this store reads it anew. System
    /// scope.
    ///
    /// # Errors
    /// [`StoreError::Image`] for a row that the database refuses, with the table; [`StoreError::WrongScope`] within a
    /// tenant, and those of the disk.
    pub async fn insert_image(&mut self, batch: &Batch) -> Result<()> {
        self.system("a whole store")?;
        rows::insert(&mut self.tx, batch).await.map_err(|error| match error {
            StoreError::NameTaken { noun, field, .. } => refused(batch, format!("two rows have the same {field} of a {noun}")),
            StoreError::DanglingReference => refused(batch, "a row refers to one that is not there".to_owned()),
            StoreError::Sql(error) => refused(batch, format!("the database refuses a row ({error})")),
            other => other,
        })
    }
}

/// What an organization has that nobody has worked in yet: itself, its built-in roles, who made it, and what they left in the log.
const BARE: &[&str] = &["organizations", "roles", "members", "token_containers", "token_secrets", "web_sessions", "one_time_links", "audit_events"];

impl WriteTx {
    /// Removes an organization in which nobody has worked yet, for another that takes its place. System scope.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`] when there is more in it than `init` makes, [`StoreError::WrongScope`] within a tenant, and
    /// those of the database.
    pub async fn clear_organization(&mut self, organization: OrganizationId) -> Result<()> {
        self.system("a whole organization")?;
        let id = organization.uuid();
        for table in TABLES.iter().filter(|table| !BARE.contains(&table.name)) {
            let rows = rows::count(&mut self.tx, table, Some(id)).await?;
            if rows > 0 {
                return Err(StoreError::NotEmpty { what: format!("{rows} rows of {}", table.name) });
            }
        }
        for (table, most, words) in [("members", 1, "members"), ("roles", patchbay_model::permission::BUILTIN_ROLES.len() as u64, "roles")] {
            let rows = match tables::table(table) {
                Some(table) => rows::count(&mut self.tx, table, Some(id)).await?,
                None => 0,
            };
            if rows > most {
                return Err(StoreError::NotEmpty { what: format!("{rows} {words}") });
            }
        }
        for table in TABLES.iter().rev() {
            if let Some(column) = table.organization {
                rows::remove(&mut self.tx, table, column, id).await?;
            }
        }
        Ok(())
    }
}

fn refused(batch: &Batch, what: String) -> StoreError {
    StoreError::Image { table: batch.table.name.to_owned(), line: 0, what }
}

/// A definition in an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImageDefinition {
    /// Its id there.
    pub id: Uuid,
    /// Its provider.
    pub provider: String,
    /// Its version.
    pub version: String,
    /// Whose own it is, if it is one.
    pub organization: Option<Uuid>,
    /// Its manifest, if it is one.
    pub manifest: Option<String>,
}

impl Batch {
    /// That every row is the organization's own: an image of one organization must not bring rows of another.
    ///
    /// # Errors
    /// [`StoreError::Image`].
    pub fn require_owner(&self, organization: OrganizationId) -> Result<()> {
        let Some(column) = self.table.organization else { return Ok(()) };
        let own = Value::Uuid(organization.uuid());
        let place = self.position(column);
        if self.rows.iter().all(|row| place.and_then(|place| row.get(place)) == Some(&own)) {
            Ok(())
        } else {
            Err(refused(self, "a row belongs to another organization".to_owned()))
        }
    }

    /// The definitions in these rows.
    pub fn definitions(&self) -> Vec<ImageDefinition> {
        let [id, name, version, organization, manifest] = ["id", "name", "version", "organization_id", "manifest"].map(|column| self.position(column));
        let cell = |row: &[Value], place: Option<usize>| place.and_then(|place| row.get(place)).cloned();
        let text = |row: &[Value], place: Option<usize>| cell(row, place).and_then(|value| value.text().map(ToOwned::to_owned));
        let of = |row: &Vec<Value>| {
            Some(ImageDefinition {
                id: cell(row, id)?.uuid()?,
                provider: text(row, name).unwrap_or_default(),
                version: text(row, version).unwrap_or_default(),
                organization: cell(row, organization).and_then(|value| value.uuid()),
                manifest: text(row, manifest),
            })
        };
        self.rows.iter().filter_map(of).collect()
    }

    /// Leaves out every row whose id is not among these.
    pub fn keep_only(&mut self, ids: &[Uuid]) {
        let id = self.position("id");
        self.rows.retain(|row| id.and_then(|place| row.get(place)).and_then(Value::uuid).is_some_and(|id| ids.contains(&id)));
    }

    /// Puts the ids by which this store knows definitions in place of the image's.
    ///
    /// # Errors
    /// [`StoreError::Image`] for a definition that is not among them.
    pub fn exchange_definitions(&mut self, known: &HashMap<Uuid, Uuid>) -> Result<()> {
        for (place, (column, kind)) in self.columns.iter().enumerate() {
            if *kind != Kind::Definition {
                continue;
            }
            for row in &mut self.rows {
                if let Some(Value::Uuid(id)) = row.get_mut(place) {
                    match known.get(id) {
                        Some(own) => *id = *own,
                        None => {
                            let what = format!("`{column}` names the definition {id}, which is not in the image");
                            return Err(StoreError::Image { table: self.table.name.to_owned(), line: 0, what });
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

//! The image of a store: every row in one logical form, the same bytes from every database. A backup is an image that is
//! sealed; a copy is an image that goes from one store straight into another.
//!
//! An image is JSON Lines. The first line is the [`ImageHeader`]; then comes each table in the order of references, begun by
//! `{"table":...}`, with a line per row (an array of its values) and ended by `{"rows":...,"sha256":...}` over the lines of its
//! rows; the last line has the number of all rows and the SHA-256 of everything before it. An image is written from one
//! snapshot, and read inside of one transaction.

mod decode;
mod encode;
mod fill;
mod rows;
mod source;
mod tables;
mod value;

use patchbay_model::{OrganizationId, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use decode::ImageDecoder;
pub use encode::{ImageEncoder, ImageSums};
pub use fill::ImageDefinition;
pub use rows::{Batch, SealedCell};
pub use source::ImageSource;
pub use tables::ImageTable;

use crate::error::{Result, StoreError};

/// Version of the form. An image whose rows mean something else than before has another one.
pub const IMAGE_VERSION: u32 = 1;

/// The first line of an image.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageHeader {
    /// Version of the form: [`IMAGE_VERSION`].
    pub patchbay_image: u32,
    /// Schema of the store that it was made of.
    pub schema: i64,
    /// The store that it was made of.
    pub store_id: Uuid,
    /// When that store was made.
    pub store_created_at: Timestamp,
    /// When the image was made.
    pub made_at: Timestamp,
    /// The organization that the image is of; none for a whole store.
    pub organization: Option<OrganizationId>,
    /// The keys under which its values are sealed: those of that store, wrapped under its master key; in an image of one
    /// organization those of the transfer, wrapped under `transfer_key`.
    pub key_header: Option<serde_json::Value>,
    /// The master key of one transfer, in an image of one organization. Such an image is never written but sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_key: Option<TransferKey>,
    /// What is in it.
    pub tables: Vec<TableHeader>,
}

/// The master key of one transfer, base64. It opens what travels in the same image and nothing else.
#[derive(Clone)]
pub struct TransferKey(Secret);

impl TransferKey {
    /// Takes the key.
    pub fn new(key: Secret) -> Self {
        Self(key)
    }

    /// The key.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

impl PartialEq for TransferKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}

/// Never the key.
impl std::fmt::Debug for TransferKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TransferKey")
    }
}

impl Serialize for TransferKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for TransferKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Secret::deserialize(deserializer).map(Self)
    }
}

/// What an image has of a table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableHeader {
    /// Its name.
    pub name: String,
    /// Its columns, in the order of the values of a row.
    pub columns: Vec<String>,
    /// How many rows.
    pub rows: u64,
}

/// Rows of a table, counted and summed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TableSum {
    /// The table.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// SHA-256 of the lines of its rows, in hexadecimal digits.
    pub sha256: String,
}

impl ImageHeader {
    /// All rows.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// That this program can read the image: its version, its schema, its tables and their columns.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for one of a newer Patchbay, [`StoreError::Image`] for tables and columns that cannot be.
    pub fn check(&self) -> Result<()> {
        let known = crate::file::newest_schema();
        if self.patchbay_image > IMAGE_VERSION || self.schema > known {
            return Err(StoreError::NewerImage { found: self.schema, known });
        }
        let wrong = |what: String| StoreError::Image { table: String::new(), line: 1, what };
        if self.patchbay_image != IMAGE_VERSION {
            return Err(wrong(format!("the form {} is none that there ever was", self.patchbay_image)));
        }
        if self.organization.is_some() != self.transfer_key.is_some() || self.key_header.is_none() {
            return Err(wrong("its keys are missing, or are not those of what it is of".to_owned()));
        }
        let mut last = None;
        for named in &self.tables {
            let place = tables::TABLES.iter().position(|table| table.name == named.name && (table.travels || self.organization.is_none()));
            let Some(place) = place else { return Err(wrong(format!("there is no table `{}` that travels", named.name))) };
            if last >= Some(place) {
                return Err(wrong(format!("the table `{}` stands in the wrong place", named.name)));
            }
            last = Some(place);
            let table = tables::TABLES.get(place).ok_or_else(|| wrong(named.name.clone()))?;
            let mut seen = std::collections::HashSet::new();
            if let Some(column) = named.columns.iter().find(|column| table.position(column).is_none() || !seen.insert(column.as_str())) {
                return Err(wrong(format!("the table `{}` has no column `{column}`, or has it twice", named.name)));
            }
            let needed = table.key.iter().copied().chain(table.organization);
            if let Some(column) = needed.into_iter().find(|column| !named.columns.iter().any(|name| name == column)) {
                return Err(wrong(format!("the table `{}` lacks its column `{column}`", named.name)));
            }
        }
        // Of this schema, everything has to be there; an older one may lack what came later.
        if self.schema == known {
            let whole = tables::TABLES.iter().filter(|table| table.travels || self.organization.is_none());
            for table in whole {
                let there = self.tables.iter().find(|named| named.name == table.name).is_some_and(|named| named.columns.len() == table.columns.len());
                if !there {
                    return Err(wrong(format!("the table `{}` is missing or lacks columns", table.name)));
                }
            }
        }
        Ok(())
    }
}

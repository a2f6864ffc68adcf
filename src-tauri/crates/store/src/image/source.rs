//! An image as it is read out of a store.

use patchbay_model::{OrganizationId, Scope, Timestamp};
use uuid::Uuid;

use super::rows::{self, Wanted};
use super::tables::{ImageTable, TABLES};
use super::value::Value;
use super::{Batch, IMAGE_VERSION, ImageHeader, TableHeader, TransferKey};
use crate::error::Result;
use crate::file::newest_schema;
use crate::store::Store;
use crate::transaction::SecretReadTx;

/// The rows of a store, or of one organization in it, from one snapshot: what is written meanwhile is not among them. Needs
/// no more memory than a page of rows.
pub struct ImageSource {
    tx: SecretReadTx,
    header: ImageHeader,
    organization: Option<Uuid>,
    tables: Vec<&'static ImageTable>,
    at: usize,
    after: Option<Vec<Value>>,
}

impl Store {
    /// Begins to read the whole store.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn image(&self, now: Timestamp) -> Result<ImageSource> {
        let tx = self.read_secrets(Scope::System).await?;
        begin(tx, None, now).await
    }

    /// Begins to read one organization, without what is of use in this store alone: hashes of tokens, sessions and links.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn image_of(&self, organization: OrganizationId, now: Timestamp) -> Result<ImageSource> {
        let tx = self.read_secrets(Scope::Organization(organization)).await?;
        begin(tx, Some(organization), now).await
    }
}

async fn begin(mut tx: SecretReadTx, organization: Option<OrganizationId>, now: Timestamp) -> Result<ImageSource> {
    let store = tx.header().await?;
    let tables: Vec<&'static ImageTable> = TABLES.iter().filter(|table| table.travels || organization.is_none()).collect();
    let owner = organization.map(OrganizationId::uuid);
    let mut headers = Vec::with_capacity(tables.len());
    for table in &tables {
        let columns = table.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        headers.push(TableHeader { name: table.name.to_owned(), columns, rows: rows::count(&mut tx.tx, table, owner).await? });
    }
    let header = ImageHeader {
        patchbay_image: IMAGE_VERSION,
        schema: newest_schema(),
        store_id: store.id,
        store_created_at: store.created_at,
        made_at: now,
        organization,
        key_header: organization.is_none().then_some(store.key_header),
        transfer_key: None,
        tables: headers,
    };
    Ok(ImageSource { tx, header, organization: owner, tables, at: 0, after: None })
}

impl ImageSource {
    /// What the image says of itself.
    pub fn header(&self) -> &ImageHeader {
        &self.header
    }

    /// Names the keys under which the values of one organization travel.
    pub fn travel(&mut self, key_header: serde_json::Value, key: TransferKey) {
        self.header.key_header = Some(key_header);
        self.header.transfer_key = Some(key);
    }

    /// The next rows, all of one table; none at the end.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] for a row that does not hold what it should, and those of the database.
    pub async fn next(&mut self) -> Result<Option<Batch>> {
        while let Some(table) = self.tables.get(self.at) {
            let batch = rows::page(&mut self.tx.tx, table, Wanted { organization: self.organization, after: self.after.as_deref() }).await?;
            let last = batch.rows.last().filter(|_| batch.rows.len() == table.page);
            self.after = last.map(|row| table.key.iter().filter_map(|key| row.get(table.position(key)?).cloned()).collect());
            if self.after.is_none() {
                self.at += 1;
            }
            if !batch.is_empty() {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// Goes on with the table behind the one whose rows cannot be read. Gives its name.
    pub fn skip(&mut self) -> Option<&'static str> {
        let skipped = self.tables.get(self.at).map(|table| table.name);
        self.at += 1;
        self.after = None;
        skipped
    }

    /// Ends the snapshot.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn end(self) -> Result<()> {
        self.tx.rollback().await
    }
}

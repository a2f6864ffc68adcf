//! The store's own row: its id and the public part of its keys.

use patchbay_model::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::transaction::{ReadTx, WriteTx};

/// What a store says about itself before any key is there.
#[derive(Clone, PartialEq, Debug)]
pub struct StoreHeader {
    /// The store's id.
    pub id: Uuid,
    /// The vault's key header: parameters, check value, wrapped keys. Public, and opaque to the store.
    pub key_header: serde_json::Value,
    /// When the store was made.
    pub created_at: Timestamp,
}

impl ReadTx {
    /// Whether there is a header yet, in every scope.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn has_header(&mut self) -> Result<bool> {
        let (rows,): (i64,) = db::query_as("SELECT count(*) FROM store_header").fetch_one(&mut self.tx).await?;
        Ok(rows > 0)
    }

    /// The header, in every scope.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn header(&mut self) -> Result<StoreHeader> {
        let row: Option<(Uuid, Json<serde_json::Value>, At)> =
            db::query_as("SELECT id, key_header, created_at FROM store_header WHERE singleton = 1").fetch_optional(&mut self.tx).await?;
        let (id, Json(key_header), At(created_at)) = row.ok_or_else(|| StoreError::Damaged("the header is missing".to_owned()))?;
        Ok(StoreHeader { id, key_header, created_at })
    }
}

impl WriteTx {
    /// Completes a new store.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when there is a header already.
    pub async fn insert_header(&mut self, header: &StoreHeader) -> Result<()> {
        db::query("INSERT INTO store_header (singleton, id, key_header, created_at) VALUES (1, $1, $2, $3)")
            .bind(header.id)
            .bind(Json(&header.key_header))
            .bind(At(header.created_at))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Replaces the key header when it still is `previous`: a rotation that two processes begin happens once.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when another changed it meanwhile.
    pub async fn replace_key_header(&mut self, previous: &serde_json::Value, next: &serde_json::Value) -> Result<()> {
        // Compared as values, not as text: the writer's lock is ours already, so nobody comes between.
        if self.header().await?.key_header != *previous {
            return Err(StoreError::not_found("key header", "as it was read"));
        }
        db::query("UPDATE store_header SET key_header = $1 WHERE singleton = 1").bind(Json(next)).execute(&mut self.tx).await?;
        Ok(())
    }
}

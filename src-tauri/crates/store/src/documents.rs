//! Documents of providers that live in the store itself (mock providers): state that survives a restart.

use patchbay_model::{AccountId, IntegrationId};
use sqlx::types::Json;

use crate::db;
use crate::error::{Result, StoreError};
use crate::transaction::{ReadTx, WriteTx};

/// One document of a collection.
#[derive(Clone, PartialEq, Debug)]
pub struct LocalDocument {
    /// Its id within the collection.
    pub id: String,
    /// Its place: documents are listed in the order in which they were first put.
    pub position: i64,
    /// What it holds.
    pub body: serde_json::Value,
}

impl ReadTx {
    /// One document.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn document(&mut self, integration: IntegrationId, collection: &str, id: &str) -> Result<Option<LocalDocument>> {
        let (organization, account) = self.bound()?;
        let row: Option<(String, i64, Json<serde_json::Value>)> = db::query_as(
            "SELECT document_id, position, body FROM local_documents WHERE integration_id = $1 AND collection = $2 AND document_id = $3 AND organization_id = $4 AND (account_id = $5 OR $5 IS NULL)",
        )
        .bind(integration.uuid())
        .bind(collection)
        .bind(id)
        .bind(organization)
        .bind(account)
        .fetch_optional(&mut self.tx)
        .await?;
        Ok(row.map(|(id, position, body)| LocalDocument { id, position, body: body.0 }))
    }

    /// Documents of a collection in their order, behind position `after` (0 for the beginning), at most `limit`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn documents(&mut self, integration: IntegrationId, collection: &str, after: i64, limit: u32) -> Result<Vec<LocalDocument>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<(String, i64, Json<serde_json::Value>)> = db::query_as(
            "SELECT document_id, position, body FROM local_documents WHERE integration_id = $1 AND collection = $2 AND position > $3 AND organization_id = $4 AND (account_id = $5 OR $5 IS NULL) ORDER BY position LIMIT $6",
        )
        .bind(integration.uuid())
        .bind(collection)
        .bind(after)
        .bind(organization)
        .bind(account)
        .bind(i64::from(limit))
        .fetch_all(&mut self.tx)
        .await?;
        Ok(rows.into_iter().map(|(id, position, body)| LocalDocument { id, position, body: body.0 }).collect())
    }

    /// Documents of a collection by id upwards: those behind `after` whose ids begin with `prefix`, at most `limit`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn documents_by_id(&mut self, integration: IntegrationId, collection: &str, after: Option<&str>, prefix: Option<&str>, limit: u32) -> Result<Vec<LocalDocument>> {
        let (organization, account) = self.bound()?;
        let prefix = prefix.unwrap_or_default();
        // Ids with a prefix begin at the prefix itself, so the index leads there.
        let rows: Vec<(String, i64, Json<serde_json::Value>)> = db::query_as(
            "SELECT document_id, position, body FROM local_documents WHERE integration_id = $1 AND collection = $2 AND document_id > $3 AND document_id >= $4 AND substr(document_id, 1, length($4)) = $4 AND organization_id = $5 AND (account_id = $6 OR $6 IS NULL) ORDER BY document_id LIMIT $7",
        )
        .bind(integration.uuid())
        .bind(collection)
        .bind(after.unwrap_or_default())
        .bind(prefix)
        .bind(organization)
        .bind(account)
        .bind(i64::from(limit))
        .fetch_all(&mut self.tx)
        .await?;
        Ok(rows.into_iter().map(|(id, position, body)| LocalDocument { id, position, body: body.0 }).collect())
    }
}

impl WriteTx {
    /// Puts a document: adds it behind all others, or replaces it in its place.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an integration that is not in the scope, and those of the database.
    pub async fn put_document(&mut self, account: AccountId, integration: IntegrationId, collection: &str, id: &str, body: &serde_json::Value) -> Result<()> {
        let (organization, bound) = self.bound()?;
        let done = db::query(
            "INSERT INTO local_documents (integration_id, organization_id, account_id, collection, document_id, position, body) SELECT owner.id, owner.organization_id, owner.account_id, $5, $6, COALESCE((SELECT MAX(last.position) FROM local_documents AS last WHERE last.integration_id = $1 AND last.collection = $5), 0) + 1, $7 FROM integration_instances AS owner WHERE owner.id = $1 AND owner.organization_id = $2 AND owner.account_id = $3 AND (owner.account_id = $4 OR $4 IS NULL) AND owner.deleted_at IS NULL ON CONFLICT (integration_id, collection, document_id) DO UPDATE SET body = excluded.body",
        )
        .bind(integration.uuid())
        .bind(organization)
        .bind(account.uuid())
        .bind(bound)
        .bind(collection)
        .bind(id)
        .bind(Json(body))
        .execute(&mut self.tx)
        .await?;
        if done.rows_affected() == 0 { Err(StoreError::not_found(IntegrationId::NOUN, integration)) } else { Ok(()) }
    }

    /// Removes a document. Says whether it was there.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_document(&mut self, integration: IntegrationId, collection: &str, id: &str) -> Result<bool> {
        let (organization, account) = self.bound()?;
        let done = db::query(
            "DELETE FROM local_documents WHERE integration_id = $1 AND collection = $2 AND document_id = $3 AND organization_id = $4 AND (account_id = $5 OR $5 IS NULL)",
        )
        .bind(integration.uuid())
        .bind(collection)
        .bind(id)
        .bind(organization)
        .bind(account)
        .execute(&mut self.tx)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The next number of a collection, from 1, never given twice.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an integration that is not in the scope, and those of the database.
    pub async fn next_document_number(&mut self, account: AccountId, integration: IntegrationId, collection: &str) -> Result<i64> {
        let (organization, bound) = self.bound()?;
        let row: Option<(i64,)> = db::query_as(
            "INSERT INTO local_document_numbers (integration_id, organization_id, account_id, collection, last_number) SELECT owner.id, owner.organization_id, owner.account_id, $5, 1 FROM integration_instances AS owner WHERE owner.id = $1 AND owner.organization_id = $2 AND owner.account_id = $3 AND (owner.account_id = $4 OR $4 IS NULL) AND owner.deleted_at IS NULL ON CONFLICT (integration_id, collection) DO UPDATE SET last_number = local_document_numbers.last_number + 1 RETURNING last_number",
        )
        .bind(integration.uuid())
        .bind(organization)
        .bind(account.uuid())
        .bind(bound)
        .bind(collection)
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(|(number,)| number).ok_or_else(|| StoreError::not_found(IntegrationId::NOUN, integration))
    }
}

//! Definitions: they belong to the store and are open to every scope.

use patchbay_model::definition::{Definition, DefinitionStatus};
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{DefinitionId, ProviderId, Timestamp};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db::{self, QueryBuilder};
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::list::{self, Category, Field, Kind, Noun};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

macro_rules! columns {
    () => {
        "id, name, type AS connector, version, auth_type, docs_url, config_schema, credentials_schema, status, created_at, updated_at"
    };
}

pub(crate) const NOUN: Noun = Noun {
    table: "integration_definitions",
    columns: columns!(),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("provider", "name", Kind::Text),
        Field::new("connector", "type", Kind::Text),
        Field::new("version", "version", Kind::Text),
        Field::new("auth_type", "auth_type", Kind::Text),
        Field::new("status", "status", Kind::Text),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("updated_at", "updated_at", Kind::Time),
    ],
    default_order: "provider",
    account: None,
    category: Category::None,
    tombstones: false,
};

#[derive(FromRow)]
struct DefinitionRow {
    id: Uuid,
    name: String,
    connector: String,
    version: String,
    auth_type: String,
    docs_url: String,
    config_schema: Json<serde_json::Value>,
    credentials_schema: Json<serde_json::Value>,
    status: String,
    created_at: At,
    updated_at: At,
}

impl TryFrom<DefinitionRow> for Definition {
    type Error = StoreError;

    fn try_from(row: DefinitionRow) -> Result<Self> {
        Ok(Self {
            id: DefinitionId::from_uuid(row.id),
            provider: ProviderId::parse(&row.name).map_err(|problem| row::bad("integration_definitions", "name", problem.message))?,
            connector: row::word("integration_definitions", "type", &row.connector)?,
            version: row.version,
            auth_type: row.auth_type,
            docs_url: row.docs_url,
            config_schema: row.config_schema.0,
            credentials_schema: row.credentials_schema.0,
            status: row::word("integration_definitions", "status", &row.status)?,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

impl ReadTx {
    /// All definitions, by provider, the newest version of each first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn definitions(&mut self) -> Result<Vec<Definition>> {
        let rows: Vec<DefinitionRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM integration_definitions ORDER BY name, created_at DESC, id DESC")).fetch_all(&mut self.tx).await?;
        rows.into_iter().map(Definition::try_from).collect()
    }

    /// One page of definitions.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn definitions_page(&mut self, query: &ListQuery) -> Result<Listed<Definition>> {
        list::page_of_store::<DefinitionRow, _>(self, &NOUN, query).await
    }

    /// Every version of a provider's definition, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn definitions_of(&mut self, provider: &ProviderId) -> Result<Vec<Definition>> {
        let rows: Vec<DefinitionRow> = db::query_as(concat!("SELECT ", columns!(), " FROM integration_definitions WHERE name = $1 ORDER BY created_at DESC, id DESC"))
            .bind(provider.as_str())
            .fetch_all(&mut self.tx)
            .await?;
        rows.into_iter().map(Definition::try_from).collect()
    }

    /// How many integrations pin each of these definitions, of those that lists in this transaction show.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_pinned(&mut self, ids: &[DefinitionId]) -> Result<Vec<(DefinitionId, u64)>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let of_these = |sql: &mut QueryBuilder| {
            sql.push("integration_id IN (");
            let mut list = sql.separated(", ");
            for id in ids {
                list.push_bind(id.uuid());
            }
            sql.push(")");
        };
        let counts = list::count_by(self, &crate::integrations::NOUN, "integration_id", &[&of_these]).await?;
        Ok(counts.into_iter().map(|(id, number)| (DefinitionId::from_uuid(id), number)).collect())
    }

    /// The definition with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn definition(&mut self, id: DefinitionId) -> Result<Option<Definition>> {
        let row: Option<DefinitionRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM integration_definitions WHERE id = $1")).bind(id.uuid()).fetch_optional(&mut self.tx).await?;
        row.map(Definition::try_from).transpose()
    }

    /// The active definition of a provider: the one that new integrations pin.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn active_definition(&mut self, provider: &ProviderId) -> Result<Option<Definition>> {
        let row: Option<DefinitionRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM integration_definitions WHERE name = $1 AND status = 'active' ORDER BY created_at DESC, id DESC LIMIT 1"))
                .bind(provider.as_str())
                .fetch_optional(&mut self.tx)
                .await?;
        row.map(Definition::try_from).transpose()
    }
}

impl ReadTx {
    /// Id of [`Self::active_definition`], for those who know the definition already.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn active_definition_id(&mut self, provider: &ProviderId) -> Result<Option<DefinitionId>> {
        let row: Option<(Uuid,)> = db::query_as("SELECT id FROM integration_definitions WHERE name = $1 AND status = 'active' ORDER BY created_at DESC, id DESC LIMIT 1")
            .bind(provider.as_str())
            .fetch_optional(&mut self.tx)
            .await?;
        Ok(row.map(|(id,)| DefinitionId::from_uuid(id)))
    }
}

impl WriteTx {
    /// Adds a version of a provider's metadata. In every scope: definitions belong to no tenant.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] when this version is there, and those of the database.
    pub async fn insert_definition(&mut self, definition: &Definition) -> Result<()> {
        db::query("INSERT INTO integration_definitions (id, name, type, version, auth_type, docs_url, config_schema, credentials_schema, status, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
            .bind(definition.id.uuid())
            .bind(definition.provider.as_str())
            .bind(definition.connector.as_str())
            .bind(&definition.version)
            .bind(&definition.auth_type)
            .bind(&definition.docs_url)
            .bind(Json(&definition.config_schema))
            .bind(Json(&definition.credentials_schema))
            .bind(row::as_word(&definition.status))
            .bind(At(definition.created_at))
            .bind(At(definition.updated_at))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Changes the status, the only thing of a definition that changes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn set_definition_status(&mut self, id: DefinitionId, status: DefinitionStatus, now: Timestamp) -> Result<()> {
        let done = db::query("UPDATE integration_definitions SET status = $2, updated_at = $3 WHERE id = $1")
            .bind(id.uuid())
            .bind(row::as_word(&status))
            .bind(At(now))
            .execute(&mut self.tx)
            .await?;
        if done.rows_affected() == 0 { Err(StoreError::not_found(DefinitionId::NOUN, id)) } else { Ok(()) }
    }
}

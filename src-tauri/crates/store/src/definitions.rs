//! Definitions: those that came with the program belong to the store and are open to every scope; an organization's own are open to it alone.

use patchbay_model::change::ChangeKind;
use patchbay_model::definition::{Definition, DefinitionStatus};
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{DefinitionId, OrganizationId, ProviderId, Scope, Timestamp};
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
        "id, name, type AS connector, version, auth_type, docs_url, organization_id, manifest, config_schema, credentials_schema, status, created_at, updated_at"
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
    organization_id: Option<Uuid>,
    manifest: Option<String>,
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
            organization: row.organization_id.map(OrganizationId::from_uuid),
            manifest: row.manifest,
            config_schema: row.config_schema.0,
            credentials_schema: row.credentials_schema.0,
            status: row::word("integration_definitions", "status", &row.status)?,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

/// What a scope sees: what came with the program, and the organization's own. The organization is the second parameter.
macro_rules! seen {
    () => {
        "(organization_id IS NULL OR organization_id = $2)"
    };
}

/// Which of several active ones is the one in force: the organization's own goes before what came with the program.
macro_rules! in_force {
    () => {
        " ORDER BY CASE WHEN organization_id IS NULL THEN 1 ELSE 0 END, created_at DESC, id DESC LIMIT 1"
    };
}

impl ReadTx {
    /// The organization whose own definitions are seen; the system sees none by a provider's name.
    fn own(&self) -> Uuid {
        match self.scope() {
            Scope::Organization(organization) | Scope::Account(organization, _) => organization.uuid(),
            Scope::System => Uuid::nil(),
        }
    }

    /// All definitions of all organizations, by provider, the newest version of each first. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn definitions(&mut self) -> Result<Vec<Definition>> {
        self.system("definitions of every organization")?;
        let rows: Vec<DefinitionRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM integration_definitions ORDER BY name, created_at DESC, id DESC")).fetch_all(&mut self.tx).await?;
        rows.into_iter().map(Definition::try_from).collect()
    }

    /// One page of definitions.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn definitions_page(&mut self, query: &ListQuery) -> Result<Listed<Definition>> {
        let own = self.own();
        let seen = |sql: &mut QueryBuilder| {
            sql.push("(organization_id IS NULL OR organization_id = ").push_bind(own).push(")");
        };
        list::page_of_store::<DefinitionRow, _>(self, &NOUN, query, &[&seen]).await
    }

    /// Every version of a provider's definition, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn definitions_of(&mut self, provider: &ProviderId) -> Result<Vec<Definition>> {
        let sql = concat!("SELECT ", columns!(), " FROM integration_definitions WHERE name = $1 AND ", seen!(), " ORDER BY created_at DESC, id DESC");
        let rows: Vec<DefinitionRow> = db::query_as(sql).bind(provider.as_str()).bind(self.own()).fetch_all(&mut self.tx).await?;
        rows.into_iter().map(Definition::try_from).collect()
    }

    /// The organization's own definitions, the newest first.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] in the system's scope, and those of the database.
    pub async fn own_definitions(&mut self) -> Result<Vec<Definition>> {
        let organization = self.bound_organization()?;
        let sql = concat!("SELECT ", columns!(), " FROM integration_definitions WHERE organization_id = $1 ORDER BY created_at DESC, id DESC");
        let rows: Vec<DefinitionRow> = db::query_as(sql).bind(organization).fetch_all(&mut self.tx).await?;
        rows.into_iter().map(Definition::try_from).collect()
    }

    /// Ids of those of the organization's own definitions that are in force.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] in the system's scope, and those of the database.
    pub async fn own_active_definitions(&mut self) -> Result<Vec<DefinitionId>> {
        let organization = self.bound_organization()?;
        let rows: Vec<(Uuid,)> = db::query_as("SELECT id FROM integration_definitions WHERE organization_id = $1 AND status = 'active' ORDER BY name, id")
            .bind(organization)
            .fetch_all(&mut self.tx)
            .await?;
        Ok(rows.into_iter().map(|(id,)| DefinitionId::from_uuid(id)).collect())
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

    /// The definition with this id: one that came with the program or is the organization's own; the system sees all.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn definition(&mut self, id: DefinitionId) -> Result<Option<Definition>> {
        let row: Option<DefinitionRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM integration_definitions WHERE id = $1")).bind(id.uuid()).fetch_optional(&mut self.tx).await?;
        let found = row.map(Definition::try_from).transpose()?;
        let (all, own) = (self.scope() == Scope::System, self.own());
        Ok(found.filter(|definition| all || definition.organization.is_none_or(|organization| organization.uuid() == own)))
    }

    /// The active definition of a provider: the one that new integrations pin.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn active_definition(&mut self, provider: &ProviderId) -> Result<Option<Definition>> {
        let sql = concat!("SELECT ", columns!(), " FROM integration_definitions WHERE name = $1 AND status = 'active' AND ", seen!(), in_force!());
        let row: Option<DefinitionRow> = db::query_as(sql).bind(provider.as_str()).bind(self.own()).fetch_optional(&mut self.tx).await?;
        row.map(Definition::try_from).transpose()
    }

    /// Id of [`Self::active_definition`], for those who know the definition already.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn active_definition_id(&mut self, provider: &ProviderId) -> Result<Option<DefinitionId>> {
        let sql = concat!("SELECT id FROM integration_definitions WHERE name = $1 AND status = 'active' AND ", seen!(), in_force!());
        let row: Option<(Uuid,)> = db::query_as(sql).bind(provider.as_str()).bind(self.own()).fetch_optional(&mut self.tx).await?;
        Ok(row.map(|(id,)| DefinitionId::from_uuid(id)))
    }
}

impl WriteTx {
    /// Adds a version of a provider's metadata: to the store in the system's scope, or to the organization of the scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] for one of another organization, [`StoreError::NameTaken`] when this version is there, and those of the database.
    pub async fn insert_definition(&mut self, definition: &Definition) -> Result<()> {
        match definition.organization {
            Some(organization) => {
                self.check_tenant(organization.uuid(), None)?;
                self.changed(ChangeKind::Definition, definition.id, None)?;
            }
            None => self.system("definitions that every organization sees")?,
        }
        db::query("INSERT INTO integration_definitions (id, name, type, version, auth_type, docs_url, config_schema, credentials_schema, status, created_at, updated_at, organization_id, manifest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
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
            .bind(definition.organization.map(OrganizationId::uuid))
            .bind(definition.manifest.as_deref())
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Changes the status of a definition that came with the program, the only thing of a definition that changes. System scope.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn set_definition_status(&mut self, id: DefinitionId, status: DefinitionStatus, now: Timestamp) -> Result<()> {
        self.system("definitions that every organization sees")?;
        self.write_definition_status(id, None, status, now).await
    }

    /// Changes the status of one of the organization's own definitions.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::WrongScope`] in an account, and those of the database.
    pub async fn set_own_definition_status(&mut self, id: DefinitionId, status: DefinitionStatus, now: Timestamp) -> Result<()> {
        let organization = self.whole_organization("definitions of the organization's own")?;
        self.write_definition_status(id, Some(organization), status, now).await?;
        self.changed(ChangeKind::Definition, id, None)
    }

    async fn write_definition_status(&mut self, id: DefinitionId, organization: Option<Uuid>, status: DefinitionStatus, now: Timestamp) -> Result<()> {
        let sql = match organization {
            None => "UPDATE integration_definitions SET status = $2, updated_at = $3 WHERE id = $1 AND organization_id IS NULL",
            Some(_) => "UPDATE integration_definitions SET status = $2, updated_at = $3 WHERE id = $1 AND organization_id = $4",
        };
        let query = db::query(sql).bind(id.uuid()).bind(row::as_word(&status)).bind(At(now));
        let done = match organization {
            None => query.execute(&mut self.tx).await?,
            Some(organization) => query.bind(organization).execute(&mut self.tx).await?,
        };
        if done.rows_affected() == 0 { Err(StoreError::not_found(DefinitionId::NOUN, id)) } else { Ok(()) }
    }
}

//! Integration points. An account's scope may read them: they say what the account may connect.

use patchbay_model::change::ChangeKind;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::point::{IntegrationPoint, PointEnvironments};
use patchbay_model::{Fullname, IntegrationPointId, Name, OrganizationId};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::list::{self, Category, Field, Kind, Noun};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

macro_rules! columns {
    () => {
        "id, organization_id, name, fullname, description, connector, environments, created_at, updated_at"
    };
}

pub(crate) const NOUN: Noun = Noun {
    table: "integration_points",
    columns: columns!(),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("name", "name", Kind::Name),
        Field::new("fullname", "fullname", Kind::Text),
        Field::nullable("description", "description", Kind::Text),
        Field::new("connector", "connector", Kind::Text),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("updated_at", "updated_at", Kind::Time),
    ],
    default_order: "name",
    account: None,
    category: Category::Column("connector"),
    tombstones: true,
};

#[derive(FromRow)]
struct PointRow {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    fullname: String,
    description: Option<String>,
    connector: String,
    environments: Json<PointEnvironments>,
    created_at: At,
    updated_at: At,
}

impl TryFrom<PointRow> for IntegrationPoint {
    type Error = StoreError;

    fn try_from(row: PointRow) -> Result<Self> {
        Ok(Self {
            id: IntegrationPointId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            name: Name::from_stored(row.name),
            fullname: Fullname::from_stored(row.fullname),
            description: row.description,
            connector: row::word("integration_points", "connector", &row.connector)?,
            environments: row.environments.0,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

impl ReadTx {
    /// The point with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn point(&mut self, id: IntegrationPointId) -> Result<Option<IntegrationPoint>> {
        let organization = self.bound_organization()?;
        let row: Option<PointRow> = sqlx::query_as(concat!("SELECT ", columns!(), " FROM integration_points WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL"))
            .bind(id.uuid())
            .bind(organization)
            .fetch_optional(&mut *self.tx)
            .await?;
        row.map(IntegrationPoint::try_from).transpose()
    }

    /// The point with this id or name; an id wins.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_point(&mut self, reference: &str) -> Result<Option<IntegrationPoint>> {
        if let Ok(id) = reference.parse::<IntegrationPointId>()
            && let Some(point) = self.point(id).await?
        {
            return Ok(Some(point));
        }
        let organization = self.bound_organization()?;
        let row: Option<PointRow> =
            sqlx::query_as(concat!("SELECT ", columns!(), " FROM integration_points WHERE organization_id = $1 AND lower(name) = $2 AND deleted_at IS NULL"))
                .bind(organization)
                .bind(reference.to_lowercase())
                .fetch_optional(&mut *self.tx)
                .await?;
        row.map(IntegrationPoint::try_from).transpose()
    }

    /// One page of points.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn points(&mut self, query: &ListQuery) -> Result<Listed<IntegrationPoint>> {
        list::page::<PointRow, _>(self, &NOUN, query, false, &[]).await
    }
}

impl WriteTx {
    /// Adds a point.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], and those of the database.
    pub async fn insert_point(&mut self, point: &IntegrationPoint) -> Result<()> {
        self.whole_organization("a new integration point")?;
        self.check_tenant(point.organization_id.uuid(), None)?;
        sqlx::query("INSERT INTO integration_points (id, organization_id, name, fullname, description, connector, environments, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(point.id.uuid())
            .bind(point.organization_id.uuid())
            .bind(point.name.as_str())
            .bind(point.fullname.as_str())
            .bind(&point.description)
            .bind(point.connector.as_str())
            .bind(Json(&point.environments))
            .bind(At(point.created_at))
            .bind(At(point.updated_at))
            .execute(&mut *self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(point.name.as_str(), None))?;
        self.changed(ChangeKind::IntegrationPoint, point.id, None)
    }

    /// Writes a point anew.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::NotFound`], and those of the database.
    pub async fn update_point(&mut self, point: &IntegrationPoint) -> Result<()> {
        self.whole_organization("an integration point")?;
        self.check_tenant(point.organization_id.uuid(), None)?;
        let done = sqlx::query("UPDATE integration_points SET name = $3, fullname = $4, description = $5, connector = $6, environments = $7, updated_at = $8 WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL")
            .bind(point.id.uuid())
            .bind(point.organization_id.uuid())
            .bind(point.name.as_str())
            .bind(point.fullname.as_str())
            .bind(&point.description)
            .bind(point.connector.as_str())
            .bind(Json(&point.environments))
            .bind(At(point.updated_at))
            .execute(&mut *self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(point.name.as_str(), None))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found(IntegrationPointId::NOUN, point.id));
        }
        self.changed(ChangeKind::IntegrationPoint, point.id, None)
    }
}

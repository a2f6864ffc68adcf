//! Integration points. An account's scope may read them: they say what the account may connect.

use patchbay_model::change::ChangeKind;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::point::{IntegrationPoint, PointEnvironments, PointPolicy};
use patchbay_model::{AccountId, DefinitionId, Environment, Fullname, IntegrationId, IntegrationPointId, Name, OrganizationId, ProviderId};
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
        "id, organization_id, name, fullname, description, connector, environments, policy, created_at, updated_at"
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
    policy: Json<PointPolicy>,
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
            policy: row.policy.0,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

/// An integration under a point, as far as governance looks at it.
#[derive(Clone, PartialEq, Debug)]
pub struct PointMember {
    /// Its id.
    pub id: IntegrationId,
    /// Its slug.
    pub name: Name,
    /// Its account.
    pub account_id: AccountId,
    /// That account's slug.
    pub account_name: Name,
    /// That account's environment.
    pub environment: Environment,
    /// Its provider.
    pub provider: ProviderId,
    /// The definition that it pins.
    pub definition: DefinitionId,
    /// Its configuration, where it was asked for.
    pub config: Option<serde_json::Value>,
}

#[derive(FromRow)]
struct MemberRow {
    id: Uuid,
    name: String,
    account_id: Uuid,
    account_name: String,
    environment: String,
    provider: String,
    integration_id: Uuid,
    config: Option<Json<serde_json::Value>>,
}

impl TryFrom<MemberRow> for PointMember {
    type Error = StoreError;

    fn try_from(row: MemberRow) -> Result<Self> {
        Ok(Self {
            id: IntegrationId::from_uuid(row.id),
            name: Name::from_stored(row.name),
            account_id: AccountId::from_uuid(row.account_id),
            account_name: Name::from_stored(row.account_name),
            environment: row::word("accounts", "environment", &row.environment)?,
            provider: ProviderId::parse(&row.provider).map_err(|problem| row::bad("integration_instances", "provider", problem.message))?,
            definition: DefinitionId::from_uuid(row.integration_id),
            config: row.config.map(|config| config.0),
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
        let row: Option<PointRow> = db::query_as(concat!("SELECT ", columns!(), " FROM integration_points WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL"))
            .bind(id.uuid())
            .bind(organization)
            .fetch_optional(&mut self.tx)
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
        let row: Option<PointRow> = db::query_as(concat!("SELECT ", columns!(), " FROM integration_points WHERE organization_id = $1 AND name = $2 AND deleted_at IS NULL"))
            .bind(organization)
            .bind(reference.to_lowercase())
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(IntegrationPoint::try_from).transpose()
    }

    /// The points with these ids, those that are there.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn points_of(&mut self, ids: &[IntegrationPointId]) -> Result<Vec<IntegrationPoint>> {
        let organization = self.bound_organization()?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = QueryBuilder::new(self.dialect(), concat!("SELECT ", columns!(), " FROM integration_points WHERE organization_id = "));
        sql.push_bind(organization).push(" AND deleted_at IS NULL AND id IN (");
        let mut list = sql.separated(", ");
        for id in ids {
            list.push_bind(id.uuid());
        }
        sql.push(")");
        let rows: Vec<PointRow> = sql.build_query_as().fetch_all(&mut self.tx).await?;
        rows.into_iter().map(IntegrationPoint::try_from).collect()
    }

    /// The integrations under a point, in the order of their names, `limit` of them behind `after`. The configuration is read
    /// for the providers named alone.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn point_members(&mut self, point: IntegrationPointId, configured: &[ProviderId], after: Option<(&Name, IntegrationId)>, limit: u32) -> Result<Vec<PointMember>> {
        let (organization, account) = self.bound()?;
        let mut sql = QueryBuilder::new(
            self.dialect(),
            "SELECT child.id, child.name, child.account_id, parent.name AS account_name, parent.environment, child.provider, child.integration_id, ",
        );
        if configured.is_empty() {
            sql.push("NULL");
        } else {
            sql.push("CASE WHEN child.provider IN (");
            let mut list = sql.separated(", ");
            for provider in configured {
                list.push_bind(provider.as_str().to_owned());
            }
            sql.push(") THEN child.config END");
        }
        sql.push(" AS config FROM integration_instances AS child JOIN accounts AS parent ON parent.organization_id = child.organization_id AND parent.id = child.account_id WHERE child.organization_id = ");
        sql.push_bind(organization).push(" AND child.integration_point_id = ").push_bind(point.uuid()).push(" AND child.deleted_at IS NULL");
        if let Some(account) = account {
            sql.push(" AND child.account_id = ").push_bind(account);
        }
        if let Some((name, id)) = after {
            sql.push(" AND (child.name, child.id) > (").push_bind(name.as_str().to_owned()).push(", ").push_bind(id.uuid()).push(")");
        }
        sql.push(" ORDER BY child.name, child.id LIMIT ").push(limit);
        let rows: Vec<MemberRow> = sql.build_query_as().fetch_all(&mut self.tx).await?;
        rows.into_iter().map(PointMember::try_from).collect()
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
        db::query("INSERT INTO integration_points (id, organization_id, name, fullname, description, connector, environments, policy, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
            .bind(point.id.uuid())
            .bind(point.organization_id.uuid())
            .bind(point.name.as_str())
            .bind(point.fullname.as_str())
            .bind(&point.description)
            .bind(point.connector.as_str())
            .bind(Json(&point.environments))
            .bind(Json(&point.policy))
            .bind(At(point.created_at))
            .bind(At(point.updated_at))
            .execute(&mut self.tx)
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
        let done = db::query("UPDATE integration_points SET name = $3, fullname = $4, description = $5, connector = $6, environments = $7, policy = $8, updated_at = $9 WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL")
            .bind(point.id.uuid())
            .bind(point.organization_id.uuid())
            .bind(point.name.as_str())
            .bind(point.fullname.as_str())
            .bind(&point.description)
            .bind(point.connector.as_str())
            .bind(Json(&point.environments))
            .bind(Json(&point.policy))
            .bind(At(point.updated_at))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(point.name.as_str(), None))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found(IntegrationPointId::NOUN, point.id));
        }
        self.changed(ChangeKind::IntegrationPoint, point.id, None)
    }
}

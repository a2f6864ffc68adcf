//! Organizations and their roles.

use patchbay_model::change::ChangeKind;
use patchbay_model::organization::{Organization, OrganizationOptions};
use patchbay_model::{Fullname, Name, OrganizationId, TokenId};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::transaction::{ReadTx, WriteTx};

macro_rules! columns {
    () => {
        "id, name, fullname, refresh_token_id, contact, reply_to, picture, options, sample, created_at, updated_at"
    };
}

#[derive(FromRow)]
struct OrganizationRow {
    id: Uuid,
    name: String,
    fullname: String,
    refresh_token_id: Uuid,
    contact: Option<String>,
    reply_to: Option<String>,
    picture: Option<String>,
    options: Json<OrganizationOptions>,
    sample: bool,
    created_at: At,
    updated_at: At,
}

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        Self {
            id: OrganizationId::from_uuid(row.id),
            name: Name::from_stored(row.name),
            fullname: Fullname::from_stored(row.fullname),
            refresh_token_id: TokenId::from_uuid(row.refresh_token_id),
            contact: row.contact,
            reply_to: row.reply_to,
            picture: row.picture,
            options: row.options.0,
            sample: row.sample,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        }
    }
}

impl ReadTx {
    /// All organizations of the store, by name: for whoever holds its key. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn organizations(&mut self) -> Result<Vec<Organization>> {
        self.system("the list of organizations")?;
        let rows: Vec<OrganizationRow> = db::query_as(concat!("SELECT ", columns!(), " FROM organizations ORDER BY name, id")).fetch_all(&mut self.tx).await?;
        Ok(rows.into_iter().map(Organization::from).collect())
    }

    /// The organization with this name, ignoring case, or id: for logon and the command line. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn find_organization(&mut self, reference: &str) -> Result<Option<Organization>> {
        self.system("the list of organizations")?;
        let row: Option<OrganizationRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM organizations WHERE id = $1 OR name = $2 ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END LIMIT 1"))
                .bind(reference.parse::<Uuid>().unwrap_or_default())
                .bind(reference.to_lowercase())
                .fetch_optional(&mut self.tx)
                .await?;
        Ok(row.map(Organization::from))
    }

    /// The organization of this scope.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn organization(&mut self) -> Result<Organization> {
        let organization = self.bound_organization()?;
        let row: Option<OrganizationRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM organizations WHERE id = $1")).bind(organization).fetch_optional(&mut self.tx).await?;
        row.map(Organization::from).ok_or_else(|| StoreError::not_found(OrganizationId::NOUN, organization))
    }
}

impl WriteTx {
    /// Adds the organization of this scope, with the roles that every organization has.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], and those of the database.
    pub async fn insert_organization(&mut self, organization: &Organization) -> Result<()> {
        self.check_tenant(organization.id.uuid(), None)?;
        db::query("INSERT INTO organizations (id, name, fullname, refresh_token_id, contact, reply_to, picture, options, sample, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
            .bind(organization.id.uuid())
            .bind(organization.name.as_str())
            .bind(organization.fullname.as_str())
            .bind(organization.refresh_token_id.uuid())
            .bind(&organization.contact)
            .bind(&organization.reply_to)
            .bind(&organization.picture)
            .bind(Json(&organization.options))
            .bind(organization.sample)
            .bind(At(organization.created_at))
            .bind(At(organization.updated_at))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(organization.name.as_str(), None))?;
        self.changed(ChangeKind::Organization, organization.id, None)?;
        self.insert_builtin_roles(organization).await
    }

    /// Writes the organization of this scope anew.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::NotFound`], and those of the database.
    pub async fn update_organization(&mut self, organization: &Organization) -> Result<()> {
        self.check_tenant(organization.id.uuid(), None)?;
        let done = db::query("UPDATE organizations SET name = $2, fullname = $3, refresh_token_id = $4, contact = $5, reply_to = $6, picture = $7, options = $8, sample = $9, updated_at = $10 WHERE id = $1")
            .bind(organization.id.uuid())
            .bind(organization.name.as_str())
            .bind(organization.fullname.as_str())
            .bind(organization.refresh_token_id.uuid())
            .bind(&organization.contact)
            .bind(&organization.reply_to)
            .bind(&organization.picture)
            .bind(Json(&organization.options))
            .bind(organization.sample)
            .bind(At(organization.updated_at))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(organization.name.as_str(), None))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found(OrganizationId::NOUN, organization.id));
        }
        self.changed(ChangeKind::Organization, organization.id, None)
    }
}

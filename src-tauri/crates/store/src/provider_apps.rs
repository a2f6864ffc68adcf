//! Provider apps. An account's scope may read them: its consents and refreshes need the client id.

use patchbay_model::change::ChangeKind;
use patchbay_model::consent::ProviderApp;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{Fullname, Name, OrganizationId, ProviderAppId, ProviderId, SharedCredentialId};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::list::{self, Category, Field, Kind, Noun};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

macro_rules! columns {
    () => {
        "id, organization_id, name, fullname, provider, issuer, client_id, client_secret, redirect_uris, scopes, secret_expires, created_at, updated_at"
    };
}

pub(crate) const NOUN: Noun = Noun {
    table: "provider_apps",
    columns: columns!(),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("name", "name", Kind::Name),
        Field::new("fullname", "fullname", Kind::Text),
        Field::new("provider", "provider", Kind::Text),
        Field::nullable("issuer", "issuer", Kind::Text),
        Field::new("client_id", "client_id", Kind::Text),
        Field::nullable("secret_expires", "secret_expires", Kind::Time),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("updated_at", "updated_at", Kind::Time),
    ],
    default_order: "name",
    account: None,
    category: Category::None,
    tombstones: true,
};

#[derive(FromRow)]
struct AppRow {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    fullname: String,
    provider: String,
    issuer: Option<String>,
    client_id: String,
    client_secret: Option<Uuid>,
    redirect_uris: Json<Vec<String>>,
    scopes: Json<Vec<String>>,
    secret_expires: Option<At>,
    created_at: At,
    updated_at: At,
}

impl TryFrom<AppRow> for ProviderApp {
    type Error = StoreError;

    fn try_from(row: AppRow) -> Result<Self> {
        Ok(Self {
            id: ProviderAppId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            name: Name::from_stored(row.name),
            fullname: Fullname::from_stored(row.fullname),
            provider: ProviderId::parse(&row.provider).map_err(|problem| row::bad("provider_apps", "provider", problem.message))?,
            issuer: row.issuer,
            client_id: row.client_id,
            client_secret: row.client_secret.map(SharedCredentialId::from_uuid),
            redirect_uris: row.redirect_uris.0,
            scopes: row.scopes.0,
            secret_expires: row.secret_expires.map(|at| at.0),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

impl ReadTx {
    /// The provider app with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn provider_app(&mut self, id: ProviderAppId) -> Result<Option<ProviderApp>> {
        let organization = self.bound_organization()?;
        let row: Option<AppRow> = db::query_as(concat!("SELECT ", columns!(), " FROM provider_apps WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL"))
            .bind(id.uuid())
            .bind(organization)
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(ProviderApp::try_from).transpose()
    }

    /// The provider app with this id or name; an id wins.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_provider_app(&mut self, reference: &str) -> Result<Option<ProviderApp>> {
        if let Ok(id) = reference.parse::<ProviderAppId>()
            && let Some(app) = self.provider_app(id).await?
        {
            return Ok(Some(app));
        }
        let organization = self.bound_organization()?;
        let row: Option<AppRow> = db::query_as(concat!("SELECT ", columns!(), " FROM provider_apps WHERE organization_id = $1 AND name = $2 AND deleted_at IS NULL"))
            .bind(organization)
            .bind(reference.to_lowercase())
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(ProviderApp::try_from).transpose()
    }

    /// All apps at a provider, the oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn provider_apps_at(&mut self, provider: &ProviderId) -> Result<Vec<ProviderApp>> {
        let organization = self.bound_organization()?;
        let rows: Vec<AppRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM provider_apps WHERE organization_id = $1 AND provider = $2 AND deleted_at IS NULL ORDER BY created_at, id"))
                .bind(organization)
                .bind(provider.as_str())
                .fetch_all(&mut self.tx)
                .await?;
        rows.into_iter().map(ProviderApp::try_from).collect()
    }

    /// One page of provider apps.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn provider_apps(&mut self, query: &ListQuery) -> Result<Listed<ProviderApp>> {
        list::page::<AppRow, _>(self, &NOUN, query, false, &[]).await
    }
}

impl WriteTx {
    /// Adds a provider app. Its secret must have been sealed already.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::DanglingReference`], and those of the database.
    pub async fn insert_provider_app(&mut self, app: &ProviderApp) -> Result<()> {
        self.whole_organization("a new provider app")?;
        self.check_tenant(app.organization_id.uuid(), None)?;
        db::query("INSERT INTO provider_apps (id, organization_id, name, fullname, provider, issuer, client_id, client_secret, redirect_uris, scopes, created_at, updated_at, secret_expires) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
            .bind(app.id.uuid())
            .bind(app.organization_id.uuid())
            .bind(app.name.as_str())
            .bind(app.fullname.as_str())
            .bind(app.provider.as_str())
            .bind(&app.issuer)
            .bind(&app.client_id)
            .bind(app.client_secret.map(SharedCredentialId::uuid))
            .bind(Json(&app.redirect_uris))
            .bind(Json(&app.scopes))
            .bind(At(app.created_at))
            .bind(At(app.updated_at))
            .bind(row::at(app.secret_expires))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(app.name.as_str(), None))?;
        self.changed(ChangeKind::ProviderApp, app.id, None)
    }

    /// Writes a provider app anew.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::NotFound`], and those of the database.
    pub async fn update_provider_app(&mut self, app: &ProviderApp) -> Result<()> {
        self.whole_organization("a provider app")?;
        self.check_tenant(app.organization_id.uuid(), None)?;
        let done = db::query("UPDATE provider_apps SET name = $3, fullname = $4, provider = $5, issuer = $6, client_id = $7, client_secret = $8, redirect_uris = $9, scopes = $10, updated_at = $11, secret_expires = $12 WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL")
            .bind(app.id.uuid())
            .bind(app.organization_id.uuid())
            .bind(app.name.as_str())
            .bind(app.fullname.as_str())
            .bind(app.provider.as_str())
            .bind(&app.issuer)
            .bind(&app.client_id)
            .bind(app.client_secret.map(SharedCredentialId::uuid))
            .bind(Json(&app.redirect_uris))
            .bind(Json(&app.scopes))
            .bind(At(app.updated_at))
            .bind(row::at(app.secret_expires))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(app.name.as_str(), None))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found(ProviderAppId::NOUN, app.id));
        }
        self.changed(ChangeKind::ProviderApp, app.id, None)
    }
}

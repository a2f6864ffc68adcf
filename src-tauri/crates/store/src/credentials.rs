//! Credentials: metadata alone. An account's scope sees its own, and reads those of integration points, which govern it too;
//! those of organization webhooks it does not see.

use patchbay_model::change::ChangeKind;
use patchbay_model::credential::{Credential, CredentialKind, CredentialOwner, SealedAt};
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{AccountId, CredentialId, Fullname, IntegrationId, IntegrationPointId, Name, OrganizationId, SharedCredentialId, WebhookId};
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
        "id, organization_id, owner_type, account_id, integration_id, integration_point_id, organization_webhook_id, name, fullname, kind, public_config, sealed_at, sealed_integration_id, shared_credential_id, expires, managed, secret_set_at, created_at, updated_at"
    };
}

pub(crate) const NOUN: Noun = Noun {
    table: "credentials",
    columns: columns!(),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("name", "name", Kind::Name),
        Field::new("fullname", "fullname", Kind::Text),
        Field::new("owner_type", "owner_type", Kind::Text),
        Field::new("owner_id", "owner_id", Kind::Id),
        Field::nullable("account_id", "account_id", Kind::Id),
        Field::nullable("integration_id", "integration_id", Kind::Id),
        Field::nullable("integration_point_id", "integration_point_id", Kind::Id),
        Field::nullable("organization_webhook_id", "organization_webhook_id", Kind::Id),
        Field::new("type", "kind", Kind::Text),
        Field::new("managed", "CASE WHEN managed THEN 'Managed' ELSE 'Unmanaged' END", Kind::Text),
        Field::nullable("expires", "expires", Kind::Time),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("updated_at", "updated_at", Kind::Time),
    ],
    default_order: "name",
    account: Some("account_id"),
    category: Category::OfIntegration("credentials.integration_id"),
    tombstones: true,
};

const TABLE: &str = "credentials";

/// Key in a credential's public configuration under which the provider app of a consent is kept.
pub const PROVIDER_APP_KEY: &str = "provider_app_id";

#[derive(FromRow)]
struct CredentialRow {
    id: Uuid,
    organization_id: Uuid,
    owner_type: String,
    account_id: Option<Uuid>,
    integration_id: Option<Uuid>,
    integration_point_id: Option<Uuid>,
    organization_webhook_id: Option<Uuid>,
    name: String,
    fullname: String,
    kind: String,
    public_config: Json<serde_json::Map<String, serde_json::Value>>,
    sealed_at: String,
    sealed_integration_id: Option<Uuid>,
    shared_credential_id: Option<Uuid>,
    expires: Option<At>,
    managed: bool,
    secret_set_at: Option<At>,
    created_at: At,
    updated_at: At,
}

impl TryFrom<CredentialRow> for Credential {
    type Error = StoreError;

    fn try_from(row: CredentialRow) -> Result<Self> {
        let account = row.account_id.map(AccountId::from_uuid);
        let integration = row.integration_id.map(IntegrationId::from_uuid);
        let point = row.integration_point_id.map(IntegrationPointId::from_uuid);
        let webhook = row.organization_webhook_id.map(WebhookId::from_uuid);
        let owner = match (row.owner_type.as_str(), account, integration, point, webhook) {
            ("account", Some(account), ..) => CredentialOwner::Account(account),
            ("integration", Some(account), Some(integration), ..) => CredentialOwner::Integration(account, integration),
            ("integration_point", .., Some(point), _) => CredentialOwner::IntegrationPoint(point),
            ("organization_webhook", .., Some(webhook)) => CredentialOwner::OrganizationWebhook(webhook),
            (other, ..) => return Err(row::bad(TABLE, "owner_type", format!("`{other}` without its owner"))),
        };
        let sealed_at = match (row.sealed_at.as_str(), row.sealed_integration_id, row.shared_credential_id) {
            ("integration", Some(id), _) => SealedAt::Integration(IntegrationId::from_uuid(id)),
            ("shared", _, Some(id)) => SealedAt::Shared(SharedCredentialId::from_uuid(id)),
            ("nowhere", ..) => SealedAt::Nowhere,
            (other, ..) => return Err(row::bad(TABLE, "sealed_at", format!("`{other}` without its place"))),
        };
        Ok(Self {
            id: CredentialId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            owner,
            name: Name::from_stored(row.name),
            fullname: Fullname::from_stored(row.fullname),
            kind: CredentialKind::from_word(&row.kind).ok_or_else(|| row::bad(TABLE, "kind", format!("`{}` is no kind", row.kind)))?,
            public_config: row.public_config.0,
            sealed_at,
            expires: row.expires.map(|at| at.0),
            managed: row.managed,
            secret_set_at: row.secret_set_at.map(|at| at.0),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

/// The columns that say who owns a credential.
struct OwnerColumns {
    id: Uuid,
    integration: Option<Uuid>,
    point: Option<Uuid>,
    webhook: Option<Uuid>,
}

fn owner_columns(owner: CredentialOwner) -> OwnerColumns {
    let of = |id: Uuid| OwnerColumns { id, integration: None, point: None, webhook: None };
    match owner {
        CredentialOwner::Account(account) => of(account.uuid()),
        CredentialOwner::Integration(_, integration) => OwnerColumns { integration: Some(integration.uuid()), ..of(integration.uuid()) },
        CredentialOwner::IntegrationPoint(point) => OwnerColumns { point: Some(point.uuid()), ..of(point.uuid()) },
        CredentialOwner::OrganizationWebhook(webhook) => OwnerColumns { webhook: Some(webhook.uuid()), ..of(webhook.uuid()) },
    }
}

/// The columns that say where the sealed value lies.
fn sealed_columns(sealed_at: SealedAt) -> (&'static str, Option<Uuid>, Option<Uuid>) {
    match sealed_at {
        SealedAt::Integration(id) => ("integration", Some(id.uuid()), None),
        SealedAt::Shared(id) => ("shared", None, Some(id.uuid())),
        SealedAt::Nowhere => ("nowhere", None, None),
    }
}

/// The provider app that a consent's credential came from, kept in a column of its own so that users of an app are found.
fn provider_app(credential: &Credential) -> Option<Uuid> {
    credential.public_config.get(PROVIDER_APP_KEY)?.as_str()?.parse().ok()
}

/// The credential with the id `$1`, as far as the organization `$2` and the account `$3` see it.
macro_rules! of_this_scope {
    () => {
        "id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL OR (account_id IS NULL AND owner_type <> 'organization_webhook'))"
    };
}

impl ReadTx {
    /// The credential with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn credential(&mut self, id: CredentialId) -> Result<Option<Credential>> {
        self.credential_by(concat!("SELECT ", columns!(), " FROM credentials WHERE ", of_this_scope!(), " AND deleted_at IS NULL"), id).await
    }

    /// The credential with this id, deleted or not: for telling of its deletion.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn credential_even_deleted(&mut self, id: CredentialId) -> Result<Option<Credential>> {
        self.credential_by(concat!("SELECT ", columns!(), " FROM credentials WHERE ", of_this_scope!()), id).await
    }

    async fn credential_by(&mut self, sql: &'static str, id: CredentialId) -> Result<Option<Credential>> {
        let (organization, account) = self.bound()?;
        let row: Option<CredentialRow> = db::query_as(sql).bind(id.uuid()).bind(organization).bind(account).fetch_optional(&mut self.tx).await?;
        row.map(Credential::try_from).transpose()
    }

    /// The credential of `owner` with this id or name; an id wins.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_credential(&mut self, owner: CredentialOwner, reference: &str) -> Result<Option<Credential>> {
        if let Ok(id) = reference.parse::<CredentialId>()
            && let Some(credential) = self.credential(id).await?.filter(|credential| credential.owner == owner)
        {
            return Ok(Some(credential));
        }
        let (organization, account) = self.bound()?;
        let row: Option<CredentialRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM credentials WHERE organization_id = $1 AND owner_id = $2 AND owner_type = $3 AND (account_id = $4 OR $4 IS NULL OR (account_id IS NULL AND owner_type <> 'organization_webhook')) AND name = $5 AND deleted_at IS NULL"
        ))
        .bind(organization)
        .bind(owner_columns(owner).id)
        .bind(owner.owner_type())
        .bind(account)
        .bind(reference.to_lowercase())
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(Credential::try_from).transpose()
    }

    /// One page of credentials, of one owner or of all in the scope.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn credentials(&mut self, owner: Option<CredentialOwner>, query: &ListQuery) -> Result<Listed<Credential>> {
        let of_owner = move |sql: &mut QueryBuilder| {
            if let Some(owner) = owner {
                sql.push("owner_id = ").push_bind(owner_columns(owner).id).push(" AND owner_type = ").push_bind(owner.owner_type());
            }
        };
        let conditions: &[list::Condition<'_>] = if owner.is_some() { &[&of_owner] } else { &[] };
        // A point's credentials have no account; whoever may read the point may read that they are there.
        let within_account = !matches!(owner, Some(CredentialOwner::IntegrationPoint(_)));
        list::page::<CredentialRow, _>(self, &NOUN, query, within_account, conditions).await
    }

    /// All credentials that an integration can use: its own, its account's and its point's.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn credentials_within_reach(&mut self, account_id: AccountId, integration: IntegrationId, point: Option<IntegrationPointId>) -> Result<Vec<Credential>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<CredentialRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM credentials WHERE organization_id = $1 AND owner_id IN ($2, $3, $4) AND (account_id = $5 OR $5 IS NULL OR account_id IS NULL) AND deleted_at IS NULL ORDER BY name, id"
        ))
        .bind(organization)
        .bind(account_id.uuid())
        .bind(integration.uuid())
        .bind(point.map(IntegrationPointId::uuid))
        .bind(account)
        .fetch_all(&mut self.tx)
        .await?;
        rows.into_iter().map(Credential::try_from).collect()
    }
}

impl WriteTx {
    /// Adds a credential's metadata. What it is sealed in must be there already.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::DanglingReference`], and those of the database.
    pub async fn insert_credential(&mut self, credential: &Credential) -> Result<()> {
        self.check_tenant(credential.organization_id.uuid(), credential.owner.account().map(AccountId::uuid))?;
        let owner = owner_columns(credential.owner);
        let (sealed_at, sealed_integration, shared) = sealed_columns(credential.sealed_at);
        db::query("INSERT INTO credentials (id, organization_id, owner_type, owner_id, account_id, integration_id, integration_point_id, name, fullname, kind, public_config, sealed_at, sealed_integration_id, shared_credential_id, provider_app_id, expires, managed, secret_set_at, created_at, updated_at, organization_webhook_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)")
            .bind(credential.id.uuid())
            .bind(credential.organization_id.uuid())
            .bind(credential.owner.owner_type())
            .bind(owner.id)
            .bind(credential.owner.account().map(AccountId::uuid))
            .bind(owner.integration)
            .bind(owner.point)
            .bind(credential.name.as_str())
            .bind(credential.fullname.as_str())
            .bind(credential.kind.as_str())
            .bind(Json(&credential.public_config))
            .bind(sealed_at)
            .bind(sealed_integration)
            .bind(shared)
            .bind(provider_app(credential))
            .bind(row::at(credential.expires))
            .bind(credential.managed)
            .bind(row::at(credential.secret_set_at))
            .bind(At(credential.created_at))
            .bind(At(credential.updated_at))
            .bind(owner.webhook)
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(credential.name.as_str(), None))?;
        self.changed(ChangeKind::Credential, credential.id, credential.owner.account())
    }

    /// Writes a credential's metadata anew; its owner is for life.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::NotFound`], and those of the database.
    pub async fn update_credential(&mut self, credential: &Credential) -> Result<()> {
        self.check_tenant(credential.organization_id.uuid(), credential.owner.account().map(AccountId::uuid))?;
        let (sealed_at, sealed_integration, shared) = sealed_columns(credential.sealed_at);
        let done = db::query("UPDATE credentials SET name = $4, fullname = $5, kind = $6, public_config = $7, sealed_at = $8, sealed_integration_id = $9, shared_credential_id = $10, provider_app_id = $11, expires = $12, managed = $13, secret_set_at = $14, updated_at = $15 WHERE id = $1 AND organization_id = $2 AND owner_id = $3 AND deleted_at IS NULL")
            .bind(credential.id.uuid())
            .bind(credential.organization_id.uuid())
            .bind(owner_columns(credential.owner).id)
            .bind(credential.name.as_str())
            .bind(credential.fullname.as_str())
            .bind(credential.kind.as_str())
            .bind(Json(&credential.public_config))
            .bind(sealed_at)
            .bind(sealed_integration)
            .bind(shared)
            .bind(provider_app(credential))
            .bind(row::at(credential.expires))
            .bind(credential.managed)
            .bind(row::at(credential.secret_set_at))
            .bind(At(credential.updated_at))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(credential.name.as_str(), None))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found(CredentialId::NOUN, credential.id));
        }
        self.changed(ChangeKind::Credential, credential.id, credential.owner.account())
    }
}

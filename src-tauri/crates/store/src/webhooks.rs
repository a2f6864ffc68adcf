//! Organization webhooks. They tell of all accounts of an environment, so an account's scope does not see them.

use patchbay_model::change::ChangeKind;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::webhook::{OrganizationWebhook, WebhookFilter};
use patchbay_model::{AccountId, CredentialId, Environment, Fullname, Name, OrganizationId, WebhookId};
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
        "id, organization_id, name, fullname, environment, filters, url, credential_id, created_at, updated_at"
    };
}

pub(crate) const NOUN: Noun = Noun {
    table: "organization_webhooks",
    columns: columns!(),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("name", "name", Kind::Name),
        Field::new("fullname", "fullname", Kind::Text),
        Field::new("environment", "environment", Kind::Text),
        Field::new("filters", "filters", Kind::Texts),
        Field::new("url", "url", Kind::Text),
        Field::new("credential_id", "credential_id", Kind::Id),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("updated_at", "updated_at", Kind::Time),
    ],
    default_order: "name",
    account: None,
    category: Category::None,
    tombstones: true,
};

#[derive(FromRow)]
struct WebhookRow {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    fullname: String,
    environment: String,
    filters: Json<Vec<WebhookFilter>>,
    url: String,
    credential_id: Uuid,
    created_at: At,
    updated_at: At,
}

impl TryFrom<WebhookRow> for OrganizationWebhook {
    type Error = StoreError;

    fn try_from(row: WebhookRow) -> Result<Self> {
        Ok(Self {
            id: WebhookId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            name: Name::from_stored(row.name),
            fullname: Fullname::from_stored(row.fullname),
            environment: row::word("organization_webhooks", "environment", &row.environment)?,
            filters: row.filters.0,
            url: row.url,
            credential_id: CredentialId::from_uuid(row.credential_id),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

const WHAT: &str = "an organization webhook";

impl ReadTx {
    /// The webhook with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn webhook(&mut self, id: WebhookId) -> Result<Option<OrganizationWebhook>> {
        let organization = self.whole_organization(WHAT)?;
        let row: Option<WebhookRow> = db::query_as(concat!("SELECT ", columns!(), " FROM organization_webhooks WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL"))
            .bind(id.uuid())
            .bind(organization)
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(OrganizationWebhook::try_from).transpose()
    }

    /// The webhook with this id or name; an id wins.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_webhook(&mut self, reference: &str) -> Result<Option<OrganizationWebhook>> {
        if let Ok(id) = reference.parse::<WebhookId>()
            && let Some(webhook) = self.webhook(id).await?
        {
            return Ok(Some(webhook));
        }
        let organization = self.whole_organization(WHAT)?;
        let row: Option<WebhookRow> = db::query_as(concat!("SELECT ", columns!(), " FROM organization_webhooks WHERE organization_id = $1 AND name = $2 AND deleted_at IS NULL"))
            .bind(organization)
            .bind(reference.to_lowercase())
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(OrganizationWebhook::try_from).transpose()
    }

    /// One page of webhooks.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn webhooks(&mut self, query: &ListQuery) -> Result<Listed<OrganizationWebhook>> {
        self.whole_organization(WHAT)?;
        list::page::<WebhookRow, _>(self, &NOUN, query, false, &[]).await
    }

    /// Every webhook that is told of changes of an account, deleted or not: those of its environment, and of the one that it
    /// was in `before`. An account's own scope may ask, since it is told what the account does.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn webhooks_of(&mut self, account: AccountId, before: Option<Environment>) -> Result<Vec<OrganizationWebhook>> {
        let organization = self.bound_organization()?;
        let rows: Vec<WebhookRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM organization_webhooks WHERE organization_id = $1 AND environment IN ((SELECT environment FROM accounts WHERE id = $2 AND organization_id = $1), $3) AND deleted_at IS NULL ORDER BY name, id"
        ))
        .bind(organization)
        .bind(account.uuid())
        .bind(before.map(Environment::as_str))
        .fetch_all(&mut self.tx)
        .await?;
        rows.into_iter().map(OrganizationWebhook::try_from).collect()
    }
}

impl WriteTx {
    /// Adds a webhook. The credential that it names is added behind it, since that refers to the webhook.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], and those of the database.
    pub async fn insert_webhook(&mut self, webhook: &OrganizationWebhook) -> Result<()> {
        self.whole_organization(WHAT)?;
        self.check_tenant(webhook.organization_id.uuid(), None)?;
        db::query("INSERT INTO organization_webhooks (id, organization_id, name, fullname, environment, filters, url, credential_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
            .bind(webhook.id.uuid())
            .bind(webhook.organization_id.uuid())
            .bind(webhook.name.as_str())
            .bind(webhook.fullname.as_str())
            .bind(webhook.environment.as_str())
            .bind(Json(&webhook.filters))
            .bind(&webhook.url)
            .bind(webhook.credential_id.uuid())
            .bind(At(webhook.created_at))
            .bind(At(webhook.updated_at))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(webhook.name.as_str(), None))?;
        self.changed(ChangeKind::OrganizationWebhook, webhook.id, None)
    }

    /// Writes a webhook anew.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::NotFound`], and those of the database.
    pub async fn update_webhook(&mut self, webhook: &OrganizationWebhook) -> Result<()> {
        self.whole_organization(WHAT)?;
        self.check_tenant(webhook.organization_id.uuid(), None)?;
        let done = db::query("UPDATE organization_webhooks SET name = $3, fullname = $4, environment = $5, filters = $6, url = $7, credential_id = $8, updated_at = $9 WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL")
            .bind(webhook.id.uuid())
            .bind(webhook.organization_id.uuid())
            .bind(webhook.name.as_str())
            .bind(webhook.fullname.as_str())
            .bind(webhook.environment.as_str())
            .bind(Json(&webhook.filters))
            .bind(&webhook.url)
            .bind(webhook.credential_id.uuid())
            .bind(At(webhook.updated_at))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(webhook.name.as_str(), None))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found(WebhookId::NOUN, webhook.id));
        }
        self.changed(ChangeKind::OrganizationWebhook, webhook.id, None)
    }
}

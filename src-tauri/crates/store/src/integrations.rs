//! Integrations: rows of `integration_instances`. The sealed column is read and written in `sealed.rs` alone.

use patchbay_model::change::ChangeKind;
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{AccountId, DefinitionId, DeletionId, Fullname, IntegrationId, IntegrationPointId, Name, OrganizationId, ProviderId, Timestamp, TokenId};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db::{self, QueryBuilder};
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::list::{self, Category, Field, Kind, Noun, Part};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

macro_rules! columns {
    () => {
        "id, organization_id, account_id, integration_id, name, fullname, provider, connector, integration_point_id, status, status_cause, status_since, config, webhook_config, refresh_token_id, last_used_at, last_connected_at, created_at, updated_at"
    };
}

static ACCOUNT: Part = Part { table: "accounts", column: "account_id", optional: false };
static POINT: Part = Part { table: "integration_points", column: "integration_point_id", optional: true };

pub(crate) static NOUN: Noun = Noun {
    table: "integration_instances",
    columns: columns!(),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("name", "name", Kind::Name),
        Field::new("fullname", "fullname", Kind::Text),
        Field::new("account_id", "account_id", Kind::Id),
        Field::new("category", "connector", Kind::Text),
        Field::new("provider_type", "provider", Kind::Text),
        Field::nullable("integration_point_id", "integration_point_id", Kind::Id),
        Field::new("status", "status", Kind::Text),
        Field::nullable("last_used_at", "last_used_at", Kind::Time),
        Field::nullable("last_connected_at", "last_connected_at", Kind::Time),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("updated_at", "updated_at", Kind::Time),
        Field::of(&ACCOUNT, "account.name", "name", Kind::Name),
        Field::of(&ACCOUNT, "account.fullname", "fullname", Kind::Text),
        Field::of(&ACCOUNT, "account.environment", "environment", Kind::Text),
        Field::of(&ACCOUNT, "account.labels", "labels", Kind::Texts),
        Field::of(&POINT, "integration_point.name", "name", Kind::Name),
    ],
    default_order: "name",
    account: Some("account_id"),
    category: Category::Column("connector"),
    tombstones: true,
};

#[derive(FromRow)]
struct IntegrationRow {
    id: Uuid,
    organization_id: Uuid,
    account_id: Uuid,
    integration_id: Uuid,
    name: String,
    fullname: String,
    provider: String,
    connector: String,
    integration_point_id: Option<Uuid>,
    status: String,
    status_cause: Option<String>,
    status_since: At,
    config: Json<serde_json::Value>,
    webhook_config: Option<Json<serde_json::Value>>,
    refresh_token_id: Uuid,
    last_used_at: Option<At>,
    last_connected_at: Option<At>,
    created_at: At,
    updated_at: At,
}

const TABLE: &str = "integration_instances";

impl TryFrom<IntegrationRow> for Integration {
    type Error = StoreError;

    fn try_from(row: IntegrationRow) -> Result<Self> {
        Ok(Self {
            id: IntegrationId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            account_id: AccountId::from_uuid(row.account_id),
            name: Name::from_stored(row.name),
            fullname: Fullname::from_stored(row.fullname),
            definition: DefinitionId::from_uuid(row.integration_id),
            provider: ProviderId::parse(&row.provider).map_err(|problem| row::bad(TABLE, "provider", problem.message))?,
            connector: row::word(TABLE, "connector", &row.connector)?,
            integration_point_id: row.integration_point_id.map(IntegrationPointId::from_uuid),
            config: row.config.0,
            webhook_config: row.webhook_config.map(|config| config.0),
            status: status(&row.status, row.status_cause.as_deref())?,
            status_since: row.status_since.0,
            refresh_token_id: TokenId::from_uuid(row.refresh_token_id),
            last_used_at: row.last_used_at.map(|at| at.0),
            last_connected_at: row.last_connected_at.map(|at| at.0),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

fn status(word: &str, cause: Option<&str>) -> Result<IntegrationStatus> {
    Ok(match (word, cause) {
        ("draft", _) => IntegrationStatus::Draft,
        ("awaiting_consent", _) => IntegrationStatus::AwaitingConsent,
        ("active", _) => IntegrationStatus::Active,
        ("paused", _) => IntegrationStatus::Paused,
        ("revoked", _) => IntegrationStatus::Revoked,
        ("needs_attention", Some(cause)) => IntegrationStatus::NeedsAttention { cause: row::word(TABLE, "status_cause", cause)? },
        (other, _) => return Err(row::bad(TABLE, "status", format!("`{other}` is no status"))),
    })
}

fn cause(status: IntegrationStatus) -> Option<String> {
    match status {
        IntegrationStatus::NeedsAttention { cause } => Some(row::as_word(&cause)),
        _ => None,
    }
}

/// Ids of the credentials that a configuration refers to: values beside a `type` that ends in `_id`.
fn references(config: &serde_json::Value, found: &mut Vec<Uuid>) {
    match config {
        serde_json::Value::Object(map) => {
            let kind = map.get("type").and_then(serde_json::Value::as_str);
            let value = map.get("value").and_then(serde_json::Value::as_str);
            if let (Some(kind), Some(value)) = (kind, value)
                && kind.ends_with("_id")
                && let Ok(id) = value.parse()
                && !found.contains(&id)
            {
                found.push(id);
            }
            for part in map.values() {
                references(part, found);
            }
        }
        serde_json::Value::Array(parts) => parts.iter().for_each(|part| references(part, found)),
        _ => {}
    }
}

impl ReadTx {
    /// The integration with this id, in whichever account of the scope.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn integration(&mut self, id: IntegrationId) -> Result<Option<Integration>> {
        let (organization, account) = self.bound()?;
        let row: Option<IntegrationRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM integration_instances WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL"
        ))
        .bind(id.uuid())
        .bind(organization)
        .bind(account)
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(Integration::try_from).transpose()
    }

    /// The integration with this id, deleted or not: for telling of its deletion.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn integration_even_deleted(&mut self, id: IntegrationId) -> Result<Option<Integration>> {
        let (organization, account) = self.bound()?;
        let row: Option<IntegrationRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM integration_instances WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL)"))
                .bind(id.uuid())
                .bind(organization)
                .bind(account)
                .fetch_optional(&mut self.tx)
                .await?;
        row.map(Integration::try_from).transpose()
    }

    /// The integrations that a deletion took.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn integrations_deleted_with(&mut self, deletion: DeletionId) -> Result<Vec<Integration>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<IntegrationRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM integration_instances WHERE deletion_id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) ORDER BY name, id"
        ))
        .bind(deletion.uuid())
        .bind(organization)
        .bind(account)
        .fetch_all(&mut self.tx)
        .await?;
        rows.into_iter().map(Integration::try_from).collect()
    }

    /// The integration of `account` with this id or name; an id wins.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_integration(&mut self, account: AccountId, reference: &str) -> Result<Option<Integration>> {
        if let Ok(id) = reference.parse::<IntegrationId>()
            && let Some(integration) = self.integration(id).await?.filter(|integration| integration.account_id == account)
        {
            return Ok(Some(integration));
        }
        let (organization, bound) = self.bound()?;
        let row: Option<IntegrationRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM integration_instances WHERE organization_id = $1 AND account_id = $2 AND (account_id = $3 OR $3 IS NULL) AND name = $4 AND deleted_at IS NULL"
        ))
        .bind(organization)
        .bind(account.uuid())
        .bind(bound)
        .bind(reference.to_lowercase())
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(Integration::try_from).transpose()
    }

    /// One page of integrations, of one account or of all in the scope.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn integrations(&mut self, account: Option<AccountId>, query: &ListQuery) -> Result<Listed<Integration>> {
        let of_account = move |sql: &mut QueryBuilder| {
            if let Some(account) = account {
                sql.push("account_id = ").push_bind(account.uuid());
            }
        };
        let conditions: &[list::Condition<'_>] = if account.is_some() { &[&of_account] } else { &[] };
        list::page::<IntegrationRow, _>(self, &NOUN, query, true, conditions).await
    }

    /// How many integrations each account has, for the accounts named.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_integrations(&mut self, accounts: &[AccountId]) -> Result<Vec<(AccountId, u64)>> {
        let (organization, bound) = self.bound()?;
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = QueryBuilder::new(self.dialect(), "SELECT account_id, count(*) FROM integration_instances WHERE organization_id = ");
        sql.push_bind(organization);
        if let Some(bound) = bound {
            sql.push(" AND account_id = ").push_bind(bound);
        }
        sql.push(" AND deleted_at IS NULL AND account_id IN (");
        for (number, account) in accounts.iter().enumerate() {
            if number > 0 {
                sql.push(", ");
            }
            sql.push_bind(account.uuid());
        }
        sql.push(") GROUP BY account_id");
        let rows: Vec<(Uuid, i64)> = sql.build_query_as().fetch_all(&mut self.tx).await?;
        Ok(rows.into_iter().map(|(id, number)| (AccountId::from_uuid(id), row::count(number))).collect())
    }

    /// How many integrations each provider has, of those that lists in this transaction show.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_integrations_by_provider(&mut self) -> Result<Vec<(String, u64)>> {
        list::count_by_word(self, &NOUN, "provider").await
    }

    /// How many integrations are in each status, by its word.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_integrations_by_status(&mut self) -> Result<Vec<(String, u64)>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<(String, i64)> = db::query_as(
            "SELECT status, count(*) FROM integration_instances WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND deleted_at IS NULL GROUP BY status ORDER BY status",
        )
        .bind(organization)
        .bind(account)
        .fetch_all(&mut self.tx)
        .await?;
        Ok(rows.into_iter().map(|(word, number)| (word, row::count(number))).collect())
    }
}

impl WriteTx {
    /// Adds an integration, without a sealed value.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::DanglingReference`] for an account or point that is not there, and those of the database.
    pub async fn insert_integration(&mut self, integration: &Integration) -> Result<()> {
        self.check_tenant(integration.organization_id.uuid(), Some(integration.account_id.uuid()))?;
        db::query("INSERT INTO integration_instances (id, organization_id, account_id, integration_id, name, fullname, provider, connector, integration_point_id, status, status_cause, status_since, config, webhook_config, refresh_token_id, last_used_at, last_connected_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)")
            .bind(integration.id.uuid())
            .bind(integration.organization_id.uuid())
            .bind(integration.account_id.uuid())
            .bind(integration.definition.uuid())
            .bind(integration.name.as_str())
            .bind(integration.fullname.as_str())
            .bind(integration.provider.as_str())
            .bind(integration.connector.as_str())
            .bind(integration.integration_point_id.map(IntegrationPointId::uuid))
            .bind(integration.status.as_str())
            .bind(cause(integration.status))
            .bind(At(integration.status_since))
            .bind(Json(&integration.config))
            .bind(integration.webhook_config.as_ref().map(Json))
            .bind(integration.refresh_token_id.uuid())
            .bind(row::at(integration.last_used_at))
            .bind(row::at(integration.last_connected_at))
            .bind(At(integration.created_at))
            .bind(At(integration.updated_at))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(integration.name.as_str(), None))?;
        self.insert_references(integration).await?;
        self.changed(ChangeKind::Integration, integration.id, Some(integration.account_id))
    }

    /// Writes an integration anew; its sealed value stays, and so do account and telemetry.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::NotFound`], and those of the database.
    pub async fn update_integration(&mut self, integration: &Integration) -> Result<()> {
        self.check_tenant(integration.organization_id.uuid(), Some(integration.account_id.uuid()))?;
        let done = db::query("UPDATE integration_instances SET integration_id = $4, name = $5, fullname = $6, provider = $7, connector = $8, integration_point_id = $9, status = $10, status_cause = $11, status_since = $12, config = $13, webhook_config = $14, refresh_token_id = $15, last_connected_at = $16, updated_at = $17 WHERE id = $1 AND organization_id = $2 AND account_id = $3 AND deleted_at IS NULL")
            .bind(integration.id.uuid())
            .bind(integration.organization_id.uuid())
            .bind(integration.account_id.uuid())
            .bind(integration.definition.uuid())
            .bind(integration.name.as_str())
            .bind(integration.fullname.as_str())
            .bind(integration.provider.as_str())
            .bind(integration.connector.as_str())
            .bind(integration.integration_point_id.map(IntegrationPointId::uuid))
            .bind(integration.status.as_str())
            .bind(cause(integration.status))
            .bind(At(integration.status_since))
            .bind(Json(&integration.config))
            .bind(integration.webhook_config.as_ref().map(Json))
            .bind(integration.refresh_token_id.uuid())
            .bind(row::at(integration.last_connected_at))
            .bind(At(integration.updated_at))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(integration.name.as_str(), None))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found(IntegrationId::NOUN, integration.id));
        }
        db::query("DELETE FROM integration_credential_references WHERE integration_id = $1 AND organization_id = $2")
            .bind(integration.id.uuid())
            .bind(integration.organization_id.uuid())
            .execute(&mut self.tx)
            .await?;
        self.insert_references(integration).await?;
        self.changed(ChangeKind::Integration, integration.id, Some(integration.account_id))
    }

    /// Moves an integration to another status, when it is in a status out of `from` (any, when empty). Says whether it moved.
    /// `connected` also notes that the provider accepted the credential just now.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn set_integration_status(&mut self, id: IntegrationId, from: &[IntegrationStatus], to: IntegrationStatus, now: Timestamp, connected: bool) -> Result<bool> {
        let (organization, account) = self.bound()?;
        let mut sql = QueryBuilder::new(self.dialect(), "UPDATE integration_instances SET status_since = CASE WHEN status = ");
        sql.push_bind(to.as_str()).push(" AND status_cause IS NOT DISTINCT FROM ").push_bind(cause(to)).push(" THEN status_since ELSE ").push_bind(At(now));
        sql.push(" END, status = ").push_bind(to.as_str()).push(", status_cause = ").push_bind(cause(to)).push(", updated_at = ").push_bind(At(now));
        if connected {
            sql.push(", last_connected_at = ").push_bind(At(now));
        }
        sql.push(" WHERE id = ").push_bind(id.uuid()).push(" AND organization_id = ").push_bind(organization);
        if let Some(account) = account {
            sql.push(" AND account_id = ").push_bind(account);
        }
        sql.push(" AND deleted_at IS NULL");
        if !from.is_empty() {
            sql.push(" AND status IN (");
            for (number, status) in from.iter().enumerate() {
                if number > 0 {
                    sql.push(", ");
                }
                sql.push_bind(status.as_str());
            }
            sql.push(")");
        }
        sql.push(" RETURNING account_id");
        let moved: Option<(Uuid,)> = sql.build_query_as().fetch_optional(&mut self.tx).await?;
        if let Some((account,)) = moved {
            self.changed(ChangeKind::Integration, id, Some(AccountId::from_uuid(account)))?;
        }
        Ok(moved.is_some())
    }

    async fn insert_references(&mut self, integration: &Integration) -> Result<()> {
        let mut credentials = Vec::new();
        references(&integration.config, &mut credentials);
        for credential in credentials {
            db::query("INSERT INTO integration_credential_references (integration_id, organization_id, credential_id) VALUES ($1, $2, $3)")
                .bind(integration.id.uuid())
                .bind(integration.organization_id.uuid())
                .bind(credential)
                .execute(&mut self.tx)
                .await?;
        }
        Ok(())
    }
}

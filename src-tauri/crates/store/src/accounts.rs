//! Accounts.

use patchbay_model::account::Account;
use patchbay_model::change::ChangeKind;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{AccountId, Fullname, Label, Name, OrganizationId};
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
        "id, organization_id, name, fullname, environment, labels, external_id, created_at, updated_at"
    };
}

pub(crate) const NOUN: Noun = Noun {
    table: "accounts",
    columns: columns!(),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("name", "name", Kind::Name),
        Field::new("fullname", "fullname", Kind::Text),
        Field::new("environment", "environment", Kind::Text),
        Field::new("labels", "labels", Kind::Texts),
        Field::new("external_id", "external_id", Kind::Text),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("updated_at", "updated_at", Kind::Time),
    ],
    default_order: "name",
    account: Some("id"),
    category: Category::None,
    tombstones: true,
};

#[derive(FromRow)]
struct AccountRow {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    fullname: String,
    environment: String,
    labels: Json<Vec<Label>>,
    external_id: String,
    created_at: At,
    updated_at: At,
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self> {
        Ok(Self {
            id: AccountId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            name: Name::from_stored(row.name),
            fullname: Fullname::from_stored(row.fullname),
            environment: row::word("accounts", "environment", &row.environment)?,
            labels: row.labels.0,
            external_id: row.external_id,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

impl ReadTx {
    /// The account with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn account(&mut self, id: AccountId) -> Result<Option<Account>> {
        let (organization, account) = self.bound()?;
        let row: Option<AccountRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM accounts WHERE id = $1 AND organization_id = $2 AND (id = $3 OR $3 IS NULL) AND deleted_at IS NULL"))
                .bind(id.uuid())
                .bind(organization)
                .bind(account)
                .fetch_optional(&mut self.tx)
                .await?;
        row.map(Account::try_from).transpose()
    }

    /// The accounts with these ids, those that are there.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn accounts_of(&mut self, ids: &[AccountId]) -> Result<Vec<Account>> {
        let (organization, account) = self.bound()?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = QueryBuilder::new(self.dialect(), concat!("SELECT ", columns!(), " FROM accounts WHERE organization_id = "));
        sql.push_bind(organization);
        if let Some(account) = account {
            sql.push(" AND id = ").push_bind(account);
        }
        sql.push(" AND deleted_at IS NULL AND id IN (");
        let mut list = sql.separated(", ");
        for id in ids {
            list.push_bind(id.uuid());
        }
        sql.push(")");
        let rows: Vec<AccountRow> = sql.build_query_as().fetch_all(&mut self.tx).await?;
        rows.into_iter().map(Account::try_from).collect()
    }

    /// The account with this id, deleted or not: for telling of its deletion.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn account_even_deleted(&mut self, id: AccountId) -> Result<Option<Account>> {
        let (organization, account) = self.bound()?;
        let row: Option<AccountRow> = db::query_as(concat!("SELECT ", columns!(), " FROM accounts WHERE id = $1 AND organization_id = $2 AND (id = $3 OR $3 IS NULL)"))
            .bind(id.uuid())
            .bind(organization)
            .bind(account)
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(Account::try_from).transpose()
    }

    /// The account with this id or name, as it stands in a path; an id wins.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_account(&mut self, reference: &str) -> Result<Option<Account>> {
        if let Ok(id) = reference.parse::<AccountId>()
            && let Some(account) = self.account(id).await?
        {
            return Ok(Some(account));
        }
        let (organization, account) = self.bound()?;
        let row: Option<AccountRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM accounts WHERE organization_id = $1 AND (id = $2 OR $2 IS NULL) AND name = $3 AND deleted_at IS NULL"))
                .bind(organization)
                .bind(account)
                .bind(reference.to_lowercase())
                .fetch_optional(&mut self.tx)
                .await?;
        row.map(Account::try_from).transpose()
    }

    /// The account that integration systems know by this tenant id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn account_by_external_id(&mut self, external_id: &str) -> Result<Option<Account>> {
        let (organization, account) = self.bound()?;
        let row: Option<AccountRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM accounts WHERE organization_id = $1 AND (id = $2 OR $2 IS NULL) AND external_id = $3 AND deleted_at IS NULL"))
                .bind(organization)
                .bind(account)
                .bind(external_id)
                .fetch_optional(&mut self.tx)
                .await?;
        row.map(Account::try_from).transpose()
    }

    /// One page of accounts.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn accounts(&mut self, query: &ListQuery) -> Result<Listed<Account>> {
        list::page::<AccountRow, _>(self, &NOUN, query, true, &[]).await
    }
}

impl WriteTx {
    /// Adds an account.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], and those of the database.
    pub async fn insert_account(&mut self, account: &Account) -> Result<()> {
        self.whole_organization("a new account")?;
        self.check_tenant(account.organization_id.uuid(), None)?;
        db::query(
            "INSERT INTO accounts (id, organization_id, name, fullname, environment, labels, external_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(account.id.uuid())
        .bind(account.organization_id.uuid())
        .bind(account.name.as_str())
        .bind(account.fullname.as_str())
        .bind(account.environment.as_str())
        .bind(Json(&account.labels))
        .bind(&account.external_id)
        .bind(At(account.created_at))
        .bind(At(account.updated_at))
        .execute(&mut self.tx)
        .await
        .map_err(|error| StoreError::from(error).naming(account.name.as_str(), Some(&account.external_id)))?;
        self.changed(ChangeKind::Account, account.id, Some(account.id))
    }

    /// Writes an account anew.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::NotFound`], and those of the database.
    pub async fn update_account(&mut self, account: &Account) -> Result<()> {
        self.check_tenant(account.organization_id.uuid(), Some(account.id.uuid()))?;
        let done = db::query("UPDATE accounts SET name = $3, fullname = $4, environment = $5, labels = $6, external_id = $7, updated_at = $8 WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL")
            .bind(account.id.uuid())
            .bind(account.organization_id.uuid())
            .bind(account.name.as_str())
            .bind(account.fullname.as_str())
            .bind(account.environment.as_str())
            .bind(Json(&account.labels))
            .bind(&account.external_id)
            .bind(At(account.updated_at))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(account.name.as_str(), Some(&account.external_id)))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found(AccountId::NOUN, account.id));
        }
        self.changed(ChangeKind::Account, account.id, Some(account.id))
    }
}

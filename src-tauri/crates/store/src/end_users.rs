//! End users: the persons of an account.

use patchbay_model::change::ChangeKind;
use patchbay_model::end_user::{EndUser, Erasure, Subject};
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{AccountId, EndUserId, Fullname, Name, OrganizationId, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use crate::db::{self, QueryBuilder};
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::list::{self, Category, Field, Kind, Noun};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

macro_rules! columns {
    () => {
        "id, organization_id, account_id, name, fullname, email, external_id, last_seen_at, created_at, updated_at"
    };
}

pub(crate) const NOUN: Noun = Noun {
    table: "end_users",
    columns: columns!(),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("name", "name", Kind::Name),
        Field::new("fullname", "fullname", Kind::Text),
        Field::nullable("email", "email", Kind::Text),
        Field::nullable("external_id", "external_id", Kind::Text),
        Field::nullable("last_seen_at", "last_seen_at", Kind::Time),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("updated_at", "updated_at", Kind::Time),
    ],
    default_order: "name",
    account: Some("account_id"),
    category: Category::None,
    tombstones: true,
};

#[derive(FromRow)]
struct EndUserRow {
    id: Uuid,
    organization_id: Uuid,
    account_id: Uuid,
    name: String,
    fullname: String,
    email: Option<String>,
    external_id: Option<String>,
    last_seen_at: Option<At>,
    created_at: At,
    updated_at: At,
}

impl TryFrom<EndUserRow> for EndUser {
    type Error = StoreError;

    fn try_from(row: EndUserRow) -> Result<Self> {
        Ok(Self {
            id: EndUserId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            account_id: AccountId::from_uuid(row.account_id),
            name: Name::from_stored(row.name),
            fullname: Fullname::from_stored(row.fullname),
            email: row.email,
            external_id: row.external_id,
            last_seen_at: row.last_seen_at.map(|at| at.0),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

impl ReadTx {
    /// The end user with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn end_user(&mut self, id: EndUserId) -> Result<Option<EndUser>> {
        let (organization, account) = self.bound()?;
        let row: Option<EndUserRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM end_users WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL"))
                .bind(id.uuid())
                .bind(organization)
                .bind(account)
                .fetch_optional(&mut self.tx)
                .await?;
        row.map(EndUser::try_from).transpose()
    }

    /// The end user with this id or name in an account; an id wins.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_end_user(&mut self, account: AccountId, reference: &str) -> Result<Option<EndUser>> {
        if let Ok(id) = reference.parse::<EndUserId>()
            && let Some(person) = self.end_user(id).await?.filter(|person| person.account_id == account)
        {
            return Ok(Some(person));
        }
        let (organization, bound) = self.bound()?;
        let row: Option<EndUserRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM end_users WHERE organization_id = $1 AND account_id = $2 AND (account_id = $3 OR $3 IS NULL) AND name = $4 AND deleted_at IS NULL"
        ))
        .bind(organization)
        .bind(account.uuid())
        .bind(bound)
        .bind(reference.to_lowercase())
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(EndUser::try_from).transpose()
    }

    /// The end user of an account whom a provider named like this before; the one who agreed last, should several have.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn end_user_by_subject(&mut self, account: AccountId, subject: &Subject) -> Result<Option<EndUser>> {
        let (organization, bound) = self.bound()?;
        let row: Option<EndUserRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM end_users WHERE organization_id = $1 AND account_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL AND id = (SELECT receipt.end_user_id FROM consent_receipts AS receipt WHERE receipt.organization_id = $1 AND receipt.account_id = $2 AND receipt.provider = $4 AND receipt.subject = $5 AND (receipt.issuer = $6 OR (receipt.issuer IS NULL AND $6 IS NULL)) AND receipt.end_user_id IS NOT NULL ORDER BY receipt.granted_at DESC, receipt.id DESC LIMIT 1)"
        ))
        .bind(organization)
        .bind(account.uuid())
        .bind(bound)
        .bind(subject.provider.as_str())
        .bind(&subject.subject)
        .bind(&subject.issuer)
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(EndUser::try_from).transpose()
    }

    /// One page of the end users of an account.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn end_users(&mut self, account: AccountId, query: &ListQuery) -> Result<Listed<EndUser>> {
        let of_account = move |sql: &mut QueryBuilder| {
            sql.push("account_id = ").push_bind(account.uuid());
        };
        list::page::<EndUserRow, _>(self, &NOUN, query, true, &[&of_account]).await
    }

    /// What an erasure of a person would take.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn erasure(&mut self, person: &EndUser) -> Result<Erasure> {
        let (organization, bound) = self.bound()?;
        let (receipts, in_force): (i64, i64) = db::query_as(
            "SELECT count(*), count(*) FILTER (WHERE ended_at IS NULL) FROM consent_receipts WHERE organization_id = $1 AND account_id = $2 AND (account_id = $3 OR $3 IS NULL) AND end_user_id = $4",
        )
        .bind(organization)
        .bind(person.account_id.uuid())
        .bind(bound)
        .bind(person.id.uuid())
        .fetch_one(&mut self.tx)
        .await?;
        Ok(Erasure { receipts: row::count(receipts), in_force: row::count(in_force) })
    }
}

impl WriteTx {
    /// Adds an end user.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::DanglingReference`], and those of the database.
    pub async fn insert_end_user(&mut self, person: &EndUser) -> Result<()> {
        self.check_tenant(person.organization_id.uuid(), Some(person.account_id.uuid()))?;
        db::query(
            "INSERT INTO end_users (id, organization_id, account_id, name, fullname, email, external_id, last_seen_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(person.id.uuid())
        .bind(person.organization_id.uuid())
        .bind(person.account_id.uuid())
        .bind(person.name.as_str())
        .bind(person.fullname.as_str())
        .bind(&person.email)
        .bind(&person.external_id)
        .bind(row::at(person.last_seen_at))
        .bind(At(person.created_at))
        .bind(At(person.updated_at))
        .execute(&mut self.tx)
        .await
        .map_err(|error| StoreError::from(error).naming(person.name.as_str(), person.external_id.as_deref()))?;
        self.changed(ChangeKind::EndUser, person.id, Some(person.account_id))
    }

    /// Writes an end user anew.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::NotFound`], and those of the database.
    pub async fn update_end_user(&mut self, person: &EndUser) -> Result<()> {
        self.check_tenant(person.organization_id.uuid(), Some(person.account_id.uuid()))?;
        let done = db::query("UPDATE end_users SET name = $4, fullname = $5, email = $6, external_id = $7, last_seen_at = $8, updated_at = $9 WHERE id = $1 AND organization_id = $2 AND account_id = $3 AND deleted_at IS NULL")
            .bind(person.id.uuid())
            .bind(person.organization_id.uuid())
            .bind(person.account_id.uuid())
            .bind(person.name.as_str())
            .bind(person.fullname.as_str())
            .bind(&person.email)
            .bind(&person.external_id)
            .bind(row::at(person.last_seen_at))
            .bind(At(person.updated_at))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(person.name.as_str(), person.external_id.as_deref()))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found(EndUserId::NOUN, person.id));
        }
        self.changed(ChangeKind::EndUser, person.id, Some(person.account_id))
    }

    /// Erases a person for good: the row, and person, issuer and subject of all receipts; consents say no more who agreed.
    /// Gives what was taken. The audit log is the caller's to redact.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn erase_end_user(&mut self, person: &EndUser, now: Timestamp) -> Result<Erasure> {
        self.check_tenant(person.organization_id.uuid(), Some(person.account_id.uuid()))?;
        let erasure = self.erasure(person).await?;
        let (organization, account, id) = (person.organization_id.uuid(), person.account_id.uuid(), person.id.uuid());
        // What the end of a consent told the screen holds the person's name.
        db::query("UPDATE connect_sessions SET end_user_id = NULL, message = CASE WHEN state = 'completed' THEN $4 ELSE message END WHERE organization_id = $1 AND account_id = $2 AND (end_user_id = $3 OR id IN (SELECT connect_session_id FROM consent_receipts WHERE organization_id = $1 AND account_id = $2 AND end_user_id = $3))")
            .bind(organization)
            .bind(account)
            .bind(id)
            .bind("Authorized by a person who was erased since.")
            .execute(&mut self.tx)
            .await?;
        db::query(
            "UPDATE consent_receipts SET end_user_id = NULL, issuer = NULL, subject = NULL, erased_at = $4 WHERE organization_id = $1 AND account_id = $2 AND end_user_id = $3",
        )
        .bind(organization)
        .bind(account)
        .bind(id)
        .bind(At(now))
        .execute(&mut self.tx)
        .await?;
        // A link that was made for the person serves nobody else.
        db::query("DELETE FROM public_links WHERE organization_id = $1 AND account_id = $2 AND end_user_id = $3")
            .bind(organization)
            .bind(account)
            .bind(id)
            .execute(&mut self.tx)
            .await?;
        let done = db::query("DELETE FROM end_users WHERE organization_id = $1 AND account_id = $2 AND id = $3 AND deleted_at IS NULL")
            .bind(organization)
            .bind(account)
            .bind(id)
            .execute(&mut self.tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found(EndUserId::NOUN, person.id));
        }
        self.changed(ChangeKind::EndUser, person.id, Some(person.account_id))?;
        Ok(erasure)
    }
}

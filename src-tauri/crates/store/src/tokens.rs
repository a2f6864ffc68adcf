//! Token containers and their secrets, which are rows of their own and hold keyed hashes alone.

use patchbay_model::change::ChangeKind;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::member::Member;
use patchbay_model::permission::{IdOrAll, ResourceScope};
use patchbay_model::token::{Authority, SecretKind, Slot, TokenContainer, TokenOwner, TokenSecret};
use patchbay_model::{AccountId, Fullname, IntegrationId, MemberId, Name, OrganizationId, Timestamp, TokenId};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db::{self, QueryBuilder};
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::list::{self, Category, Field, Kind, Noun};
use crate::members::{ActingRow, acting_columns};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

macro_rules! columns {
    ($table:literal) => {
        concat!(
            $table,
            "id, ",
            $table,
            "organization_id, ",
            $table,
            "owner_type, ",
            $table,
            "account_id, ",
            $table,
            "integration_id, ",
            $table,
            "member_id, ",
            $table,
            "name, ",
            $table,
            "fullname, ",
            $table,
            "token_type, ",
            $table,
            "authority, ",
            $table,
            "access_ttl_seconds, ",
            $table,
            "refresh_ttl_seconds, ",
            $table,
            "expires, ",
            $table,
            "created_at, ",
            $table,
            "updated_at"
        )
    };
}

pub(crate) const NOUN: Noun = Noun {
    table: "token_containers",
    columns: columns!(""),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("name", "name", Kind::Name),
        Field::new("fullname", "fullname", Kind::Text),
        Field::new("owner_id", "owner_id", Kind::Id),
        Field::new("owner_type", "owner_type", Kind::Text),
        Field::new("member_id", "member_id", Kind::Id),
        Field::nullable("account_id", "account_id", Kind::Id),
        Field::nullable("integration_id", "integration_id", Kind::Id),
        Field::new("token_type", "token_type", Kind::Text),
        Field::new("expires", "expires", Kind::Time),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("updated_at", "updated_at", Kind::Time),
    ],
    default_order: "name",
    account: Some("account_id"),
    category: Category::OfIntegration("token_containers.integration_id"),
    tombstones: true,
};

const TABLE: &str = "token_containers";

#[derive(FromRow)]
struct TokenRow {
    id: Uuid,
    organization_id: Uuid,
    owner_type: String,
    account_id: Option<Uuid>,
    integration_id: Option<Uuid>,
    member_id: Uuid,
    name: String,
    fullname: String,
    token_type: String,
    authority: Json<Authority>,
    access_ttl_seconds: i64,
    refresh_ttl_seconds: Option<i64>,
    expires: At,
    created_at: At,
    updated_at: At,
}

impl TryFrom<TokenRow> for TokenContainer {
    type Error = StoreError;

    fn try_from(row: TokenRow) -> Result<Self> {
        let organization_id = OrganizationId::from_uuid(row.organization_id);
        let owner = match (row.owner_type.as_str(), row.account_id, row.integration_id) {
            ("organization", _, _) => TokenOwner::Organization(organization_id),
            ("integration", Some(account), Some(integration)) => TokenOwner::Integration(AccountId::from_uuid(account), IntegrationId::from_uuid(integration)),
            (other, ..) => return Err(row::bad(TABLE, "owner_type", format!("`{other}` without its owner"))),
        };
        Ok(Self {
            id: TokenId::from_uuid(row.id),
            organization_id,
            owner,
            member_id: MemberId::from_uuid(row.member_id),
            name: Name::from_stored(row.name),
            fullname: Fullname::from_stored(row.fullname),
            token_type: row::word(TABLE, "token_type", &row.token_type)?,
            authority: row.authority.0,
            access_ttl: row::duration(row.access_ttl_seconds),
            refresh_ttl: row.refresh_ttl_seconds.map(row::duration),
            expires: row.expires.0,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

/// A secret's kind as stored. Web sessions and one-time links have tables of their own.
fn kind_word(kind: SecretKind) -> Result<&'static str> {
    match kind {
        SecretKind::OrganizationAccess => Ok("organization_access"),
        SecretKind::IntegrationAccess => Ok("integration_access"),
        SecretKind::Refresh => Ok("refresh"),
        SecretKind::WebSession | SecretKind::SetupLink | SecretKind::ConnectLink | SecretKind::ReceiptLink | SecretKind::CalendarLink => {
            Err(row::bad("token_secrets", "kind", "a handle is no token"))
        }
    }
}

fn kind_of(word: &str) -> Result<SecretKind> {
    match word {
        "organization_access" => Ok(SecretKind::OrganizationAccess),
        "integration_access" => Ok(SecretKind::IntegrationAccess),
        "refresh" => Ok(SecretKind::Refresh),
        other => Err(row::bad("token_secrets", "kind", format!("`{other}` is no kind"))),
    }
}

const fn slot_word(slot: Slot) -> &'static str {
    match slot {
        Slot::Primary => "primary",
        Slot::Secondary => "secondary",
    }
}

fn secret(kind: &str, slot: &str, expires: At) -> Result<TokenSecret> {
    Ok(TokenSecret { kind: kind_of(kind)?, slot: row::word("token_secrets", "slot", slot)?, expires: expires.0 })
}

#[derive(FromRow)]
struct FoundRow {
    #[sqlx(flatten)]
    container: TokenRow,
    secret_kind: String,
    secret_slot: String,
    secret_expires: At,
    #[sqlx(flatten)]
    member: ActingRow,
}

/// What a token's hash leads to.
#[derive(Clone, PartialEq, Debug)]
pub struct FoundToken {
    /// The container, with its organization and owner.
    pub container: TokenContainer,
    /// The secret that was shown. Whether it has expired is for the caller to say: the store has no clock.
    pub secret: TokenSecret,
    /// The member for whom it acts; none when that was deleted.
    pub member: Option<Member>,
}

impl ReadTx {
    /// The container, secret and member behind a keyed hash, in one query; none when the container was deleted. In every scope:
    /// this is how a caller's scope is found. Constant-time comparison is not needed, because what is compared is a keyed hash.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn token_by_hash(&mut self, hash: &[u8]) -> Result<Option<FoundToken>> {
        let row: Option<FoundRow> = db::query_as(concat!(
            "SELECT ",
            columns!("container."),
            ", secret.kind AS secret_kind, secret.slot AS secret_slot, secret.expires AS secret_expires, ",
            acting_columns!(),
            " FROM token_secrets AS secret JOIN token_containers AS container ON container.id = secret.container_id",
            " LEFT JOIN members AS acting ON acting.id = container.member_id AND acting.organization_id = container.organization_id AND acting.deleted_at IS NULL",
            " WHERE secret.hash = $1 AND container.deleted_at IS NULL"
        ))
        .bind(hash)
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(|row| {
            Ok(FoundToken { secret: secret(&row.secret_kind, &row.secret_slot, row.secret_expires)?, container: row.container.try_into()?, member: row.member.member()? })
        })
        .transpose()
    }

    /// The container with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn token(&mut self, id: TokenId) -> Result<Option<TokenContainer>> {
        let (organization, account) = self.bound()?;
        let row: Option<TokenRow> = db::query_as(concat!(
            "SELECT ",
            columns!(""),
            " FROM token_containers WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL"
        ))
        .bind(id.uuid())
        .bind(organization)
        .bind(account)
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(TokenContainer::try_from).transpose()
    }

    /// The container with this id or name; an id wins. Names are unique per owner, so a name that several owners use gives
    /// the organization's own container, or else none.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_token(&mut self, reference: &str) -> Result<Option<TokenContainer>> {
        if let Ok(id) = reference.parse::<TokenId>()
            && let Some(token) = self.token(id).await?
        {
            return Ok(Some(token));
        }
        let (organization, account) = self.bound()?;
        let rows: Vec<TokenRow> = db::query_as(concat!(
            "SELECT ",
            columns!(""),
            " FROM token_containers WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND name = $3 AND deleted_at IS NULL ORDER BY CASE WHEN owner_type = 'organization' THEN 0 ELSE 1 END, id LIMIT 2"
        ))
        .bind(organization)
        .bind(account)
        .bind(reference.to_lowercase())
        .fetch_all(&mut self.tx)
        .await?;
        let ambiguous = rows.len() > 1 && rows.first().is_some_and(|row| row.owner_type != "organization");
        if ambiguous { Ok(None) } else { rows.into_iter().next().map(TokenContainer::try_from).transpose() }
    }

    /// One page of containers, of one owner or of all in the scope.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn tokens(&mut self, owner: Option<TokenOwner>, query: &ListQuery) -> Result<Listed<TokenContainer>> {
        let of_owner = move |sql: &mut QueryBuilder| {
            if let Some(owner) = owner {
                sql.push("owner_id = ").push_bind(owner_columns(owner).1);
            }
        };
        let conditions: &[list::Condition<'_>] = if owner.is_some() { &[&of_owner] } else { &[] };
        list::page_also::<TokenRow, _>(self, &NOUN, query, true, Some(push_within), conditions).await
    }

    /// The hashes of a container's secrets, for a container that goes over to another organization of the same store.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within an account, and those of the database.
    pub async fn token_hashes(&mut self, id: TokenId) -> Result<Vec<(Vec<u8>, TokenSecret)>> {
        let organization = self.whole_organization("hashes of tokens")?;
        let rows: Vec<(Vec<u8>, String, String, At)> =
            db::query_as("SELECT hash, kind, slot, expires FROM token_secrets WHERE container_id = $1 AND organization_id = $2 ORDER BY hash")
                .bind(id.uuid())
                .bind(organization)
                .fetch_all(&mut self.tx)
                .await?;
        rows.into_iter().map(|(hash, kind, slot, expires)| Ok((hash, secret(&kind, &slot, expires)?))).collect()
    }

    /// The live secrets of a container, without the secrets.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn token_secrets(&mut self, id: TokenId) -> Result<Vec<TokenSecret>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<(String, String, At)> = db::query_as(
            "SELECT secret.kind, secret.slot, secret.expires FROM token_secrets AS secret JOIN token_containers AS container ON container.id = secret.container_id WHERE secret.container_id = $1 AND container.organization_id = $2 AND (container.account_id = $3 OR $3 IS NULL) AND container.deleted_at IS NULL ORDER BY secret.slot, secret.kind",
        )
        .bind(id.uuid())
        .bind(organization)
        .bind(account)
        .fetch_all(&mut self.tx)
        .await?;
        rows.iter().map(|(kind, slot, expires)| secret(kind, slot, *expires)).collect()
    }
}

/// A container of the organization whose fixed authority lies within a scope, part by part: what the scope narrows must be
/// narrowed at least as much. This is the rule by which the engine lets a narrowed caller read a single one.
fn push_within(sql: &mut QueryBuilder, scope: &ResourceScope) {
    let of_its_own = sql.dialect().json_is_object("authority", "$.adhoc");
    sql.push("owner_type = 'organization' AND ").push(of_its_own);
    if let Some(accounts) = scope.accounts.as_ref().filter(|accounts| !accounts.is_everything()) {
        if let Some(ids) = accounts.ids.as_ref().filter(|ids| !ids.contains(&IdOrAll::All)) {
            list::push_subset(sql, "authority", "$.adhoc.resources.accounts.ids", &words(ids, AccountId::to_string));
        }
        if let Some(labels) = &accounts.labels {
            list::push_subset(sql, "authority", "$.adhoc.resources.accounts.labels", &labels.iter().map(|label| label.as_str().to_owned()).collect::<Vec<_>>());
        }
        if let Some(environments) = &accounts.environments {
            list::push_subset(sql, "authority", "$.adhoc.resources.accounts.environments", &environments.iter().map(|one| one.as_str().to_owned()).collect::<Vec<_>>());
        }
    }
    if let Some(integrations) = scope.integrations.as_ref().filter(|integrations| !integrations.categories.contains(&IdOrAll::All)) {
        list::push_subset(sql, "authority", "$.adhoc.resources.integrations.categories", &words(&integrations.categories, |category| category.as_str().to_owned()));
    }
}

fn words<T>(ids: &[IdOrAll<T>], word: impl Fn(&T) -> String) -> Vec<String> {
    ids.iter()
        .filter_map(|id| match id {
            IdOrAll::Id(id) => Some(word(id)),
            IdOrAll::All => None,
        })
        .collect()
}

/// `owner_type`, `owner_id`, account and integration of an owner.
fn owner_columns(owner: TokenOwner) -> (&'static str, Uuid, Option<Uuid>, Option<Uuid>) {
    match owner {
        TokenOwner::Organization(organization) => ("organization", organization.uuid(), None, None),
        TokenOwner::Integration(account, integration) => ("integration", integration.uuid(), Some(account.uuid()), Some(integration.uuid())),
    }
}

const fn account_of(owner: TokenOwner) -> Option<AccountId> {
    match owner {
        TokenOwner::Organization(_) => None,
        TokenOwner::Integration(account, _) => Some(account),
    }
}

impl WriteTx {
    /// Adds a container without secrets.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::DanglingReference`], and those of the database.
    pub async fn insert_token(&mut self, container: &TokenContainer) -> Result<()> {
        let (owner_type, owner_id, account, integration) = owner_columns(container.owner);
        self.check_tenant(container.organization_id.uuid(), account)?;
        db::query("INSERT INTO token_containers (id, organization_id, owner_type, owner_id, account_id, integration_id, member_id, name, fullname, token_type, authority, access_ttl_seconds, refresh_ttl_seconds, expires, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)")
            .bind(container.id.uuid())
            .bind(container.organization_id.uuid())
            .bind(owner_type)
            .bind(owner_id)
            .bind(account)
            .bind(integration)
            .bind(container.member_id.uuid())
            .bind(container.name.as_str())
            .bind(container.fullname.as_str())
            .bind(container.token_type.as_str())
            .bind(Json(&container.authority))
            .bind(row::seconds(container.access_ttl))
            .bind(container.refresh_ttl.map(row::seconds))
            .bind(At(container.expires))
            .bind(At(container.created_at))
            .bind(At(container.updated_at))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(container.name.as_str(), None))?;
        self.changed(ChangeKind::Token, container.id, account_of(container.owner))
    }

    /// Writes a container anew; its owner is for life.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::NotFound`], and those of the database.
    pub async fn update_token(&mut self, container: &TokenContainer) -> Result<()> {
        let (_, owner_id, account, _) = owner_columns(container.owner);
        self.check_tenant(container.organization_id.uuid(), account)?;
        let done = db::query("UPDATE token_containers SET name = $4, fullname = $5, authority = $6, access_ttl_seconds = $7, refresh_ttl_seconds = $8, expires = $9, updated_at = $10 WHERE id = $1 AND organization_id = $2 AND owner_id = $3 AND deleted_at IS NULL")
            .bind(container.id.uuid())
            .bind(container.organization_id.uuid())
            .bind(owner_id)
            .bind(container.name.as_str())
            .bind(container.fullname.as_str())
            .bind(Json(&container.authority))
            .bind(row::seconds(container.access_ttl))
            .bind(container.refresh_ttl.map(row::seconds))
            .bind(At(container.expires))
            .bind(At(container.updated_at))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(container.name.as_str(), None))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found(TokenId::NOUN, container.id));
        }
        self.changed(ChangeKind::Token, container.id, account_of(container.owner))
    }

    /// Adds secrets to a container of this scope, each by its keyed hash.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a container that is not there, and those of the database.
    pub async fn insert_token_secrets(&mut self, container: TokenId, secrets: &[(Vec<u8>, TokenSecret)]) -> Result<()> {
        let (organization, account) = self.bound()?;
        let kinds = secrets.iter().map(|(_, secret)| kind_word(secret.kind)).collect::<Result<Vec<_>>>()?;
        let mut sql = QueryBuilder::new(self.dialect(), "WITH made (hash, kind, slot, expires) AS (");
        sql.push_values(secrets.iter().zip(kinds), |mut row, ((hash, secret), kind)| {
            row.push_bind(hash).push_bind(kind).push_bind(slot_word(secret.slot)).push_bind(At(secret.expires));
        });
        sql.push(") INSERT INTO token_secrets (hash, organization_id, container_id, kind, slot, expires) SELECT made.hash, container.organization_id, container.id, made.kind, made.slot, made.expires FROM made, token_containers AS container WHERE container.id = ");
        sql.push_bind(container.uuid()).push(" AND container.organization_id = ").push_bind(organization);
        sql.push(" AND (container.account_id = ").push_bind(account).push(" OR ").push_bind(account).push(" IS NULL) AND container.deleted_at IS NULL");
        let done = sql.build().execute(&mut self.tx).await?;
        if done.rows_affected() == 0 { Err(StoreError::not_found(TokenId::NOUN, container)) } else { Ok(()) }
    }

    /// Makes the primary pair the secondary one; what was secondary dies. The caller adds the new primary.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn demote_token_secrets(&mut self, container: TokenId) -> Result<()> {
        self.remove_token_secrets(container, Some(Slot::Secondary)).await?;
        let (organization, account) = self.bound()?;
        db::query("UPDATE token_secrets SET slot = 'secondary' WHERE container_id = $1 AND organization_id = $2 AND slot = 'primary' AND EXISTS (SELECT 1 FROM token_containers AS container WHERE container.id = $1 AND (container.account_id = $3 OR $3 IS NULL))")
            .bind(container.uuid())
            .bind(organization)
            .bind(account)
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Removes the secrets of one slot or of both: they are dead with the commit.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_token_secrets(&mut self, container: TokenId, slot: Option<Slot>) -> Result<u64> {
        let (organization, account) = self.bound()?;
        let done = db::query("DELETE FROM token_secrets WHERE container_id = $1 AND organization_id = $2 AND (slot = $3 OR $3 IS NULL) AND EXISTS (SELECT 1 FROM token_containers AS container WHERE container.id = $1 AND (container.account_id = $4 OR $4 IS NULL))")
            .bind(container.uuid())
            .bind(organization)
            .bind(slot.map(slot_word))
            .bind(account)
            .execute(&mut self.tx)
            .await?;
        self.changed(ChangeKind::Token, container, None)?;
        Ok(done.rows_affected())
    }

    /// Removes secrets that ended before `before`, and containers of logons and single tokens that have none left. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn remove_expired_tokens(&mut self, before: Timestamp) -> Result<u64> {
        self.system("expired tokens of all organizations")?;
        let secrets = db::query("DELETE FROM token_secrets WHERE expires < $1").bind(At(before)).execute(&mut self.tx).await?;
        let containers = db::query(
            "DELETE FROM token_containers WHERE expires < $1 AND token_type <> 'default' AND NOT EXISTS (SELECT 1 FROM token_secrets AS secret WHERE secret.container_id = token_containers.id)",
        )
        .bind(At(before))
        .execute(&mut self.tx)
        .await?;
        Ok(secrets.rows_affected() + containers.rows_affected())
    }
}

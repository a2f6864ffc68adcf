//! Public links: who holds one gets at one thing without a sign-in. Only the keyed hash of what stands in the address is kept.

use patchbay_model::change::ChangeKind;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::public_link::{LinkSettings, PublicLink, PublicLinkPurpose};
use patchbay_model::{AccountId, ConnectSessionId, EndUserId, IntegrationId, IntegrationPointId, MemberId, OrganizationId, PublicLinkId, ReceiptId, Timestamp};
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
        "id, organization_id, account_id, integration_id, integration_point_id, end_user_id, receipt_id, member_id, purpose, settings, expires, uses_left, last_used_at, revoked_at, created_at"
    };
}

const TABLE: &str = "public_links";

pub(crate) const NOUN: Noun = Noun {
    table: TABLE,
    columns: columns!(),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::nullable("account_id", "account_id", Kind::Id),
        Field::nullable("integration_id", "integration_id", Kind::Id),
        Field::nullable("integration_point_id", "integration_point_id", Kind::Id),
        Field::nullable("end_user_id", "end_user_id", Kind::Id),
        Field::new("member_id", "member_id", Kind::Id),
        Field::new("expires", "expires", Kind::Time),
        Field::nullable("last_used_at", "last_used_at", Kind::Time),
        Field::nullable("revoked_at", "revoked_at", Kind::Time),
        Field::new("created_at", "created_at", Kind::Time),
    ],
    default_order: "created_at",
    account: Some("account_id"),
    category: Category::OfIntegration("public_links.integration_id"),
    tombstones: false,
};

#[derive(FromRow)]
struct LinkRow {
    id: Uuid,
    organization_id: Uuid,
    account_id: Option<Uuid>,
    integration_id: Option<Uuid>,
    integration_point_id: Option<Uuid>,
    end_user_id: Option<Uuid>,
    receipt_id: Option<Uuid>,
    member_id: Uuid,
    purpose: String,
    settings: Json<LinkSettings>,
    expires: At,
    uses_left: Option<i64>,
    last_used_at: Option<At>,
    revoked_at: Option<At>,
    created_at: At,
}

impl TryFrom<LinkRow> for PublicLink {
    type Error = StoreError;

    fn try_from(row: LinkRow) -> Result<Self> {
        Ok(Self {
            id: PublicLinkId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            account_id: row.account_id.map(AccountId::from_uuid),
            integration_id: row.integration_id.map(IntegrationId::from_uuid),
            integration_point_id: row.integration_point_id.map(IntegrationPointId::from_uuid),
            end_user_id: row.end_user_id.map(EndUserId::from_uuid),
            receipt_id: row.receipt_id.map(ReceiptId::from_uuid),
            member_id: MemberId::from_uuid(row.member_id),
            purpose: row::word(TABLE, "purpose", &row.purpose)?,
            settings: row.settings.0,
            expires: row.expires.0,
            uses_left: row.uses_left.map(|left| u32::try_from(left).unwrap_or_default()),
            last_used_at: row.last_used_at.map(|at| at.0),
            revoked_at: row.revoked_at.map(|at| at.0),
            created_at: row.created_at.0,
        })
    }
}

impl ReadTx {
    /// The link with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn public_link(&mut self, id: PublicLinkId) -> Result<Option<PublicLink>> {
        let (organization, account) = self.bound()?;
        let row: Option<LinkRow> = db::query_as(concat!("SELECT ", columns!(), " FROM public_links WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL)"))
            .bind(id.uuid())
            .bind(organization)
            .bind(account)
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(PublicLink::try_from).transpose()
    }

    /// The link behind what stands in an address, by keyed hash. In every scope, since the address is all that a browser
    /// brings, and this is how its tenant is found. Whether it still works is for the caller to say.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn public_link_by_hash(&mut self, hash: &[u8]) -> Result<Option<PublicLink>> {
        let row: Option<LinkRow> = db::query_as(concat!("SELECT ", columns!(), " FROM public_links WHERE hash = $1")).bind(hash).fetch_optional(&mut self.tx).await?;
        row.map(PublicLink::try_from).transpose()
    }

    /// The link by which a consent was begun, if it was by one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn link_of_connect_session(&mut self, session: ConnectSessionId) -> Result<Option<PublicLink>> {
        let (organization, account) = self.bound()?;
        let row: Option<LinkRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM public_links WHERE id = (SELECT link_id FROM connect_sessions WHERE id = $1 AND organization_id = $2) AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL)"
        ))
        .bind(session.uuid())
        .bind(organization)
        .bind(account)
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(PublicLink::try_from).transpose()
    }

    /// The links of a member for a purpose that nobody has taken back.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn public_links_of(&mut self, member: MemberId, purpose: PublicLinkPurpose) -> Result<Vec<PublicLink>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<LinkRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM public_links WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND member_id = $3 AND purpose = $4 AND revoked_at IS NULL ORDER BY created_at, id"
        ))
        .bind(organization)
        .bind(account)
        .bind(member.uuid())
        .bind(purpose.as_str())
        .fetch_all(&mut self.tx)
        .await?;
        rows.into_iter().map(PublicLink::try_from).collect()
    }

    /// One page of the links for a purpose.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn public_links(&mut self, purpose: PublicLinkPurpose, query: &ListQuery) -> Result<Listed<PublicLink>> {
        let of_purpose = move |sql: &mut QueryBuilder| {
            sql.push("purpose = ").push_bind(purpose.as_str());
        };
        list::page::<LinkRow, _>(self, &NOUN, query, true, &[&of_purpose]).await
    }
}

impl WriteTx {
    /// Adds a link, with the keyed hash of what stands in its address.
    ///
    /// # Errors
    /// [`StoreError::DanglingReference`], and those of the database.
    pub async fn insert_public_link(&mut self, link: &PublicLink, hash: &[u8]) -> Result<()> {
        self.check_tenant(link.organization_id.uuid(), link.account_id.map(AccountId::uuid))?;
        db::query("INSERT INTO public_links (id, organization_id, account_id, integration_id, integration_point_id, end_user_id, receipt_id, member_id, purpose, hash, settings, expires, uses_left, last_used_at, revoked_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)")
            .bind(link.id.uuid())
            .bind(link.organization_id.uuid())
            .bind(link.account_id.map(AccountId::uuid))
            .bind(link.integration_id.map(IntegrationId::uuid))
            .bind(link.integration_point_id.map(IntegrationPointId::uuid))
            .bind(link.end_user_id.map(EndUserId::uuid))
            .bind(link.receipt_id.map(ReceiptId::uuid))
            .bind(link.member_id.uuid())
            .bind(link.purpose.as_str())
            .bind(hash)
            .bind(Json(&link.settings))
            .bind(At(link.expires))
            .bind(link.uses_left.map(i64::from))
            .bind(row::at(link.last_used_at))
            .bind(row::at(link.revoked_at))
            .bind(At(link.created_at))
            .execute(&mut self.tx)
            .await?;
        self.changed(ChangeKind::ConnectLink, link.id, link.account_id)
    }

    /// Takes a link back, once; says whether it did.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn revoke_public_link(&mut self, id: PublicLinkId, now: Timestamp) -> Result<bool> {
        let (organization, account) = self.bound()?;
        let row: Option<(Option<Uuid>,)> = db::query_as(
            "UPDATE public_links SET revoked_at = $4 WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND revoked_at IS NULL RETURNING account_id",
        )
        .bind(id.uuid())
        .bind(organization)
        .bind(account)
        .bind(At(now))
        .fetch_optional(&mut self.tx)
        .await?;
        if let Some((account,)) = row {
            self.changed(ChangeKind::ConnectLink, id, account.map(AccountId::from_uuid))?;
        }
        Ok(row.is_some())
    }

    /// Counts a use of a link. It never counts below none: of two persons who held a link for one use, the second one's
    /// connection works too.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn use_public_link(&mut self, id: PublicLinkId, now: Timestamp) -> Result<()> {
        let (organization, account) = self.bound()?;
        let row: Option<(Option<Uuid>,)> = db::query_as(
            "UPDATE public_links SET uses_left = CASE WHEN uses_left > 0 THEN uses_left - 1 ELSE uses_left END, last_used_at = $4 WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) RETURNING account_id",
        )
        .bind(id.uuid())
        .bind(organization)
        .bind(account)
        .bind(At(now))
        .fetch_optional(&mut self.tx)
        .await?;
        if let Some((account,)) = row {
            self.changed(ChangeKind::ConnectLink, id, account.map(AccountId::from_uuid))?;
        }
        Ok(())
    }

    /// Notes by which link a consent was begun.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn begin_by_link(&mut self, session: ConnectSessionId, link: PublicLinkId) -> Result<()> {
        let (organization, account) = self.bound()?;
        db::query("UPDATE connect_sessions SET link_id = $4 WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL)")
            .bind(session.uuid())
            .bind(organization)
            .bind(account)
            .bind(link.uuid())
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Writes what else is known of a link.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn set_link_settings(&mut self, id: PublicLinkId, settings: &LinkSettings) -> Result<()> {
        let (organization, account) = self.bound()?;
        let done = db::query("UPDATE public_links SET settings = $4 WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL)")
            .bind(id.uuid())
            .bind(organization)
            .bind(account)
            .bind(Json(settings))
            .execute(&mut self.tx)
            .await?;
        if done.rows_affected() == 0 { Err(StoreError::not_found(PublicLinkId::NOUN, id)) } else { Ok(()) }
    }

    /// Removes links that ended before `before`, by their time or because somebody took them back. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn remove_ended_public_links(&mut self, before: Timestamp) -> Result<u64> {
        self.system("the links of all organizations")?;
        let done = db::query("DELETE FROM public_links WHERE expires < $1 OR revoked_at < $1").bind(At(before)).execute(&mut self.tx).await?;
        Ok(done.rows_affected())
    }
}

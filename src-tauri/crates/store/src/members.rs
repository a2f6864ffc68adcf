//! Members: the organization's, closed to an account's scope.

use patchbay_model::change::ChangeKind;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::member::Member;
use patchbay_model::permission::RoleName;
use patchbay_model::{Fullname, MemberId, Name, OrganizationId, Timestamp};
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
        "id, organization_id, name, fullname, nickname, picture, member_type, state, role_binding, ttl_seconds, token_ttl_seconds, expires, pin_expires, failed_logons, locked_until, (password_hash IS NOT NULL) AS has_password, last_logon, created_at, updated_at"
    };
}

/// A member's columns beside those of a token, of which several have the same names.
macro_rules! acting_columns {
    () => {
        "acting.id AS acting_id, acting.organization_id AS acting_organization_id, acting.name AS acting_name, acting.fullname AS acting_fullname, acting.nickname AS acting_nickname, acting.picture AS acting_picture, acting.member_type AS acting_member_type, acting.state AS acting_state, acting.role_binding AS acting_role_binding, acting.ttl_seconds AS acting_ttl_seconds, acting.token_ttl_seconds AS acting_token_ttl_seconds, acting.expires AS acting_expires, acting.pin_expires AS acting_pin_expires, acting.failed_logons AS acting_failed_logons, acting.locked_until AS acting_locked_until, (acting.password_hash IS NOT NULL) AS acting_has_password, acting.last_logon AS acting_last_logon, acting.created_at AS acting_created_at, acting.updated_at AS acting_updated_at"
    };
}
pub(crate) use acting_columns;

pub(crate) const NOUN: Noun = Noun {
    table: "members",
    columns: columns!(),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("name", "name", Kind::Name),
        Field::new("fullname", "fullname", Kind::Text),
        Field::nullable("nickname", "nickname", Kind::Text),
        Field::new("type", "member_type", Kind::Text),
        Field::new("state", "state", Kind::Text),
        Field::new("role_binding", "role_binding", Kind::Texts),
        Field::nullable("expires", "expires", Kind::Time),
        Field::nullable("pin_expires", "pin_expires", Kind::Time),
        Field::nullable("last_logon", "last_logon", Kind::Time),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("updated_at", "updated_at", Kind::Time),
    ],
    default_order: "name",
    account: None,
    category: Category::None,
    tombstones: true,
};

#[derive(FromRow)]
struct MemberRow {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    fullname: String,
    nickname: Option<String>,
    picture: Option<String>,
    member_type: String,
    state: String,
    role_binding: Json<Vec<RoleName>>,
    ttl_seconds: Option<i64>,
    token_ttl_seconds: i64,
    expires: Option<At>,
    pin_expires: Option<At>,
    failed_logons: i64,
    locked_until: Option<At>,
    has_password: bool,
    last_logon: Option<At>,
    created_at: At,
    updated_at: At,
}

/// As [`MemberRow`], by the names of `acting_columns`; all missing where there is no such member.
#[derive(FromRow)]
pub(crate) struct ActingRow {
    acting_id: Option<Uuid>,
    acting_organization_id: Option<Uuid>,
    acting_name: Option<String>,
    acting_fullname: Option<String>,
    acting_nickname: Option<String>,
    acting_picture: Option<String>,
    acting_member_type: Option<String>,
    acting_state: Option<String>,
    acting_role_binding: Option<Json<Vec<RoleName>>>,
    acting_ttl_seconds: Option<i64>,
    acting_token_ttl_seconds: Option<i64>,
    acting_expires: Option<At>,
    acting_pin_expires: Option<At>,
    acting_failed_logons: Option<i64>,
    acting_locked_until: Option<At>,
    acting_has_password: Option<bool>,
    acting_last_logon: Option<At>,
    acting_created_at: Option<At>,
    acting_updated_at: Option<At>,
}

impl ActingRow {
    pub(crate) fn member(self) -> Result<Option<Member>> {
        let row = || {
            Some(MemberRow {
                id: self.acting_id?,
                organization_id: self.acting_organization_id?,
                name: self.acting_name?,
                fullname: self.acting_fullname?,
                nickname: self.acting_nickname,
                picture: self.acting_picture,
                member_type: self.acting_member_type?,
                state: self.acting_state?,
                role_binding: self.acting_role_binding?,
                ttl_seconds: self.acting_ttl_seconds,
                token_ttl_seconds: self.acting_token_ttl_seconds?,
                expires: self.acting_expires,
                pin_expires: self.acting_pin_expires,
                failed_logons: self.acting_failed_logons?,
                locked_until: self.acting_locked_until,
                has_password: self.acting_has_password?,
                last_logon: self.acting_last_logon,
                created_at: self.acting_created_at?,
                updated_at: self.acting_updated_at?,
            })
        };
        row().map(Member::try_from).transpose()
    }
}

impl TryFrom<MemberRow> for Member {
    type Error = StoreError;

    fn try_from(row: MemberRow) -> Result<Self> {
        Ok(Self {
            id: MemberId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            name: Name::from_stored(row.name),
            fullname: Fullname::from_stored(row.fullname),
            nickname: row.nickname,
            picture: row.picture,
            member_type: row::word("members", "member_type", &row.member_type)?,
            state: row::word("members", "state", &row.state)?,
            role_binding: row.role_binding.0,
            ttl: row.ttl_seconds.map(row::duration),
            token_ttl: row::duration(row.token_ttl_seconds),
            expires: row.expires.map(|at| at.0),
            pin_expires: row.pin_expires.map(|at| at.0),
            failed_logons: u32::try_from(row.failed_logons).unwrap_or(u32::MAX),
            locked_until: row.locked_until.map(|at| at.0),
            has_password: row.has_password,
            last_logon: row.last_logon.map(|at| at.0),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

impl ReadTx {
    /// The member with this id.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] in an account's scope, and those of the database.
    pub async fn member(&mut self, id: MemberId) -> Result<Option<Member>> {
        let organization = self.whole_organization("a member")?;
        let row: Option<MemberRow> = db::query_as(concat!("SELECT ", columns!(), " FROM members WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL"))
            .bind(id.uuid())
            .bind(organization)
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(Member::try_from).transpose()
    }

    /// The member with this id or name; an id wins.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] in an account's scope, and those of the database.
    pub async fn find_member(&mut self, reference: &str) -> Result<Option<Member>> {
        if let Ok(id) = reference.parse::<MemberId>()
            && let Some(member) = self.member(id).await?
        {
            return Ok(Some(member));
        }
        let organization = self.whole_organization("a member")?;
        let row: Option<MemberRow> = db::query_as(concat!("SELECT ", columns!(), " FROM members WHERE organization_id = $1 AND name = $2 AND deleted_at IS NULL"))
            .bind(organization)
            .bind(reference.to_lowercase())
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(Member::try_from).transpose()
    }

    /// One page of members.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn members(&mut self, query: &ListQuery) -> Result<Listed<Member>> {
        self.whole_organization("the members")?;
        list::page::<MemberRow, _>(self, &NOUN, query, false, &[]).await
    }

    /// The password's hash (a PHC string), if the member has a password.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn member_password_hash(&mut self, id: MemberId) -> Result<Option<String>> {
        let organization = self.whole_organization("a member")?;
        let row: Option<(Option<String>,)> = db::query_as("SELECT password_hash FROM members WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL")
            .bind(id.uuid())
            .bind(organization)
            .fetch_optional(&mut self.tx)
            .await?;
        Ok(row.and_then(|(hash,)| hash))
    }

    /// How many members that may sign in have this role: the last root administrator cannot go.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_members_with_role(&mut self, role: &RoleName) -> Result<u64> {
        let organization = self.whole_organization("the members")?;
        let sql = format!(
            "SELECT count(*) FROM members WHERE organization_id = $1 AND deleted_at IS NULL AND state <> 'disabled' AND EXISTS (SELECT 1 FROM {} WHERE each.value = $2)",
            self.dialect().json_elements("members.role_binding")
        );
        let (number,): (i64,) = db::query_as(sqlx::AssertSqlSafe(sql)).bind(organization).bind(role.as_str()).fetch_one(&mut self.tx).await?;
        Ok(row::count(number))
    }
}

impl WriteTx {
    /// Adds a member, without a password.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], and those of the database.
    pub async fn insert_member(&mut self, member: &Member) -> Result<()> {
        self.whole_organization("a new member")?;
        self.check_tenant(member.organization_id.uuid(), None)?;
        db::query("INSERT INTO members (id, organization_id, name, fullname, nickname, picture, member_type, state, role_binding, ttl_seconds, token_ttl_seconds, expires, pin_expires, failed_logons, last_logon, created_at, updated_at, locked_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)")
            .bind(member.id.uuid())
            .bind(member.organization_id.uuid())
            .bind(member.name.as_str())
            .bind(member.fullname.as_str())
            .bind(&member.nickname)
            .bind(&member.picture)
            .bind(row::as_word(&member.member_type))
            .bind(row::as_word(&member.state))
            .bind(Json(&member.role_binding))
            .bind(member.ttl.map(row::seconds))
            .bind(row::seconds(member.token_ttl))
            .bind(row::at(member.expires))
            .bind(row::at(member.pin_expires))
            .bind(i64::from(member.failed_logons))
            .bind(row::at(member.last_logon))
            .bind(At(member.created_at))
            .bind(At(member.updated_at))
            .bind(row::at(member.locked_until))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(member.name.as_str(), None))?;
        self.changed(ChangeKind::Member, member.id, None)
    }

    /// Writes a member anew; the password stays.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::NotFound`], and those of the database.
    pub async fn update_member(&mut self, member: &Member) -> Result<()> {
        self.whole_organization("a member")?;
        self.check_tenant(member.organization_id.uuid(), None)?;
        let done = db::query("UPDATE members SET name = $3, fullname = $4, nickname = $5, picture = $6, member_type = $7, state = $8, role_binding = $9, ttl_seconds = $10, token_ttl_seconds = $11, expires = $12, pin_expires = $13, failed_logons = $14, last_logon = $15, updated_at = $16, locked_until = $17 WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL")
            .bind(member.id.uuid())
            .bind(member.organization_id.uuid())
            .bind(member.name.as_str())
            .bind(member.fullname.as_str())
            .bind(&member.nickname)
            .bind(&member.picture)
            .bind(row::as_word(&member.member_type))
            .bind(row::as_word(&member.state))
            .bind(Json(&member.role_binding))
            .bind(member.ttl.map(row::seconds))
            .bind(row::seconds(member.token_ttl))
            .bind(row::at(member.expires))
            .bind(row::at(member.pin_expires))
            .bind(i64::from(member.failed_logons))
            .bind(row::at(member.last_logon))
            .bind(At(member.updated_at))
            .bind(row::at(member.locked_until))
            .execute(&mut self.tx)
            .await
            .map_err(|error| StoreError::from(error).naming(member.name.as_str(), None))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found(MemberId::NOUN, member.id));
        }
        self.changed(ChangeKind::Member, member.id, None)
    }

    /// Sets or removes a member's password, as a PHC string.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn set_member_password_hash(&mut self, id: MemberId, hash: Option<&str>, now: Timestamp) -> Result<()> {
        let organization = self.whole_organization("a member")?;
        let done = db::query("UPDATE members SET password_hash = $3, updated_at = $4 WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL")
            .bind(id.uuid())
            .bind(organization)
            .bind(hash)
            .bind(At(now))
            .execute(&mut self.tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found(MemberId::NOUN, id));
        }
        self.changed(ChangeKind::Member, id, None)
    }

    /// Counts one more failed logon, in one statement so that parallel guesses all count; with the `most`-th in a row the
    /// member is locked until `until` and the count begins anew. Says whether it was locked now. The object's own
    /// `updated_at` stays: strangers must not be able to make others' changes fail.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn count_failed_logon(&mut self, id: MemberId, most: u32, until: Timestamp) -> Result<bool> {
        let organization = self.whole_organization("a member")?;
        let row: Option<(i64,)> = db::query_as("UPDATE members SET locked_until = CASE WHEN failed_logons + 1 >= $3 THEN $4 ELSE locked_until END, state = CASE WHEN failed_logons + 1 >= $3 AND state = 'enabled' THEN 'locked' ELSE state END, failed_logons = CASE WHEN failed_logons + 1 >= $3 THEN 0 ELSE failed_logons + 1 END WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL RETURNING failed_logons")
            .bind(id.uuid())
            .bind(organization)
            .bind(i64::from(most))
            .bind(At(until))
            .fetch_optional(&mut self.tx)
            .await?;
        let (number,) = row.ok_or_else(|| StoreError::not_found(MemberId::NOUN, id))?;
        self.changed(ChangeKind::Member, id, None)?;
        Ok(number == 0)
    }

    /// Lets members in again whose lock for wrong passwords is over; their next failure counts as the first. A lock that an
    /// administrator made has no end and stays.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn release_locks(&mut self, now: Timestamp) -> Result<u64> {
        let organization = self.whole_organization("the members")?;
        let rows: Vec<(Uuid,)> = db::query_as("UPDATE members SET state = CASE WHEN state = 'locked' THEN 'enabled' ELSE state END, locked_until = NULL, failed_logons = 0 WHERE organization_id = $1 AND locked_until <= $2 AND deleted_at IS NULL RETURNING id")
            .bind(organization)
            .bind(At(now))
            .fetch_all(&mut self.tx)
            .await?;
        for (id,) in &rows {
            self.changed(ChangeKind::Member, id, None)?;
        }
        Ok(u64::try_from(rows.len()).unwrap_or_default())
    }
}

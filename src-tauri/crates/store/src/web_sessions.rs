//! Signed-in browsers and one-time links.

use patchbay_model::token::Authority;
use patchbay_model::web::{LinkPurpose, OneTimeLink, WebSession};
use patchbay_model::{MemberId, OrganizationId, Timestamp, TokenId, WebSessionId};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::Result;
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

#[derive(FromRow)]
struct WebSessionRow {
    id: Uuid,
    organization_id: Uuid,
    member_id: Uuid,
    token_id: Option<Uuid>,
    authority: Json<Authority>,
    user_agent: String,
    expires: At,
    last_seen_at: At,
    created_at: At,
}

impl From<WebSessionRow> for WebSession {
    fn from(row: WebSessionRow) -> Self {
        Self {
            id: WebSessionId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            member_id: MemberId::from_uuid(row.member_id),
            token_id: row.token_id.map(TokenId::from_uuid),
            authority: row.authority.0,
            user_agent: row.user_agent,
            expires: row.expires.0,
            last_seen_at: row.last_seen_at.0,
            created_at: row.created_at.0,
        }
    }
}

impl ReadTx {
    /// The session behind a cookie's handle, by keyed hash; none when its member or its token container was deleted. In
    /// every scope: this is how a browser's scope is found. Whether it has expired is for the caller to say.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn web_session_by_hash(&mut self, hash: &[u8]) -> Result<Option<WebSession>> {
        let row: Option<WebSessionRow> = db::query_as(
            "SELECT session.id, session.organization_id, session.member_id, session.token_id, session.authority, session.user_agent, session.expires, session.last_seen_at, session.created_at FROM web_sessions AS session WHERE session.hash = $1 AND EXISTS (SELECT 1 FROM members WHERE members.id = session.member_id AND members.organization_id = session.organization_id AND members.deleted_at IS NULL) AND (session.token_id IS NULL OR EXISTS (SELECT 1 FROM token_containers AS container WHERE container.id = session.token_id AND container.deleted_at IS NULL))",
        )
        .bind(hash)
        .fetch_optional(&mut self.tx)
        .await?;
        Ok(row.map(WebSession::from))
    }

    /// A one-time link that can be used now, by keyed hash, without using it. In every scope, since the link is all that a
    /// browser brings.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn one_time_link(&mut self, hash: &[u8], now: Timestamp) -> Result<Option<OneTimeLink>> {
        let row: Option<LinkRow> = db::query_as(
            "SELECT organization_id, member_id, purpose, expires, created_at FROM one_time_links WHERE hash = $1 AND used_at IS NULL AND expires > $2 AND EXISTS (SELECT 1 FROM members WHERE members.id = one_time_links.member_id AND members.organization_id = one_time_links.organization_id AND members.deleted_at IS NULL)",
        )
        .bind(hash)
        .bind(At(now))
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(link).transpose()
    }

    /// How many browsers a member is signed in with.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_web_sessions_of(&mut self, member: MemberId, now: Timestamp) -> Result<u64> {
        let organization = self.whole_organization("web sessions")?;
        let (number,): (i64,) = db::query_as("SELECT count(*) FROM web_sessions WHERE organization_id = $1 AND member_id = $2 AND expires > $3")
            .bind(organization)
            .bind(member.uuid())
            .bind(At(now))
            .fetch_one(&mut self.tx)
            .await?;
        Ok(row::count(number))
    }
}

impl WriteTx {
    /// Adds a session of a browser.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn insert_web_session(&mut self, session: &WebSession, hash: &[u8]) -> Result<()> {
        self.whole_organization("a web session")?;
        self.check_tenant(session.organization_id.uuid(), None)?;
        db::query("INSERT INTO web_sessions (id, hash, organization_id, member_id, token_id, authority, user_agent, expires, last_seen_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
            .bind(session.id.uuid())
            .bind(hash)
            .bind(session.organization_id.uuid())
            .bind(session.member_id.uuid())
            .bind(session.token_id.map(TokenId::uuid))
            .bind(Json(&session.authority))
            .bind(&session.user_agent)
            .bind(At(session.expires))
            .bind(At(session.last_seen_at))
            .bind(At(session.created_at))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Notes that a session was used, and moves its end.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn touch_web_session(&mut self, id: WebSessionId, now: Timestamp, expires: Timestamp) -> Result<()> {
        let organization = self.whole_organization("a web session")?;
        db::query("UPDATE web_sessions SET last_seen_at = $3, expires = $4 WHERE id = $1 AND organization_id = $2")
            .bind(id.uuid())
            .bind(organization)
            .bind(At(now))
            .bind(At(expires))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Ends a session: the browser signed out.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_web_session(&mut self, id: WebSessionId) -> Result<bool> {
        let organization = self.whole_organization("a web session")?;
        let done = db::query("DELETE FROM web_sessions WHERE id = $1 AND organization_id = $2").bind(id.uuid()).bind(organization).execute(&mut self.tx).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends all sessions of a member: its password changed or it was disabled. Those that came from the token container
    /// `except` stay.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_web_sessions_of(&mut self, member: MemberId, except: Option<TokenId>) -> Result<u64> {
        let organization = self.whole_organization("a web session")?;
        let done = db::query("DELETE FROM web_sessions WHERE member_id = $1 AND organization_id = $2 AND ($3 IS NULL OR token_id IS NULL OR token_id <> $3)")
            .bind(member.uuid())
            .bind(organization)
            .bind(except.map(TokenId::uuid))
            .execute(&mut self.tx)
            .await?;
        Ok(done.rows_affected())
    }

    /// Removes sessions and links that ended before `before`. System scope.
    ///
    /// # Errors
    /// [`crate::StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn remove_expired_web_sessions(&mut self, before: Timestamp) -> Result<u64> {
        self.system("expired web sessions of all organizations")?;
        let sessions = db::query("DELETE FROM web_sessions WHERE expires < $1").bind(At(before)).execute(&mut self.tx).await?;
        let links = db::query("DELETE FROM one_time_links WHERE expires < $1").bind(At(before)).execute(&mut self.tx).await?;
        Ok(sessions.rows_affected() + links.rows_affected())
    }

    /// Adds a one-time link; earlier ones that do the same die: a set-up link for a set-up link, an invitation or reset for
    /// every invitation and reset.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn insert_one_time_link(&mut self, link: &OneTimeLink, hash: &[u8]) -> Result<()> {
        self.whole_organization("a one-time link")?;
        self.check_tenant(link.organization_id.uuid(), None)?;
        db::query("DELETE FROM one_time_links WHERE organization_id = $1 AND member_id = $2 AND (purpose = 'setup') = ($3 = 'setup')")
            .bind(link.organization_id.uuid())
            .bind(link.member_id.uuid())
            .bind(link.purpose.as_str())
            .execute(&mut self.tx)
            .await?;
        db::query("INSERT INTO one_time_links (hash, organization_id, member_id, purpose, expires, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(hash)
            .bind(link.organization_id.uuid())
            .bind(link.member_id.uuid())
            .bind(link.purpose.as_str())
            .bind(At(link.expires))
            .bind(At(link.created_at))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Uses a one-time link, once, before its end and while its member is there. In every scope, since the link is all that
    /// a browser brings; the system's scope may write nothing else of a tenant.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn use_one_time_link(&mut self, hash: &[u8], now: Timestamp) -> Result<Option<OneTimeLink>> {
        let row: Option<LinkRow> = db::query_as(
            "UPDATE one_time_links SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires > $2 AND EXISTS (SELECT 1 FROM members WHERE members.id = one_time_links.member_id AND members.organization_id = one_time_links.organization_id AND members.deleted_at IS NULL) RETURNING organization_id, member_id, purpose, expires, created_at",
        )
        .bind(hash)
        .bind(At(now))
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(link).transpose()
    }

    /// Kills the unused invitations and reset links of a member. Gives their number.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_password_links_of(&mut self, member: MemberId) -> Result<u64> {
        let organization = self.whole_organization("one-time links")?;
        let done = db::query("DELETE FROM one_time_links WHERE organization_id = $1 AND member_id = $2 AND purpose <> 'setup' AND used_at IS NULL")
            .bind(organization)
            .bind(member.uuid())
            .execute(&mut self.tx)
            .await?;
        Ok(done.rows_affected())
    }
}

type LinkRow = (Uuid, Uuid, String, At, At);

fn link((organization, member, purpose, expires, created_at): LinkRow) -> Result<OneTimeLink> {
    Ok(OneTimeLink {
        organization_id: OrganizationId::from_uuid(organization),
        member_id: MemberId::from_uuid(member),
        purpose: row::word::<LinkPurpose>("one_time_links", "purpose", &purpose)?,
        expires: expires.0,
        created_at: created_at.0,
    })
}

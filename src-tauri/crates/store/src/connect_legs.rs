//! The legs of consents. One leg of a session is answered, once; every step is one statement that names the state it leaves.

use patchbay_model::consent::{ConnectLeg, ConsentRoute, DeviceLeg, LegState};
use patchbay_model::credential::Envelope;
use patchbay_model::{AccountId, ConnectLegId, ConnectSessionId, OrganizationId, Timestamp};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::row;
use crate::sealed::Secrets;
use crate::transaction::{ReadTx, WriteTx};

macro_rules! columns {
    () => {
        "id, organization_id, account_id, session_id, number, route, redirect_uri, state, browser_hash, user_code, verification_uri, next_poll_at, poll_seconds, expires, created_at, updated_at"
    };
}

const TABLE: &str = "connect_legs";

#[derive(FromRow)]
struct LegRow {
    id: Uuid,
    organization_id: Uuid,
    account_id: Uuid,
    session_id: Uuid,
    number: i64,
    route: String,
    redirect_uri: String,
    state: String,
    browser_hash: Option<Vec<u8>>,
    user_code: Option<String>,
    verification_uri: Option<String>,
    next_poll_at: Option<At>,
    poll_seconds: Option<i64>,
    expires: At,
    created_at: At,
    updated_at: At,
}

impl TryFrom<LegRow> for ConnectLeg {
    type Error = StoreError;

    fn try_from(row: LegRow) -> Result<Self> {
        let device = match (row.user_code, row.verification_uri, row.next_poll_at, row.poll_seconds) {
            (Some(user_code), Some(verification_uri), Some(next_poll_at), Some(seconds)) => Some(DeviceLeg {
                user_code,
                verification_uri,
                next_poll_at: next_poll_at.0,
                poll_seconds: u32::try_from(seconds).map_err(|_| row::bad(TABLE, "poll_seconds", "is no number of seconds"))?,
            }),
            _ => None,
        };
        Ok(Self {
            id: ConnectLegId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            account_id: AccountId::from_uuid(row.account_id),
            session_id: ConnectSessionId::from_uuid(row.session_id),
            number: u32::try_from(row.number).map_err(|_| row::bad(TABLE, "number", "is no place"))?,
            route: row::word::<ConsentRoute>(TABLE, "route", &row.route)?,
            redirect_uri: row.redirect_uri,
            state: row::word::<LegState>(TABLE, "state", &row.state)?,
            browser_hash: row.browser_hash,
            device,
            expires: row.expires.0,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

/// What a leg is opened with.
pub struct LegOpening<'a> {
    /// Keyed hash of what the browser holds, where it is bound to one.
    pub browser_hash: Option<&'a [u8]>,
    /// Keyed hash of its `state`.
    pub state_hash: &'a [u8],
    /// Verifier and state, sealed.
    pub secrets: &'a Envelope,
}

impl ReadTx {
    /// The legs of a session, in their order.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn connect_legs(&mut self, session: ConnectSessionId) -> Result<Vec<ConnectLeg>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<LegRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM connect_legs WHERE session_id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) ORDER BY number"))
                .bind(session.uuid())
                .bind(organization)
                .bind(account)
                .fetch_all(&mut self.tx)
                .await?;
        rows.into_iter().map(ConnectLeg::try_from).collect()
    }

    /// The leg that a callback's `state` belongs to, by keyed hash. In every scope: the callback is all that the browser
    /// brings, and this is how its tenant is found.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn connect_leg_by_state(&mut self, state_hash: &[u8]) -> Result<Option<ConnectLeg>> {
        let row: Option<LegRow> = db::query_as(concat!("SELECT ", columns!(), " FROM connect_legs WHERE state_hash = $1")).bind(state_hash).fetch_optional(&mut self.tx).await?;
        row.map(ConnectLeg::try_from).transpose()
    }

    /// The leg that a start address leads to, by the keyed hash of its ticket; in every scope.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn connect_leg_by_ticket(&mut self, ticket_hash: &[u8]) -> Result<Option<ConnectLeg>> {
        let row: Option<LegRow> = db::query_as(concat!("SELECT ", columns!(), " FROM connect_legs WHERE ticket_hash = $1")).bind(ticket_hash).fetch_optional(&mut self.tx).await?;
        row.map(ConnectLeg::try_from).transpose()
    }
}

impl Secrets<'_> {
    /// The sealed verifier and state of a leg, until it ends.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn sealed_connect_leg(&mut self, id: ConnectLegId) -> Result<Option<Envelope>> {
        let (organization, account) = self.bound()?;
        let secrets = self.dialect().opened("secrets", "$4");
        let sql = format!("SELECT {secrets} FROM connect_legs WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL)");
        let row: Option<(Option<Json<Envelope>>,)> =
            db::query_as(AssertSqlSafe(sql)).bind(id.uuid()).bind(organization).bind(account).bind_key(&self.tx).fetch_optional(&mut self.tx).await?;
        Ok(row.and_then(|(envelope,)| envelope.map(|json| json.0)))
    }
}

impl WriteTx {
    /// Adds a leg that nobody has opened yet.
    ///
    /// # Errors
    /// [`StoreError::DanglingReference`], and those of the database.
    pub async fn insert_connect_leg(&mut self, leg: &ConnectLeg, ticket_hash: Option<&[u8]>) -> Result<()> {
        self.check_tenant(leg.organization_id.uuid(), Some(leg.account_id.uuid()))?;
        db::query("INSERT INTO connect_legs (id, organization_id, account_id, session_id, number, route, redirect_uri, state, ticket_hash, expires, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
            .bind(leg.id.uuid())
            .bind(leg.organization_id.uuid())
            .bind(leg.account_id.uuid())
            .bind(leg.session_id.uuid())
            .bind(i64::from(leg.number))
            .bind(leg.route.as_str())
            .bind(&leg.redirect_uri)
            .bind(leg.state.as_str())
            .bind(ticket_hash)
            .bind(At(leg.expires))
            .bind(At(leg.created_at))
            .bind(At(leg.updated_at))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Binds the legs of a session that nobody is bound to yet, and that are not over, to the browser whose keyed hash this is.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn bind_connect_legs(&mut self, session: ConnectSessionId, browser_hash: &[u8]) -> Result<()> {
        let (organization, account) = self.bound()?;
        db::query(
            "UPDATE connect_legs SET browser_hash = $4 WHERE session_id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND browser_hash IS NULL AND state IN ('prepared', 'opened')",
        )
        .bind(session.uuid())
        .bind(organization)
        .bind(account)
        .bind(browser_hash)
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }

    /// Opens a leg: the first who comes is the one whom it is bound to, until its end, where it is not bound to one already. The same one
    /// may come again. Says whether it was opened.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open_connect_leg(&mut self, id: ConnectLegId, opening: &LegOpening<'_>, now: Timestamp) -> Result<bool> {
        let (organization, account) = self.bound()?;
        let sealed = self.dialect().sealed("$6", "$8");
        let sql = format!(
            "UPDATE connect_legs SET state = 'opened', browser_hash = $4, state_hash = $5, secrets = {sealed}, updated_at = $7 WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND expires > $7 AND state = 'prepared' AND (browser_hash IS NULL OR browser_hash = $4)"
        );
        let done = db::query(AssertSqlSafe(sql))
            .bind(id.uuid())
            .bind(organization)
            .bind(account)
            .bind(opening.browser_hash)
            .bind(opening.state_hash)
            .bind(Json(opening.secrets))
            .bind(At(now))
            .bind_key(&self.tx)
            .execute(&mut self.tx)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Opens a leg by way of a device, with what the provider gave for it, until `expires`. Says whether it was opened.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open_device_leg(&mut self, leg: &ConnectLeg, device: &DeviceLeg, secrets: &Envelope) -> Result<bool> {
        let (organization, account) = self.bound()?;
        let sealed = self.dialect().sealed("$4", "$11");
        let sql = format!(
            "UPDATE connect_legs SET state = 'opened', secrets = {sealed}, user_code = $5, verification_uri = $6, next_poll_at = $7, poll_seconds = $8, expires = $9, updated_at = $10 WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND state = 'prepared'"
        );
        let done = db::query(AssertSqlSafe(sql))
            .bind(leg.id.uuid())
            .bind(organization)
            .bind(account)
            .bind(Json(secrets))
            .bind(&device.user_code)
            .bind(&device.verification_uri)
            .bind(At(device.next_poll_at))
            .bind(i64::from(device.poll_seconds))
            .bind(At(leg.expires))
            .bind(At(leg.updated_at))
            .bind_key(&self.tx)
            .execute(&mut self.tx)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes the turn to ask the provider whether the person at a device has answered: the next one is at `next`, and then so many
    /// seconds apart. Says whether it was there to be taken, as `seen` says.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn turn_device_leg(&mut self, id: ConnectLegId, seen: Timestamp, next: Timestamp, seconds: u32) -> Result<bool> {
        let (organization, account) = self.bound()?;
        let done = db::query("UPDATE connect_legs SET next_poll_at = $5, poll_seconds = $6 WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND state = 'opened' AND next_poll_at = $4")
            .bind(id.uuid())
            .bind(organization)
            .bind(account)
            .bind(At(seen))
            .bind(At(next))
            .bind(i64::from(seconds))
            .execute(&mut self.tx)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes the answer of an open leg; the other legs of its session end. Says whether it was open.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn answer_connect_leg(&mut self, leg: &ConnectLeg, now: Timestamp) -> Result<bool> {
        let (organization, account) = self.bound()?;
        let done = db::query(
            "UPDATE connect_legs SET state = 'answered', updated_at = $4 WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND state = 'opened'",
        )
        .bind(leg.id.uuid())
        .bind(organization)
        .bind(account)
        .bind(At(now))
        .execute(&mut self.tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        db::query("UPDATE connect_legs SET state = 'ended', secrets = NULL, updated_at = $3 WHERE session_id = $1 AND id <> $2 AND state IN ('prepared', 'opened')")
            .bind(leg.session_id.uuid())
            .bind(leg.id.uuid())
            .bind(At(now))
            .execute(&mut self.tx)
            .await?;
        Ok(true)
    }

    /// Ends what is left of the legs of a session that has ended: their secrets are forgotten.
    pub(crate) async fn end_connect_legs(&mut self, session: Uuid, now: Timestamp) -> Result<()> {
        db::query("UPDATE connect_legs SET state = CASE state WHEN 'answered' THEN 'answered' ELSE 'ended' END, secrets = NULL, updated_at = $2 WHERE session_id = $1 AND (state IN ('prepared', 'opened') OR secrets IS NOT NULL)")
            .bind(session)
            .bind(At(now))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }
}

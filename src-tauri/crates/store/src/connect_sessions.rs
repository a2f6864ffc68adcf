//! Connect sessions. Each is used once: every step is one statement that names the state it leaves.

use patchbay_model::change::ChangeKind;
use patchbay_model::consent::{ConnectLeg, ConnectSession, ConnectState, Place};
use patchbay_model::credential::Envelope;
use patchbay_model::flight::{Explanation, StepDetail};
use patchbay_model::{AccountId, Code, ConnectSessionId, EndUserId, IntegrationId, MemberId, OrganizationId, ProviderAppId, Timestamp};
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
        "id, organization_id, account_id, integration_id, provider_app_id, member_id, end_user_id, route, redirect_uri, issuer, scopes, state, failure_code, message, explanation, choice, expires, created_at, updated_at"
    };
}

const TABLE: &str = "connect_sessions";
/// Why a consent ended that another took the place of.
const NEWER: &str = "A newer consent was begun for this integration.";
/// Why a consent ended that nobody finished.
const LATE: &str = "The time for this consent is over. Begin it again.";

#[derive(FromRow)]
struct SessionRow {
    id: Uuid,
    organization_id: Uuid,
    account_id: Uuid,
    integration_id: Uuid,
    provider_app_id: Option<Uuid>,
    member_id: Uuid,
    end_user_id: Option<Uuid>,
    route: String,
    redirect_uri: String,
    issuer: Option<String>,
    scopes: Json<Vec<String>>,
    state: String,
    failure_code: Option<String>,
    message: Option<String>,
    explanation: Option<Json<Explanation>>,
    choice: Option<Json<Vec<Place>>>,
    expires: At,
    created_at: At,
    updated_at: At,
}

impl TryFrom<SessionRow> for ConnectSession {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self> {
        let state = match (row.state.as_str(), row.failure_code.as_deref()) {
            // An older server sees an exchange that is under way, and ends it when its time is over.
            ("exchanging", _) if row.choice.is_some() => ConnectState::Choosing,
            ("begun", _) => ConnectState::Begun,
            ("exchanging", _) => ConnectState::Exchanging,
            ("completed", _) => ConnectState::Completed,
            ("cancelled", _) => ConnectState::Cancelled,
            ("failed", Some(code)) => ConnectState::Failed { code: row::word(TABLE, "failure_code", code)? },
            (other, _) => return Err(row::bad(TABLE, "state", format!("`{other}` is no state"))),
        };
        Ok(Self {
            id: ConnectSessionId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            account_id: AccountId::from_uuid(row.account_id),
            integration_id: IntegrationId::from_uuid(row.integration_id),
            provider_app_id: row.provider_app_id.map(ProviderAppId::from_uuid),
            member_id: MemberId::from_uuid(row.member_id),
            end_user_id: row.end_user_id.map(EndUserId::from_uuid),
            route: row::word(TABLE, "route", &row.route)?,
            redirect_uri: row.redirect_uri,
            issuer: row.issuer,
            scopes: row.scopes.0,
            state,
            message: row.message,
            explanation: row.explanation.map(|json| json.0),
            places: row.choice.map(|json| json.0).unwrap_or_default(),
            expires: row.expires.0,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

fn failure_code(state: ConnectState) -> Option<&'static str> {
    match state {
        ConnectState::Failed { code } => Some(code.as_str()),
        _ => None,
    }
}

impl ReadTx {
    /// The connect session with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn connect_session(&mut self, id: ConnectSessionId) -> Result<Option<ConnectSession>> {
        let (organization, account) = self.bound()?;
        let row: Option<SessionRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM connect_sessions WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL"
        ))
        .bind(id.uuid())
        .bind(organization)
        .bind(account)
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(ConnectSession::try_from).transpose()
    }

    /// The connect session that a callback's `state` belongs to, by keyed hash. In every scope: the callback is all that the
    /// browser brings, and this is how its tenant is found.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn connect_session_by_state(&mut self, state_hash: &[u8]) -> Result<Option<ConnectSession>> {
        let row: Option<SessionRow> = db::query_as(concat!("SELECT ", columns!(), " FROM connect_sessions WHERE state_hash = $1 AND deleted_at IS NULL"))
            .bind(state_hash)
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(ConnectSession::try_from).transpose()
    }

    /// The connect session with this id, if one of its ways is bound to the browser whose keyed hash this is. In every scope: address and
    /// cookie are all that a browser brings, and this is how its tenant is found. For any other browser there is none.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn connect_session_of_browser(&mut self, id: ConnectSessionId, browser_hash: &[u8]) -> Result<Option<ConnectSession>> {
        let row: Option<SessionRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM connect_sessions WHERE id = $1 AND deleted_at IS NULL AND EXISTS (SELECT 1 FROM connect_legs WHERE connect_legs.session_id = connect_sessions.id AND connect_legs.browser_hash = $2)"
        ))
        .bind(id.uuid())
        .bind(browser_hash)
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(ConnectSession::try_from).transpose()
    }

    /// The newest connect session of an integration.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn latest_connect_session(&mut self, integration: IntegrationId) -> Result<Option<ConnectSession>> {
        let (organization, account) = self.bound()?;
        let row: Option<SessionRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM connect_sessions WHERE integration_id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1"
        ))
        .bind(integration.uuid())
        .bind(organization)
        .bind(account)
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(ConnectSession::try_from).transpose()
    }
}

impl ReadTx {
    /// The consents of which nobody chose before `before`, those of deleted integrations among them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn abandoned_choices(&mut self, before: Timestamp) -> Result<Vec<ConnectSession>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<SessionRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM connect_sessions WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND state = 'exchanging' AND choice IS NOT NULL AND expires <= $3"
        ))
        .bind(organization)
        .bind(account)
        .bind(At(before))
        .fetch_all(&mut self.tx)
        .await?;
        rows.into_iter().map(ConnectSession::try_from).collect()
    }
}

impl Secrets<'_> {
    /// The sealed PKCE verifier (RFC 7636) of a session, until it ends; while a person chooses, what its exchange brought. Of a deleted one
    /// too: what it brought is taken back.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn sealed_connect_verifier(&mut self, id: ConnectSessionId) -> Result<Option<Envelope>> {
        let (organization, account) = self.bound()?;
        let verifier = self.dialect().opened("verifier", "$4");
        let sql = format!("SELECT {verifier} FROM connect_sessions WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL)");
        let row: Option<(Option<Json<Envelope>>,)> =
            db::query_as(AssertSqlSafe(sql)).bind(id.uuid()).bind(organization).bind(account).bind_key(&self.tx).fetch_optional(&mut self.tx).await?;
        Ok(row.and_then(|(envelope,)| envelope.map(|json| json.0)))
    }
}

impl WriteTx {
    /// Begins a consent: the session, the keyed hash of its `state` and its sealed verifier. Consents of the same
    /// integration that are still under way are cancelled, so that only the newest link works.
    ///
    /// # Errors
    /// [`StoreError::DanglingReference`], and those of the database.
    pub async fn insert_connect_session(&mut self, session: &ConnectSession, state_hash: &[u8], verifier: Option<&Envelope>) -> Result<()> {
        self.check_tenant(session.organization_id.uuid(), Some(session.account_id.uuid()))?;
        let replaced: Vec<(Uuid,)> = db::query_as("UPDATE connect_sessions SET state = 'cancelled', verifier = NULL, message = $3, updated_at = $4 WHERE integration_id = $1 AND organization_id = $2 AND state = 'begun' RETURNING id")
            .bind(session.integration_id.uuid())
            .bind(session.organization_id.uuid())
            .bind(NEWER)
            .bind(At(session.created_at))
            .fetch_all(&mut self.tx)
            .await?;
        for (id,) in replaced {
            self.end_connect_legs(id, session.created_at).await?;
            self.end_flight(id, StepDetail { words: Some(NEWER.to_owned()), ..StepDetail::default() }, session.created_at).await?;
            self.changed(ChangeKind::ConnectSession, id, Some(session.account_id))?;
        }
        let sealed = self.dialect().sealed("$15", "$20");
        let sql = format!(
            "INSERT INTO connect_sessions (id, organization_id, account_id, integration_id, provider_app_id, member_id, route, redirect_uri, issuer, scopes, state, failure_code, message, state_hash, verifier, expires, created_at, updated_at, end_user_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, {sealed}, $16, $17, $18, $19)"
        );
        db::query(AssertSqlSafe(sql))
            .bind(session.id.uuid())
            .bind(session.organization_id.uuid())
            .bind(session.account_id.uuid())
            .bind(session.integration_id.uuid())
            .bind(session.provider_app_id.map(ProviderAppId::uuid))
            .bind(session.member_id.uuid())
            .bind(session.route.as_str())
            .bind(&session.redirect_uri)
            .bind(&session.issuer)
            .bind(Json(&session.scopes))
            .bind(session.state.as_str())
            .bind(failure_code(session.state))
            .bind(&session.message)
            .bind(state_hash)
            .bind(verifier.map(Json))
            .bind(At(session.expires))
            .bind(At(session.created_at))
            .bind(At(session.updated_at))
            .bind(session.end_user_id.map(EndUserId::uuid))
            .bind_key(&self.tx)
            .execute(&mut self.tx)
            .await?;
        self.changed(ChangeKind::ConnectSession, session.id, Some(session.account_id))
    }

    /// Takes a callback that came by this leg: from `Begun` to `Exchanging`, once, and only before the session's end. Gives nothing when the
    /// session is in another state or has ended; reading it tells which.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn begin_exchange(&mut self, id: ConnectSessionId, leg: Option<&ConnectLeg>, now: Timestamp) -> Result<Option<ConnectSession>> {
        let (organization, account) = self.bound()?;
        let row: Option<SessionRow> = db::query_as(concat!(
            "UPDATE connect_sessions SET state = 'exchanging', updated_at = $4, route = coalesce($5, route), redirect_uri = coalesce($6, redirect_uri) WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND state = 'begun' AND expires > $4 AND deleted_at IS NULL RETURNING ",
            columns!()
        ))
        .bind(id.uuid())
        .bind(organization)
        .bind(account)
        .bind(At(now))
        .bind(leg.map(|leg| leg.route.as_str()))
        .bind(leg.map(|leg| leg.redirect_uri.as_str()))
        .fetch_optional(&mut self.tx)
        .await?;
        let session = row.map(ConnectSession::try_from).transpose()?;
        if let Some(session) = &session {
            self.changed(ChangeKind::ConnectSession, id, Some(session.account_id))?;
        }
        Ok(session)
    }

    /// Turns a session that is under way to the way of its newest leg. `opened` is the keyed hash of that leg's `state` and
    /// its sealed verifier, by which an older server finds and finishes it. Says whether it was under way.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn turn_connect_session(&mut self, session: &ConnectSession, opened: Option<(&[u8], Option<&Envelope>)>) -> Result<bool> {
        let (organization, account) = self.bound()?;
        let sealed = self.dialect().sealed("$9", "$10");
        let opening = if opened.is_some() { format!(", state_hash = $8, verifier = {sealed}") } else { String::new() };
        let sql = format!(
            "UPDATE connect_sessions SET route = $4, redirect_uri = $5, expires = $6, updated_at = $7{opening} WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND state = 'begun' AND deleted_at IS NULL"
        );
        let query = db::query(AssertSqlSafe(sql))
            .bind(session.id.uuid())
            .bind(organization)
            .bind(account)
            .bind(session.route.as_str())
            .bind(&session.redirect_uri)
            .bind(At(session.expires))
            .bind(At(session.updated_at));
        let done = match opened {
            Some((state_hash, verifier)) => query.bind(state_hash).bind(verifier.map(Json)).bind_key(&self.tx).execute(&mut self.tx).await?,
            None => query.execute(&mut self.tx).await?,
        };
        let turned = done.rows_affected() == 1;
        if turned {
            self.changed(ChangeKind::ConnectSession, session.id, Some(session.account_id))?;
        }
        Ok(turned)
    }

    /// Writes down what went wrong and what to change.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn explain_connect_session(&mut self, session: &ConnectSession, explanation: &Explanation) -> Result<()> {
        let (organization, account) = self.bound()?;
        db::query("UPDATE connect_sessions SET explanation = $4 WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL")
            .bind(session.id.uuid())
            .bind(organization)
            .bind(account)
            .bind(Json(explanation))
            .execute(&mut self.tx)
            .await?;
        self.changed(ChangeKind::ConnectSession, session.id, Some(session.account_id))
    }

    /// Keeps what an exchange brought, sealed in place of the verifier, until a person has chosen among `places` or `until` is over.
    /// Says whether the exchange was under way.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn await_choice(&mut self, session: &ConnectSession, places: &[Place], brought: &Envelope, until: Timestamp, now: Timestamp) -> Result<bool> {
        let (organization, account) = self.bound()?;
        let sealed = self.dialect().sealed("$7", "$8");
        let sql = format!(
            "UPDATE connect_sessions SET choice = $4, expires = $5, updated_at = $6, verifier = {sealed} WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND state = 'exchanging' AND choice IS NULL AND deleted_at IS NULL"
        );
        let done = db::query(AssertSqlSafe(sql))
            .bind(session.id.uuid())
            .bind(organization)
            .bind(account)
            .bind(Json(places))
            .bind(At(until))
            .bind(At(now))
            .bind(Json(brought))
            .bind_key(&self.tx)
            .execute(&mut self.tx)
            .await?;
        let kept = done.rows_affected() == 1;
        if kept {
            self.changed(ChangeKind::ConnectSession, session.id, Some(session.account_id))?;
        }
        Ok(kept)
    }

    /// Ends a session, from `Begun`, `Exchanging` or `Choosing`; its verifier, or what it brought, is forgotten. Completion is not possible from
    /// `Begun`, nor when it was deleted. Says whether it ended now.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn end_connect_session(&mut self, id: ConnectSessionId, state: ConnectState, message: Option<&str>, now: Timestamp) -> Result<bool> {
        if matches!(state, ConnectState::Begun | ConnectState::Exchanging | ConnectState::Choosing) {
            return Err(StoreError::BadRow { table: TABLE, column: "state", detail: "a session does not end in this state".to_owned() });
        }
        let (organization, account) = self.bound()?;
        let row: Option<(Uuid,)> = db::query_as("UPDATE connect_sessions SET state = $4, failure_code = $5, message = $6, verifier = NULL, choice = NULL, updated_at = $7 WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND (state = 'exchanging' OR (state = 'begun' AND $4 <> 'completed')) AND (deleted_at IS NULL OR $4 <> 'completed') RETURNING account_id")
            .bind(id.uuid())
            .bind(organization)
            .bind(account)
            .bind(state.as_str())
            .bind(failure_code(state))
            .bind(message)
            .bind(At(now))
            .fetch_optional(&mut self.tx)
            .await?;
        if let Some((account,)) = row {
            self.end_connect_legs(id.uuid(), now).await?;
            self.changed(ChangeKind::ConnectSession, id, Some(AccountId::from_uuid(account)))?;
        }
        Ok(row.is_some())
    }

    /// Ends the sessions of this scope whose time is over, and those whose exchange was left by a process that died. Those of which a
    /// person has yet to choose hold tokens, which are not to be dropped ([`ReadTx::abandoned_choices`]).
    ///
    /// # Errors
    /// Those of the database.
    pub async fn expire_connect_sessions(&mut self, now: Timestamp) -> Result<u64> {
        let (organization, account) = self.bound()?;
        let rows: Vec<(Uuid, Uuid)> = db::query_as("UPDATE connect_sessions SET state = 'failed', failure_code = $3, message = $4, verifier = NULL, updated_at = $5 WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND state IN ('begun', 'exchanging') AND choice IS NULL AND expires <= $5 RETURNING id, account_id")
            .bind(organization)
            .bind(account)
            .bind(Code::ConsentExpired.as_str())
            .bind(LATE)
            .bind(At(now))
            .fetch_all(&mut self.tx)
            .await?;
        for (id, account) in &rows {
            self.end_connect_legs(*id, now).await?;
            self.end_flight(*id, StepDetail { code: Some(Code::ConsentExpired), words: Some(LATE.to_owned()), ..StepDetail::default() }, now).await?;
            self.changed(ChangeKind::ConnectSession, id, Some(AccountId::from_uuid(*account)))?;
        }
        Ok(u64::try_from(rows.len()).unwrap_or_default())
    }

    /// Removes sessions that ended before `before`: by then a replay need no longer be told from the unknown. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn remove_ended_connect_sessions(&mut self, before: Timestamp) -> Result<u64> {
        self.system("the consents of all organizations")?;
        let done = db::query("DELETE FROM connect_sessions WHERE state NOT IN ('begun', 'exchanging') AND updated_at < $1").bind(At(before)).execute(&mut self.tx).await?;
        Ok(done.rows_affected())
    }
}

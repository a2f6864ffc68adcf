//! The journal of renewals: one row per token of a credential says how far its renewal is, and `refresh_steps` keeps every step.
//! That of the main token lies in `refresh_journal`, where an older server finds it, those of further ones in `refresh_flights`.
//!
//! The row is written by [`SecretWriteTx::put_flight`] alone, together with the steps that led there. A token with a known
//! outcome is never sent again: whoever would write down that intent asks [`SecretWriteTx::is_spent`] in the same transaction.

use patchbay_model::credential::{Credential, Envelope, SealedAt};
use patchbay_model::deadline::MAIN_TOKEN;
use patchbay_model::refresh::{Attempt, Flight, Fp, NewStep, RefreshReason, RefreshStep, StepTaken, UNKNOWN};
use patchbay_model::{AccountId, CredentialId, Timestamp};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::row;
use crate::sealed::Secrets;
use crate::transaction::{ReadTx, SecretWriteTx, WriteTx};

#[derive(FromRow)]
struct Head {
    intent_id: Uuid,
    owner: String,
    lease_until: At,
    state: String,
    sent_fp: Option<Vec<u8>>,
    first_sent_at: Option<At>,
    sends: i64,
    reason: Option<String>,
    gone_at: Option<At>,
    witnessed: bool,
    updated_at: At,
}

fn fp(column: &'static str, bytes: Vec<u8>) -> Result<Fp> {
    Fp::try_from(bytes).map_err(|_| row::bad("refresh_journal", column, "it is no keyed hash"))
}

impl TryFrom<Head> for Flight {
    type Error = StoreError;

    fn try_from(head: Head) -> Result<Self> {
        match head.state.as_str() {
            "activated" => Ok(Self::Unproven { attempt: head.intent_id, since: head.updated_at.0 }),
            "intent" => Ok(Self::Sending(Attempt {
                id: head.intent_id,
                owner: head.owner,
                until: head.lease_until.0,
                witnessed: head.witnessed,
                gone: head.gone_at.map(|at| at.0),
                fp: head.sent_fp.map_or(Ok(UNKNOWN), |bytes| fp("sent_fp", bytes))?,
                sends: u32::try_from(head.sends).unwrap_or(u32::MAX).max(1),
                first_sent_at: head.first_sent_at.unwrap_or(head.updated_at).0,
                since: head.updated_at.0,
                reason: match head.reason {
                    Some(word) => row::word("refresh_journal", "reason", &word)?,
                    None => RefreshReason::Due,
                },
            })),
            // Also a lease of a server of the release before, which has sent nothing under it yet and will find it gone.
            _ => Ok(Self::Idle),
        }
    }
}

const HEAD: &str = "intent_id, owner, lease_until, state, sent_fp, first_sent_at, sends, reason, gone_at, witnessed, updated_at";
const WHERE: &str = "credential_id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL OR account_id IS NULL)";

/// The table in which the row of this token lies.
fn table(token: &str) -> &'static str {
    if token == MAIN_TOKEN { "refresh_journal" } else { "refresh_flights" }
}

/// Where a credential is sealed, as the journal keeps it.
fn place(sealed_at: SealedAt) -> (Option<&'static str>, Option<Uuid>) {
    match sealed_at {
        SealedAt::Integration(id) => (Some("integration_instances"), Some(id.uuid())),
        SealedAt::Shared(id) => (Some("shared_credentials"), Some(id.uuid())),
        SealedAt::Nowhere => (None, None),
    }
}

#[derive(FromRow)]
struct StepRow {
    attempt_id: Uuid,
    number: i64,
    at: At,
    step: String,
    token: String,
    owner: String,
    fp: Option<Vec<u8>>,
    next_fp: Option<Vec<u8>>,
    spent: bool,
    note: Option<Json<serde_json::Value>>,
}

impl TryFrom<StepRow> for StepTaken {
    type Error = StoreError;

    fn try_from(row: StepRow) -> Result<Self> {
        let step: RefreshStep = row::word("refresh_steps", "step", &row.step)?;
        Ok(Self {
            number: row::count(row.number),
            step: NewStep {
                attempt: row.attempt_id,
                at: row.at.0,
                step,
                token: row.token,
                owner: row.owner,
                fp: row.fp.map(|bytes| fp("fp", bytes)).transpose()?,
                next_fp: row.next_fp.map(|bytes| fp("next_fp", bytes)).transpose()?,
                spent: row.spent,
                note: row.note.map(|json| json.0),
            },
        })
    }
}

impl ReadTx {
    /// How far the renewal of a token of a credential is. Whether a process that may be sending still lives is not asked here.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn flight(&mut self, id: CredentialId, token: &str) -> Result<Flight> {
        let (organization, account) = self.bound()?;
        let sql = format!("SELECT {HEAD} FROM {} WHERE {WHERE} AND token = $4", table(token));
        let head: Option<Head> = db::query_as(AssertSqlSafe(sql)).bind(id.uuid()).bind(organization).bind(account).bind(token).fetch_optional(&mut self.tx).await?;
        head.map_or(Ok(Flight::Idle), Flight::try_from)
    }

    /// How far the renewals of a credential's tokens are, of those of which one was ever begun.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn flights(&mut self, id: CredentialId) -> Result<Vec<(String, Flight)>> {
        #[derive(FromRow)]
        struct Named {
            token: String,
            #[sqlx(flatten)]
            head: Head,
        }
        let (organization, account) = self.bound()?;
        let sql = format!("SELECT token, {HEAD} FROM refresh_journal WHERE {WHERE} UNION ALL SELECT token, {HEAD} FROM refresh_flights WHERE {WHERE} ORDER BY token");
        let rows: Vec<Named> = db::query_as(AssertSqlSafe(sql)).bind(id.uuid()).bind(organization).bind(account).fetch_all(&mut self.tx).await?;
        rows.into_iter().map(|row| Ok((row.token, row.head.try_into()?))).collect()
    }

    /// The last steps of a credential, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn refresh_steps(&mut self, id: CredentialId, limit: u32) -> Result<Vec<StepTaken>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<StepRow> = db::query_as(
            "SELECT attempt_id, number, at, step, token, owner, fp, next_fp, spent, note FROM refresh_steps WHERE credential_id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL OR account_id IS NULL) ORDER BY at DESC, attempt_id DESC, number DESC LIMIT $4",
        )
        .bind(id.uuid())
        .bind(organization)
        .bind(account)
        .bind(i64::from(limit))
        .fetch_all(&mut self.tx)
        .await?;
        rows.into_iter().map(StepTaken::try_from).collect()
    }
}

impl Secrets<'_> {
    /// The set that was in force before the last attempt with a token, as long as it is kept.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn sealed_previous(&mut self, id: CredentialId, token: &str) -> Result<Option<Envelope>> {
        let (organization, account) = self.bound()?;
        let sql = format!("SELECT {} FROM {} WHERE {WHERE} AND token = $4", self.dialect().opened("previous", "$5"), table(token));
        let row: Option<(Option<Json<Envelope>>,)> =
            db::query_as(AssertSqlSafe(sql)).bind(id.uuid()).bind(organization).bind(account).bind(token).bind_key(&self.tx).fetch_optional(&mut self.tx).await?;
        Ok(row.and_then(|(json,)| json.map(|json| json.0)))
    }
}

impl SecretWriteTx {
    /// Whether the outcome of this token is known, so that it must not be sent any more.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_spent(&mut self, id: CredentialId, fp: Fp) -> Result<bool> {
        let (found,): (i64,) =
            db::query_as("SELECT count(*) FROM refresh_steps WHERE credential_id = $1 AND fp = $2 AND spent").bind(id.uuid()).bind(fp.to_vec()).fetch_one(&mut self.tx).await?;
        Ok(found > 0)
    }

    /// Writes down how far the renewal of a token is and how it got there. With the beginning of an attempt the set in force is kept; it
    /// is forgotten when nothing is in doubt any more.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn put_flight(&mut self, credential: &Credential, token: &str, flight: &Flight, steps: &[NewStep], now: Timestamp) -> Result<()> {
        let id = credential.id;
        self.renews(credential)?;
        let update = |what: &str| AssertSqlSafe(format!("UPDATE {} SET {what} WHERE credential_id = $1 AND token = $2", table(token)));
        match flight {
            Flight::Sending(attempt) => self.begin_flight(credential, token, attempt, now).await?,
            Flight::Doubt(attempt) => {
                db::query(update("state = 'intent', intent_id = $3, lease_until = $4, sends = $5, first_sent_at = $6, gone_at = NULL, updated_at = $4"))
                    .bind(id.uuid())
                    .bind(token)
                    .bind(attempt.id)
                    .bind(At(now))
                    .bind(i64::from(attempt.sends))
                    .bind(At(attempt.first_sent_at))
                    .execute(&mut self.tx)
                    .await?;
            }
            Flight::Unproven { attempt, .. } => {
                db::query(update("state = 'activated', intent_id = $3, lease_until = $4, sends = 0, sent_fp = NULL, first_sent_at = NULL, gone_at = NULL, updated_at = $4"))
                    .bind(id.uuid())
                    .bind(token)
                    .bind(*attempt)
                    .bind(At(now))
                    .execute(&mut self.tx)
                    .await?;
            }
            Flight::Idle => {
                db::query(update("state = 'settled', previous = NULL, lease_until = $3, sends = 0, sent_fp = NULL, first_sent_at = NULL, gone_at = NULL, updated_at = $3"))
                    .bind(id.uuid())
                    .bind(token)
                    .bind(At(now))
                    .execute(&mut self.tx)
                    .await?;
            }
        }
        self.add_steps(credential, steps).await
    }

    /// Keeps steps of an attempt of which the journal's row speaks no more.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn add_steps(&mut self, credential: &Credential, steps: &[NewStep]) -> Result<()> {
        self.renews(credential)?;
        for step in steps {
            self.insert_step(credential, step).await?;
        }
        Ok(())
    }

    /// Puts a new set into force; `credential` carries the new `expires` and `secret_set_at`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn activate_set(&mut self, credential: &Credential, set: &Envelope, now: Timestamp) -> Result<()> {
        match credential.sealed_at {
            SealedAt::Integration(id) => self.set_sealed_integration(id, Some(set)).await?,
            SealedAt::Shared(id) => self.set_sealed_shared(id, set, now).await?,
            SealedAt::Nowhere => return Err(StoreError::not_found("sealed value of credential", credential.id)),
        }
        self.update_credential(credential).await
    }

    /// A point's credential is renewed by whichever account's call finds it old.
    fn renews(&self, credential: &Credential) -> Result<()> {
        let account = credential.owner.account().map(AccountId::uuid).or(self.bound()?.1);
        self.check_tenant(credential.organization_id.uuid(), account)
    }

    async fn begin_flight(&mut self, credential: &Credential, token: &str, attempt: &Attempt, now: Timestamp) -> Result<()> {
        let current = self.secrets().sealed_credential(credential).await?;
        let (sealed_table, sealed_row) = place(credential.sealed_at);
        let previous = self.dialect().sealed("$9", "$17");
        // An older server knows one row of a credential alone.
        let (own, value, row) = if token == MAIN_TOKEN { ("", "", "credential_id") } else { ("id, ", "$4, ", "credential_id, token") };
        let sql = format!(
            "INSERT INTO {} ({own}credential_id, organization_id, account_id, intent_id, owner, lease_until, state, sealed_table, sealed_row, previous, created_at, updated_at, sent_fp, first_sent_at, sends, reason, witnessed, token) VALUES ({value}$1, $2, $3, $4, $5, $6, 'intent', $7, $8, {previous}, $10, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT ({row}) DO UPDATE SET intent_id = excluded.intent_id, owner = excluded.owner, lease_until = excluded.lease_until, state = 'intent', sealed_table = excluded.sealed_table, sealed_row = excluded.sealed_row, previous = excluded.previous, updated_at = excluded.updated_at, sent_fp = excluded.sent_fp, first_sent_at = excluded.first_sent_at, sends = excluded.sends, reason = excluded.reason, witnessed = excluded.witnessed, gone_at = NULL",
            table(token)
        );
        db::query(AssertSqlSafe(sql))
            .bind(credential.id.uuid())
            .bind(credential.organization_id.uuid())
            .bind(credential.owner.account().map(AccountId::uuid))
            .bind(attempt.id)
            .bind(&attempt.owner)
            .bind(At(attempt.until))
            .bind(sealed_table)
            .bind(sealed_row)
            .bind(current.as_ref().map(Json))
            .bind(At(now))
            .bind(attempt.fp.to_vec())
            .bind(At(attempt.first_sent_at))
            .bind(i64::from(attempt.sends))
            .bind(row::as_word(&attempt.reason))
            .bind(attempt.witnessed)
            .bind(token)
            .bind_key(&self.tx)
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    async fn insert_step(&mut self, credential: &Credential, step: &NewStep) -> Result<()> {
        db::query(
            "INSERT INTO refresh_steps (credential_id, attempt_id, number, organization_id, account_id, at, step, token, owner, fp, next_fp, spent, note) SELECT $1, $2, coalesce(max(before.number), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 FROM refresh_steps AS before WHERE before.credential_id = $1 AND before.attempt_id = $2",
        )
        .bind(credential.id.uuid())
        .bind(step.attempt)
        .bind(credential.organization_id.uuid())
        .bind(credential.owner.account().map(AccountId::uuid))
        .bind(At(step.at))
        .bind(step.step.as_str())
        .bind(&step.token)
        .bind(&step.owner)
        .bind(step.fp.map(|fp| fp.to_vec()))
        .bind(step.next_fp.map(|fp| fp.to_vec()))
        .bind(step.spent)
        .bind(step.note.as_ref().map(Json))
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }

    /// Notes since when the process of an attempt seems dead, or that it lives after all.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn note_gone(&mut self, id: CredentialId, token: &str, attempt: Uuid, gone: Option<Timestamp>) -> Result<()> {
        let sql = format!("UPDATE {} SET gone_at = $4 WHERE credential_id = $1 AND token = $2 AND intent_id = $3", table(token));
        db::query(AssertSqlSafe(sql)).bind(id.uuid()).bind(token).bind(attempt).bind(gone.map(At)).execute(&mut self.tx).await?;
        Ok(())
    }
}

impl WriteTx {
    /// Removes steps from before `before`. What says that a token is spent stays until a later set has come into force in
    /// its place. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn trim_refresh_steps(&mut self, before: Timestamp) -> Result<u64> {
        self.system("the journals of all organizations")?;
        let done = db::query("DELETE FROM refresh_steps WHERE at < $1 AND (NOT spent OR EXISTS (SELECT 1 FROM refresh_steps AS later WHERE later.organization_id = refresh_steps.organization_id AND later.credential_id = refresh_steps.credential_id AND later.token = refresh_steps.token AND later.at >= $1 AND later.step = 'activated'))")
            .bind(At(before))
            .execute(&mut self.tx)
            .await?;
        Ok(done.rows_affected())
    }
}

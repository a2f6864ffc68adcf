//! The journal of refreshes: who may renew a credential now, what was sent, and what was current before.
//!
//! A refresh goes: [`WriteTx::acquire_refresh`] (a lease, so that two processes never renew at once) and commit;
//! [`WriteTx::record_refresh_intent`] and commit, before anything is sent; the call; then [`WriteTx::activate_refresh`],
//! which stores the answer and makes it current in one transaction and keeps the set before; and, once the new set has
//! worked, [`WriteTx::settle_refresh`], which forgets the old one. A process that dies between intent and activation leaves
//! the state `Intent` behind an expired lease: the provider may or may not have rotated the token.

use patchbay_model::change::ChangeKind;
use patchbay_model::credential::{Credential, Envelope, SealedAt};
use patchbay_model::{AccountId, CredentialId, IntegrationId, SharedCredentialId, Timestamp};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::row;
use crate::sealed::Secrets;
use crate::transaction::{SecretWriteTx, WriteTx};

/// How far a refresh has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshState {
    /// Someone has the lease and has sent nothing.
    Leased,
    /// A request may have been sent; its answer is not stored.
    Intent,
    /// The new set is current and has not worked yet; the one before is kept.
    Activated,
    /// The new set has worked.
    Settled,
}

/// A credential's row of the journal.
#[derive(Clone, PartialEq, Debug)]
pub struct RefreshEntry {
    /// Which credential.
    pub credential_id: CredentialId,
    /// The latest attempt.
    pub intent_id: Uuid,
    /// Which process has the lease.
    pub owner: String,
    /// Until when.
    pub lease_until: Timestamp,
    /// How far it has come.
    pub state: RefreshState,
    /// The set that was current before the attempt, until the new one is proven.
    pub previous: Option<Envelope>,
    /// When it was last written.
    pub updated_at: Timestamp,
}

/// What came of asking for the lease.
#[derive(Clone, PartialEq, Debug)]
pub enum RefreshLease {
    /// It is ours. What the row said before tells whether an attempt was left half-way.
    Acquired {
        /// The entry as it was, if there was one.
        before: Option<RefreshEntry>,
    },
    /// Another has it.
    Held {
        /// Who.
        owner: String,
        /// Until when.
        until: Timestamp,
    },
}

#[derive(FromRow)]
struct RefreshRow {
    credential_id: Uuid,
    intent_id: Uuid,
    owner: String,
    lease_until: At,
    state: String,
    previous: Option<Json<Envelope>>,
    updated_at: At,
}

impl TryFrom<RefreshRow> for RefreshEntry {
    type Error = StoreError;

    fn try_from(row: RefreshRow) -> Result<Self> {
        Ok(Self {
            credential_id: CredentialId::from_uuid(row.credential_id),
            intent_id: row.intent_id,
            owner: row.owner,
            lease_until: row.lease_until.0,
            state: row::word("refresh_journal", "state", &row.state)?,
            previous: row.previous.map(|json| json.0),
            updated_at: row.updated_at.0,
        })
    }
}

/// Where a credential is sealed, as the journal keeps it.
fn place(sealed_at: SealedAt) -> (Option<&'static str>, Option<Uuid>) {
    match sealed_at {
        SealedAt::Integration(id) => (Some("integration_instances"), Some(id.uuid())),
        SealedAt::Shared(id) => (Some("shared_credentials"), Some(id.uuid())),
        SealedAt::Nowhere => (None, None),
    }
}

impl Secrets<'_> {
    /// The journal's row of a credential.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn sealed_refresh_entry(&mut self, id: CredentialId) -> Result<Option<RefreshEntry>> {
        let (organization, account) = self.bound()?;
        let previous = self.dialect().opened("previous", "$4");
        let sql = format!(
            "SELECT credential_id, intent_id, owner, lease_until, state, {previous} AS previous, updated_at FROM refresh_journal WHERE credential_id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL OR account_id IS NULL)"
        );
        let row: Option<RefreshRow> = db::query_as(AssertSqlSafe(sql)).bind(id.uuid()).bind(organization).bind(account).bind_key(&self.tx).fetch_optional(&mut self.tx).await?;
        row.map(RefreshEntry::try_from).transpose()
    }
}

impl SecretWriteTx {
    /// Takes the lease on a credential's refresh until `until`, unless another owner holds one that has not ended.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the credential is not in the scope, and those of the database.
    pub async fn acquire_refresh(&mut self, id: CredentialId, owner: &str, intent_id: Uuid, now: Timestamp, until: Timestamp) -> Result<RefreshLease> {
        let credential = self.credential(id).await?.ok_or_else(|| StoreError::not_found(CredentialId::NOUN, id))?;
        let before = self.secrets().sealed_refresh_entry(id).await?;
        if let Some(entry) = &before
            && entry.owner != owner
            && entry.lease_until > now
            && matches!(entry.state, RefreshState::Leased | RefreshState::Intent)
        {
            return Ok(RefreshLease::Held { owner: entry.owner.clone(), until: entry.lease_until });
        }
        let (table, sealed_row) = place(credential.sealed_at);
        // The state goes back to leased; a set that was never proven stays kept, since it may be the last that works.
        db::query(
            "INSERT INTO refresh_journal (credential_id, organization_id, account_id, intent_id, owner, lease_until, state, sealed_table, sealed_row, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, 'leased', $7, $8, $9, $9) ON CONFLICT (credential_id) DO UPDATE SET intent_id = excluded.intent_id, owner = excluded.owner, lease_until = excluded.lease_until, state = 'leased', sealed_table = excluded.sealed_table, sealed_row = excluded.sealed_row, updated_at = excluded.updated_at",
        )
        .bind(id.uuid())
        .bind(credential.organization_id.uuid())
        .bind(credential.owner.account().map(AccountId::uuid))
        .bind(intent_id)
        .bind(owner)
        .bind(At(until))
        .bind(table)
        .bind(sealed_row)
        .bind(At(now))
        .execute(&mut self.tx)
        .await?;
        Ok(RefreshLease::Acquired { before })
    }

    /// Notes, before anything is sent, that the token may be rotated from now on; keeps the current set.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when the lease was lost meanwhile, [`StoreError::NotFound`], and those of the database.
    pub async fn record_refresh_intent(&mut self, id: CredentialId, intent_id: Uuid, now: Timestamp) -> Result<()> {
        let credential = self.credential(id).await?.ok_or_else(|| StoreError::not_found(CredentialId::NOUN, id))?;
        let current = self.secrets().sealed_credential(&credential).await?;
        let previous = self.dialect().sealed("$4", "$5");
        let sql = format!(
            "UPDATE refresh_journal SET state = 'intent', previous = {previous}, updated_at = $3 WHERE credential_id = $1 AND intent_id = $2 AND state = 'leased' AND lease_until > $3"
        );
        let done = db::query(AssertSqlSafe(sql)).bind(id.uuid()).bind(intent_id).bind(At(now)).bind(current.as_ref().map(Json)).bind_key(&self.tx).execute(&mut self.tx).await?;
        if done.rows_affected() == 0 { Err(StoreError::Busy) } else { Ok(()) }
    }

    /// Makes the kept set current again, after the new one turned out not to work. Says whether there was one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn restore_refresh(&mut self, id: CredentialId, now: Timestamp) -> Result<bool> {
        let entry = self.secrets().sealed_refresh_entry(id).await?;
        let place: Option<(Option<String>, Option<Uuid>)> =
            db::query_as("SELECT sealed_table, sealed_row FROM refresh_journal WHERE credential_id = $1").bind(id.uuid()).fetch_optional(&mut self.tx).await?;
        let (Some(previous), Some((Some(table), Some(sealed_row)))) = (entry.and_then(|entry| entry.previous), place) else { return Ok(false) };
        match table.as_str() {
            "integration_instances" => self.set_sealed_integration(IntegrationId::from_uuid(sealed_row), Some(&previous)).await?,
            _ => self.set_sealed_shared(SharedCredentialId::from_uuid(sealed_row), &previous, now).await?,
        }
        db::query("UPDATE refresh_journal SET state = 'settled', previous = NULL, updated_at = $2 WHERE credential_id = $1")
            .bind(id.uuid())
            .bind(At(now))
            .execute(&mut self.tx)
            .await?;
        self.changed(ChangeKind::Credential, id, None)?;
        Ok(true)
    }
}

impl WriteTx {
    /// Stores the answer and makes it current, in this one transaction; `credential` carries the new `expires` and
    /// `secret_set_at`. The set before is kept. Accepted after the lease ended too, as long as nobody else took it:
    /// an answer that has come must not be lost.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another took the lease, [`StoreError::NotFound`], and those of the database.
    pub async fn activate_refresh(&mut self, credential: &Credential, intent_id: Uuid, answer: &Envelope, now: Timestamp) -> Result<()> {
        let done = db::query("UPDATE refresh_journal SET state = 'activated', lease_until = $3, updated_at = $3 WHERE credential_id = $1 AND intent_id = $2 AND state = 'intent'")
            .bind(credential.id.uuid())
            .bind(intent_id)
            .bind(At(now))
            .execute(&mut self.tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Busy);
        }
        match credential.sealed_at {
            SealedAt::Integration(id) => self.set_sealed_integration(id, Some(answer)).await?,
            SealedAt::Shared(id) => self.set_sealed_shared(id, answer, now).await?,
            SealedAt::Nowhere => return Err(StoreError::not_found("sealed value of credential", credential.id)),
        }
        self.update_credential(credential).await
    }

    /// Gives the lease back: nothing was sent, or the provider answered that nothing changed. The current set stays.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn abandon_refresh(&mut self, id: CredentialId, intent_id: Uuid, now: Timestamp) -> Result<()> {
        db::query("UPDATE refresh_journal SET state = 'settled', previous = NULL, lease_until = $3, updated_at = $3 WHERE credential_id = $1 AND intent_id = $2 AND state IN ('leased', 'intent')")
            .bind(id.uuid())
            .bind(intent_id)
            .bind(At(now))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// The new set has worked: the one before is forgotten.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn settle_refresh(&mut self, id: CredentialId, now: Timestamp) -> Result<()> {
        let (organization, account) = self.bound()?;
        db::query("UPDATE refresh_journal SET state = 'settled', previous = NULL, updated_at = $4 WHERE credential_id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL OR account_id IS NULL) AND state = 'activated'")
            .bind(id.uuid())
            .bind(organization)
            .bind(account)
            .bind(At(now))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }
}

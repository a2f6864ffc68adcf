//! Sealed values. This file holds every statement that touches a `credentials` column, always by name, so that on
//! PostgreSQL they can run under a role of their own.

use std::ops::{Deref, DerefMut};

use patchbay_model::credential::{Credential, Envelope, SealedAt};
use patchbay_model::{AccountId, IntegrationId, SharedCredentialId, Timestamp};
use sqlx::AssertSqlSafe;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::transaction::{ReadTx, SecretReadTx, SecretWriteTx, WriteTx};

/// In which table a sealed value lies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SealedTable {
    /// `integration_instances.credentials`.
    IntegrationInstances,
    /// `shared_credentials.credentials`.
    SharedCredentials,
    /// `connect_sessions.verifier`.
    ConnectSessions,
    /// `refresh_journal.previous`: sealed for the row that it was taken from.
    RefreshJournal,
    /// `refresh_flights.previous`, likewise.
    RefreshFlights,
    /// `connect_legs.secrets`.
    ConnectLegs,
    /// `revocations.tokens`.
    Revocations,
}

impl SealedTable {
    /// The table's name, as it is bound into the seal's associated data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IntegrationInstances => "integration_instances",
            Self::SharedCredentials => "shared_credentials",
            Self::ConnectSessions => "connect_sessions",
            Self::RefreshJournal => "refresh_journal",
            Self::RefreshFlights => "refresh_flights",
            Self::ConnectLegs => "connect_legs",
            Self::Revocations => "revocations",
        }
    }
}

/// One sealed value with all that its seal is bound to.
#[derive(Clone, PartialEq, Debug)]
pub struct SealedValue {
    /// Whose.
    pub organization_id: Uuid,
    /// In which account.
    pub account_id: Option<Uuid>,
    /// The table in which it lies.
    pub table: SealedTable,
    /// The row in which it lies.
    pub row: Uuid,
    /// The table for which it was sealed: another than `table` only for journals.
    pub sealed_for_table: String,
    /// The row for which it was sealed.
    pub sealed_for_row: Uuid,
    /// The envelope.
    pub envelope: Envelope,
}

/// A transaction that may read sealed values, as such.
pub struct Secrets<'a>(pub(crate) &'a mut ReadTx);

impl Deref for Secrets<'_> {
    type Target = ReadTx;
    fn deref(&self) -> &ReadTx {
        self.0
    }
}

impl DerefMut for Secrets<'_> {
    fn deref_mut(&mut self) -> &mut ReadTx {
        self.0
    }
}

impl SecretReadTx {
    /// What it may read beyond others.
    pub fn secrets(&mut self) -> Secrets<'_> {
        Secrets(self)
    }
}

impl SecretWriteTx {
    /// What it may read beyond others.
    pub fn secrets(&mut self) -> Secrets<'_> {
        Secrets(self)
    }
}

impl Secrets<'_> {
    /// The sealed value of an integration.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such integration, and those of the database.
    pub async fn sealed_integration(&mut self, id: IntegrationId) -> Result<Option<Envelope>> {
        let (organization, account) = self.bound()?;
        let credentials = self.dialect().opened("credentials", "$4");
        let sql = format!("SELECT {credentials} FROM integration_instances WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL");
        let row: Option<(Option<Json<Envelope>>,)> =
            db::query_as(AssertSqlSafe(sql)).bind(id.uuid()).bind(organization).bind(account).bind_key(&self.tx).fetch_optional(&mut self.tx).await?;
        row.map(|(envelope,)| envelope.map(|json| json.0)).ok_or_else(|| StoreError::not_found(IntegrationId::NOUN, id))
    }

    /// A shared sealed value; in an account's scope also one that belongs to no account.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn sealed_shared(&mut self, id: SharedCredentialId) -> Result<Option<Envelope>> {
        let (organization, account) = self.bound()?;
        let credentials = self.dialect().opened("credentials", "$4");
        let sql = format!(
            "SELECT {credentials} FROM shared_credentials WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL OR account_id IS NULL) AND deleted_at IS NULL"
        );
        let row: Option<(Json<Envelope>,)> =
            db::query_as(AssertSqlSafe(sql)).bind(id.uuid()).bind(organization).bind(account).bind_key(&self.tx).fetch_optional(&mut self.tx).await?;
        Ok(row.map(|(json,)| json.0))
    }

    /// The sealed value of a credential, wherever it lies.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn sealed_credential(&mut self, credential: &Credential) -> Result<Option<Envelope>> {
        match credential.sealed_at {
            SealedAt::Integration(id) => self.sealed_integration(id).await,
            SealedAt::Shared(id) => self.sealed_shared(id).await,
            SealedAt::Nowhere => Ok(None),
        }
    }
}

impl WriteTx {
    /// Replaces the sealed value of an integration, or removes it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn set_sealed_integration(&mut self, id: IntegrationId, envelope: Option<&Envelope>) -> Result<()> {
        let (organization, account) = self.bound()?;
        let credentials = self.dialect().sealed("$4", "$5");
        let sql = format!(
            "UPDATE integration_instances SET credentials = {credentials} WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL"
        );
        let done = db::query(AssertSqlSafe(sql)).bind(id.uuid()).bind(organization).bind(account).bind(envelope.map(Json)).bind_key(&self.tx).execute(&mut self.tx).await?;
        if done.rows_affected() == 0 { Err(StoreError::not_found(IntegrationId::NOUN, id)) } else { Ok(()) }
    }

    /// Adds a shared sealed value: of an account, or of the organization (a point's, a provider app's secret).
    ///
    /// # Errors
    /// [`StoreError::DanglingReference`] for an account that is not there, and those of the database.
    pub async fn insert_sealed_shared(&mut self, id: SharedCredentialId, account_id: Option<AccountId>, envelope: &Envelope, now: Timestamp) -> Result<()> {
        let (organization, _) = self.bound()?;
        self.check_tenant(organization, account_id.map(AccountId::uuid))?;
        let credentials = self.dialect().sealed("$4", "$6");
        let sql = format!("INSERT INTO shared_credentials (id, organization_id, account_id, credentials, created_at, updated_at) VALUES ($1, $2, $3, {credentials}, $5, $5)");
        db::query(AssertSqlSafe(sql))
            .bind(id.uuid())
            .bind(organization)
            .bind(account_id.map(AccountId::uuid))
            .bind(Json(envelope))
            .bind(At(now))
            .bind_key(&self.tx)
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Replaces a shared sealed value. In an account's scope only the account's own.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn set_sealed_shared(&mut self, id: SharedCredentialId, envelope: &Envelope, now: Timestamp) -> Result<()> {
        let (organization, account) = self.bound()?;
        let credentials = self.dialect().sealed("$4", "$6");
        let sql = format!(
            "UPDATE shared_credentials SET credentials = {credentials}, updated_at = $5 WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL"
        );
        let done =
            db::query(AssertSqlSafe(sql)).bind(id.uuid()).bind(organization).bind(account).bind(Json(envelope)).bind(At(now)).bind_key(&self.tx).execute(&mut self.tx).await?;
        if done.rows_affected() == 0 { Err(StoreError::not_found(SharedCredentialId::NOUN, id)) } else { Ok(()) }
    }

    /// Removes a shared sealed value for good, when nothing refers to it any more.
    ///
    /// # Errors
    /// [`StoreError::DanglingReference`] when something still does, and those of the database.
    pub async fn remove_sealed_shared(&mut self, id: SharedCredentialId) -> Result<()> {
        let (organization, account) = self.bound()?;
        db::query("DELETE FROM shared_credentials WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL)")
            .bind(id.uuid())
            .bind(organization)
            .bind(account)
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }
}

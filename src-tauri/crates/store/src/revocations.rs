//! Revocations: access that is taken back at providers. A row outlives its integration; what it sends is sealed in it, and erased
//! in the transaction that brings it to an end.
//!
//! A revocation goes: [`WriteTx::insert_revocation`] in the transaction that takes the access out of the integration;
//! [`SecretWriteTx::claim_revocation`], a lease under which one process asks the provider; [`WriteTx::put_revocation`]. A request
//! that was sent twice ends nothing twice, so a lease that ended is simply taken over.

use patchbay_model::change::ChangeKind;
use patchbay_model::credential::Envelope;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::revocation::{Revocation, RevocationProof};
use patchbay_model::{AccountId, CredentialId, DefinitionId, IntegrationId, OrganizationId, ProviderAppId, ProviderId, ReceiptId, RevocationId, Timestamp};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::list::{self, Category, Field, Kind, Noun};
use crate::row;
use crate::sealed::Secrets;
use crate::transaction::{ReadTx, SecretWriteTx, WriteTx};

macro_rules! columns {
    () => {
        "id, organization_id, account_id, integration_id, integration_name, provider, definition_id, provider_app_id, receipt_id, reason, state, proof, attempts, next_attempt_at, owner, lease_until, created_at, updated_at"
    };
}

const TABLE: &str = "revocations";

pub(crate) const NOUN: Noun = Noun {
    table: TABLE,
    columns: columns!(),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("account_id", "account_id", Kind::Id),
        Field::new("integration_id", "integration_id", Kind::Id),
        Field::new("provider", "provider", Kind::Text),
        Field::new("reason", "reason", Kind::Text),
        Field::new("state", "state", Kind::Text),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("updated_at", "updated_at", Kind::Time),
    ],
    default_order: "created_at",
    account: Some("account_id"),
    category: Category::OfIntegration("revocations.integration_id"),
    tombstones: false,
};

#[derive(FromRow)]
struct RevocationRow {
    id: Uuid,
    organization_id: Uuid,
    account_id: Uuid,
    integration_id: Uuid,
    integration_name: String,
    provider: String,
    definition_id: Uuid,
    provider_app_id: Option<Uuid>,
    receipt_id: Option<Uuid>,
    reason: String,
    state: String,
    proof: Json<RevocationProof>,
    attempts: i64,
    next_attempt_at: Option<At>,
    owner: Option<String>,
    lease_until: Option<At>,
    created_at: At,
    updated_at: At,
}

impl TryFrom<RevocationRow> for Revocation {
    type Error = StoreError;

    fn try_from(row: RevocationRow) -> Result<Self> {
        Ok(Self {
            id: RevocationId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            account_id: AccountId::from_uuid(row.account_id),
            integration_id: IntegrationId::from_uuid(row.integration_id),
            integration_name: row.integration_name,
            provider: ProviderId::parse(&row.provider).map_err(|problem| row::bad(TABLE, "provider", problem.message))?,
            definition: DefinitionId::from_uuid(row.definition_id),
            provider_app_id: row.provider_app_id.map(ProviderAppId::from_uuid),
            receipt_id: row.receipt_id.map(ReceiptId::from_uuid),
            reason: row::word(TABLE, "reason", &row.reason)?,
            state: row::word(TABLE, "state", &row.state)?,
            proof: row.proof.0,
            attempts: u32::try_from(row.attempts).unwrap_or_default(),
            next_attempt_at: row.next_attempt_at.map(|at| at.0),
            owner: row.owner,
            lease_until: row.lease_until.map(|at| at.0),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

/// A revocation of which something is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DueRevocation {
    /// Whose organization.
    pub organization_id: OrganizationId,
    /// In which account.
    pub account_id: AccountId,
    /// Which.
    pub id: RevocationId,
    /// When, or when the lease of whoever is at it ends.
    pub due: Timestamp,
}

impl ReadTx {
    /// The revocation with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn revocation(&mut self, id: RevocationId) -> Result<Option<Revocation>> {
        let (organization, account) = self.bound()?;
        let row: Option<RevocationRow> =
            db::query_as(concat!("SELECT ", columns!(), " FROM revocations WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL)"))
                .bind(id.uuid())
                .bind(organization)
                .bind(account)
                .fetch_optional(&mut self.tx)
                .await?;
        row.map(Revocation::try_from).transpose()
    }

    /// One page of revocations.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn revocations(&mut self, query: &ListQuery) -> Result<Listed<Revocation>> {
        list::page::<RevocationRow, _>(self, &NOUN, query, true, &[]).await
    }

    /// How many revocations still need a provider app to ask with.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn revocations_through(&mut self, app: ProviderAppId) -> Result<u64> {
        let organization = self.bound_organization()?;
        let (number,): (i64,) = db::query_as("SELECT count(*) FROM revocations WHERE organization_id = $1 AND provider_app_id = $2 AND next_attempt_at IS NOT NULL")
            .bind(organization)
            .bind(app.uuid())
            .fetch_one(&mut self.tx)
            .await?;
        Ok(row::count(number))
    }

    /// The revocations of all organizations that are not at their end, the earliest first. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn due_revocations(&mut self, limit: u32) -> Result<Vec<DueRevocation>> {
        self.system("the revocations of all organizations")?;
        let rows: Vec<(Uuid, Uuid, Uuid, At)> =
            db::query_as("SELECT organization_id, account_id, id, next_attempt_at FROM revocations WHERE next_attempt_at IS NOT NULL ORDER BY next_attempt_at, id LIMIT $1")
                .bind(i64::from(limit))
                .fetch_all(&mut self.tx)
                .await?;
        Ok(rows
            .into_iter()
            .map(|(organization, account, id, due)| DueRevocation {
                organization_id: OrganizationId::from_uuid(organization),
                account_id: AccountId::from_uuid(account),
                id: RevocationId::from_uuid(id),
                due: due.0,
            })
            .collect())
    }
}

impl Secrets<'_> {
    /// What a revocation sends, until its end.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn sealed_revocation(&mut self, id: RevocationId) -> Result<Option<Envelope>> {
        let (organization, account) = self.bound()?;
        let tokens = self.dialect().opened("tokens", "$4");
        let sql = format!("SELECT {tokens} FROM revocations WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL)");
        let row: Option<(Option<Json<Envelope>>,)> =
            db::query_as(AssertSqlSafe(sql)).bind(id.uuid()).bind(organization).bind(account).bind_key(&self.tx).fetch_optional(&mut self.tx).await?;
        Ok(row.and_then(|(envelope,)| envelope.map(|json| json.0)))
    }

    /// The sets of tokens that the purge of what was deleted before `before` would drop: the credential, which may be deleted with its
    /// integration or by itself, and the envelope.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn sealed_sets_deleted(&mut self, before: Timestamp) -> Result<Vec<(CredentialId, IntegrationId, Envelope)>> {
        let (organization, _) = self.bound()?;
        let set = self.dialect().opened("place.credentials", "$3");
        let sql = format!(
            "SELECT gone.id, place.id, {set} FROM credentials AS gone JOIN integration_instances AS place ON place.id = gone.sealed_integration_id AND place.organization_id = gone.organization_id WHERE gone.organization_id = $1 AND gone.kind = 'o_auth_user' AND place.credentials IS NOT NULL AND (gone.deleted_at < $2 OR place.deleted_at < $2) AND NOT EXISTS (SELECT 1 FROM credentials AS live WHERE live.sealed_integration_id = place.id AND live.id <> gone.id AND (live.deleted_at IS NULL OR live.deleted_at >= $2)) ORDER BY gone.id"
        );
        let rows: Vec<(Uuid, Uuid, Json<Envelope>)> = db::query_as(AssertSqlSafe(sql)).bind(organization).bind(At(before)).bind_key(&self.tx).fetch_all(&mut self.tx).await?;
        Ok(rows.into_iter().map(|(credential, integration, set)| (CredentialId::from_uuid(credential), IntegrationId::from_uuid(integration), set.0)).collect())
    }
}

impl SecretWriteTx {
    /// Takes the lease on a revocation that is due. None when it is at its end, or when another process is at it; `dead` names one
    /// whose lease counts no more.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn claim_revocation(&mut self, id: RevocationId, owner: &str, dead: Option<&str>, now: Timestamp, until: Timestamp) -> Result<Option<Revocation>> {
        let (organization, account) = self.bound()?;
        let row: Option<RevocationRow> = db::query_as(concat!(
            "UPDATE revocations SET owner = $4, lease_until = $6, updated_at = $5, state = CASE WHEN state = 'pending' THEN 'sent' ELSE state END, attempts = attempts + 1 WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND next_attempt_at <= $5 AND (lease_until IS NULL OR lease_until <= $5 OR owner = $7) RETURNING ",
            columns!()
        ))
        .bind(id.uuid())
        .bind(organization)
        .bind(account)
        .bind(owner)
        .bind(At(now))
        .bind(At(until))
        .bind(dead)
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(Revocation::try_from).transpose()
    }
}

impl WriteTx {
    /// Adds a revocation with what it sends, if there is anything to send.
    ///
    /// # Errors
    /// [`StoreError::DanglingReference`], and those of the database.
    pub async fn insert_revocation(&mut self, revocation: &Revocation, tokens: Option<&Envelope>) -> Result<()> {
        self.check_tenant(revocation.organization_id.uuid(), Some(revocation.account_id.uuid()))?;
        let sealed = self.dialect().sealed("$12", "$17");
        let sql = format!(
            "INSERT INTO revocations (id, organization_id, account_id, integration_id, integration_name, provider, definition_id, provider_app_id, receipt_id, reason, state, tokens, proof, attempts, next_attempt_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, {sealed}, $13, $14, $15, $16, $16)"
        );
        db::query(AssertSqlSafe(sql))
            .bind(revocation.id.uuid())
            .bind(revocation.organization_id.uuid())
            .bind(revocation.account_id.uuid())
            .bind(revocation.integration_id.uuid())
            .bind(&revocation.integration_name)
            .bind(revocation.provider.as_str())
            .bind(revocation.definition.uuid())
            .bind(revocation.provider_app_id.map(ProviderAppId::uuid))
            .bind(revocation.receipt_id.map(ReceiptId::uuid))
            .bind(revocation.reason.as_str())
            .bind(revocation.state.as_str())
            .bind(tokens.map(Json))
            .bind(Json(&revocation.proof))
            .bind(i64::from(revocation.attempts))
            .bind(row::at(revocation.next_attempt_at))
            .bind(At(revocation.created_at))
            .bind_key(&self.tx)
            .execute(&mut self.tx)
            .await?;
        self.changed(ChangeKind::Revocation, revocation.id, Some(revocation.account_id))
    }

    /// Writes how far a revocation is and gives its lease back. With nothing left to do, what it would send is erased. Says whether
    /// `owner` still had the lease; without one, whether nobody has it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn put_revocation(&mut self, revocation: &Revocation, owner: Option<&str>, now: Timestamp) -> Result<bool> {
        let (organization, account) = self.bound()?;
        let done = db::query(
            "UPDATE revocations SET state = $4, proof = $5, attempts = $6, next_attempt_at = $7, owner = NULL, lease_until = NULL, updated_at = $8, tokens = CASE WHEN $10 THEN NULL ELSE tokens END WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND (owner = $9 OR (owner IS NULL AND $9 IS NULL) OR (lease_until <= $8 AND $9 IS NULL))",
        )
        .bind(revocation.id.uuid())
        .bind(organization)
        .bind(account)
        .bind(revocation.state.as_str())
        .bind(Json(&revocation.proof))
        .bind(i64::from(revocation.attempts))
        .bind(row::at(revocation.next_attempt_at))
        .bind(At(now))
        .bind(owner)
        .bind(revocation.next_attempt_at.is_none())
        .execute(&mut self.tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        self.changed(ChangeKind::Revocation, revocation.id, Some(revocation.account_id))?;
        Ok(true)
    }

    /// Replaces what a revocation sends, by whoever has its lease.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn set_sealed_revocation(&mut self, id: RevocationId, owner: &str, tokens: &Envelope) -> Result<bool> {
        let (organization, account) = self.bound()?;
        let sealed = self.dialect().sealed("$5", "$6");
        let sql = format!("UPDATE revocations SET tokens = {sealed} WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND owner = $4");
        let done = db::query(AssertSqlSafe(sql)).bind(id.uuid()).bind(organization).bind(account).bind(owner).bind(Json(tokens)).bind_key(&self.tx).execute(&mut self.tx).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Removes revocations that came to their end before `before`. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn remove_old_revocations(&mut self, before: Timestamp) -> Result<u64> {
        self.system("the revocations of all organizations")?;
        let done = db::query("DELETE FROM revocations WHERE updated_at < $1 AND next_attempt_at IS NULL AND state IN ('proven', 'revoked')")
            .bind(At(before))
            .execute(&mut self.tx)
            .await?;
        Ok(done.rows_affected())
    }
}

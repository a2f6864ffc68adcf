//! Consent receipts: who agreed to what, and when. They are added and ended, and lose their person; nothing else of them changes.

use patchbay_model::change::ChangeKind;
use patchbay_model::end_user::{ConsentReceipt, EndUser, Subject, Withdrawal};
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::{AccountId, ConnectSessionId, EndUserId, IntegrationId, OrganizationId, ProviderId, ReceiptId, RevocationId, Timestamp};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db::{self, QueryBuilder};
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::list::{self, Category, Field, Kind, Noun};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

const TABLE: &str = "consent_receipts";

pub(crate) const NOUN: Noun = Noun {
    table: TABLE,
    columns: "id, organization_id, account_id, integration_id, end_user_id, connect_session_id, provider, issuer, scopes, subject, granted_at, ended_at, erased_at, expires_at, revocation_id, withdrawn_by",
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("integration_id", "integration_id", Kind::Id),
        Field::new("provider", "provider", Kind::Text),
        Field::new("scopes", "scopes", Kind::Texts),
        Field::new("granted_at", "granted_at", Kind::Time),
        Field::nullable("ended_at", "ended_at", Kind::Time),
    ],
    default_order: "granted_at",
    account: Some("account_id"),
    category: Category::OfIntegration("consent_receipts.integration_id"),
    tombstones: false,
};

#[derive(FromRow)]
struct ReceiptRow {
    id: Uuid,
    organization_id: Uuid,
    account_id: Uuid,
    integration_id: Uuid,
    end_user_id: Option<Uuid>,
    connect_session_id: Option<Uuid>,
    provider: String,
    issuer: Option<String>,
    scopes: Json<Vec<String>>,
    subject: Option<String>,
    granted_at: At,
    ended_at: Option<At>,
    erased_at: Option<At>,
    expires_at: Option<At>,
    revocation_id: Option<Uuid>,
    withdrawn_by: Option<String>,
}

impl TryFrom<ReceiptRow> for ConsentReceipt {
    type Error = StoreError;

    fn try_from(row: ReceiptRow) -> Result<Self> {
        Ok(Self {
            id: ReceiptId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            account_id: AccountId::from_uuid(row.account_id),
            integration_id: IntegrationId::from_uuid(row.integration_id),
            end_user_id: row.end_user_id.map(EndUserId::from_uuid),
            connect_session_id: row.connect_session_id.map(ConnectSessionId::from_uuid),
            provider: ProviderId::parse(&row.provider).map_err(|problem| row::bad(TABLE, "provider", problem.message))?,
            issuer: row.issuer,
            scopes: row.scopes.0,
            subject: row.subject,
            granted_at: row.granted_at.0,
            ended_at: row.ended_at.map(|at| at.0),
            erased_at: row.erased_at.map(|at| at.0),
            expires_at: row.expires_at.map(|at| at.0),
            revocation_id: row.revocation_id.map(RevocationId::from_uuid),
            withdrawn_by: row.withdrawn_by.map(|word| row::word(TABLE, "withdrawn_by", &word)).transpose()?,
        })
    }
}

impl ReadTx {
    /// One page of the receipts of a person.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn receipts_of(&mut self, person: &EndUser, query: &ListQuery) -> Result<Listed<ConsentReceipt>> {
        let (account, id) = (person.account_id, person.id);
        let of_person = move |sql: &mut QueryBuilder| {
            sql.push("account_id = ").push_bind(account.uuid()).push(" AND end_user_id = ").push_bind(id.uuid());
        };
        list::page::<ReceiptRow, _>(self, &NOUN, query, true, &[&of_person]).await
    }

    /// Every receipt of an integration, the oldest first, whoever agreed.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn receipts_of_integration(&mut self, integration: IntegrationId) -> Result<Vec<ConsentReceipt>> {
        let (organization, account) = self.bound()?;
        let sql =
            format!("SELECT {} FROM consent_receipts WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND integration_id = $3 ORDER BY granted_at, id", NOUN.columns);
        let rows: Vec<ReceiptRow> = db::query_as(sqlx::AssertSqlSafe(sql)).bind(organization).bind(account).bind(integration.uuid()).fetch_all(&mut self.tx).await?;
        rows.into_iter().map(ConsentReceipt::try_from).collect()
    }

    /// The subjects under which providers named a person, each once.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn subjects_of(&mut self, person: &EndUser) -> Result<Vec<String>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<(String,)> = db::query_as("SELECT DISTINCT subject FROM consent_receipts WHERE organization_id = $1 AND account_id = $2 AND (account_id = $3 OR $3 IS NULL) AND end_user_id = $4 AND subject IS NOT NULL")
            .bind(organization)
            .bind(person.account_id.uuid())
            .bind(account)
            .bind(person.id.uuid())
            .fetch_all(&mut self.tx)
            .await?;
        Ok(rows.into_iter().map(|(subject,)| subject).collect())
    }

    /// The receipt with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn receipt(&mut self, id: ReceiptId) -> Result<Option<ConsentReceipt>> {
        let (organization, account) = self.bound()?;
        let sql = format!("SELECT {} FROM consent_receipts WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL)", NOUN.columns);
        let row: Option<ReceiptRow> = db::query_as(sqlx::AssertSqlSafe(sql)).bind(id.uuid()).bind(organization).bind(account).fetch_optional(&mut self.tx).await?;
        row.map(ConsentReceipt::try_from).transpose()
    }

    /// The integrations for which a person's consent is in force at a provider, at most a hundred.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn consents_in_force_of(&mut self, subject: &Subject) -> Result<Vec<IntegrationId>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<(Uuid,)> = db::query_as("SELECT DISTINCT integration_id FROM consent_receipts WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND provider = $3 AND (issuer = $4 OR (issuer IS NULL AND $4 IS NULL)) AND subject = $5 AND ended_at IS NULL ORDER BY integration_id LIMIT 100")
            .bind(organization)
            .bind(account)
            .bind(subject.provider.as_str())
            .bind(&subject.issuer)
            .bind(&subject.subject)
            .fetch_all(&mut self.tx)
            .await?;
        Ok(rows.into_iter().map(|(id,)| IntegrationId::from_uuid(id)).collect())
    }
}

impl WriteTx {
    /// Adds a receipt; those of the same integration that are in force end with it.
    ///
    /// # Errors
    /// [`StoreError::DanglingReference`], and those of the database.
    pub async fn insert_receipt(&mut self, receipt: &ConsentReceipt) -> Result<()> {
        self.check_tenant(receipt.organization_id.uuid(), Some(receipt.account_id.uuid()))?;
        self.end_receipts(receipt.integration_id, receipt.granted_at).await?;
        db::query("INSERT INTO consent_receipts (id, organization_id, account_id, integration_id, end_user_id, connect_session_id, provider, issuer, scopes, subject, granted_at, ended_at, erased_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)")
            .bind(receipt.id.uuid())
            .bind(receipt.organization_id.uuid())
            .bind(receipt.account_id.uuid())
            .bind(receipt.integration_id.uuid())
            .bind(receipt.end_user_id.map(EndUserId::uuid))
            .bind(receipt.connect_session_id.map(ConnectSessionId::uuid))
            .bind(receipt.provider.as_str())
            .bind(&receipt.issuer)
            .bind(Json(&receipt.scopes))
            .bind(&receipt.subject)
            .bind(At(receipt.granted_at))
            .bind(row::at(receipt.ended_at))
            .bind(row::at(receipt.erased_at))
            .bind(row::at(receipt.expires_at))
            .execute(&mut self.tx)
            .await?;
        if let Some(person) = receipt.end_user_id {
            self.changed(ChangeKind::EndUser, person, Some(receipt.account_id))?;
        }
        Ok(())
    }

    /// Ends the receipts of an integration that are in force: it was disconnected, or somebody agreed anew. Gives their number.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn end_receipts(&mut self, integration: IntegrationId, now: Timestamp) -> Result<u64> {
        Ok(u64::try_from(self.end_receipts_by(integration, None, now).await?.len()).unwrap_or_default())
    }

    /// As [`Self::end_receipts`], noting who took the consent back. Gives the receipts.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn end_receipts_by(&mut self, integration: IntegrationId, by: Option<Withdrawal>, now: Timestamp) -> Result<Vec<ReceiptId>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<(Uuid, Option<Uuid>, Uuid)> = db::query_as(
            "UPDATE consent_receipts SET ended_at = $4, withdrawn_by = $5 WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND integration_id = $3 AND ended_at IS NULL RETURNING id, end_user_id, account_id",
        )
        .bind(organization)
        .bind(account)
        .bind(integration.uuid())
        .bind(At(now))
        .bind(by.map(Withdrawal::as_str))
        .fetch_all(&mut self.tx)
        .await?;
        for (_, person, account) in &rows {
            if let Some(person) = person {
                self.changed(ChangeKind::EndUser, person, Some(AccountId::from_uuid(*account)))?;
            }
        }
        Ok(rows.into_iter().map(|(id, ..)| ReceiptId::from_uuid(id)).collect())
    }

    /// Notes by which revocation the access of a receipt ends.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn revoke_receipt(&mut self, id: ReceiptId, revocation: RevocationId) -> Result<()> {
        let (organization, account) = self.bound()?;
        db::query("UPDATE consent_receipts SET revocation_id = $4 WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL)")
            .bind(id.uuid())
            .bind(organization)
            .bind(account)
            .bind(revocation.uuid())
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }
}

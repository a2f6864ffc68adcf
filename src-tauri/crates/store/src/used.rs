//! What of a deletion's reach was in use lately: integrations that were called, tokens that were shown. Asked before a
//! delete, so that nobody takes away what somebody works with.

use patchbay_model::{AccountId, CredentialId, IntegrationId, IntegrationPointId, MemberId, Origin, ProviderAppId, Scope, Timestamp, TokenId};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::Result;
use crate::row;
use crate::store::Store;
use crate::transaction::ReadTx;

/// The object that a delete would take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Affected {
    /// An account: its integrations and their tokens.
    Account(AccountId),
    /// An integration and its tokens.
    Integration(IntegrationId),
    /// A point: the integrations under it.
    IntegrationPoint(IntegrationPointId),
    /// A credential: the integrations that refer to it.
    Credential(CredentialId),
    /// A provider app: the integrations that were authorized through it.
    ProviderApp(ProviderAppId),
    /// A member: the organization tokens that it made or signed in with.
    Member(MemberId),
    /// A token container.
    Token(TokenId),
}

impl Affected {
    /// Conditions that choose integrations and token containers, over the object's id as `$3`.
    const fn conditions(self) -> (Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Account(_) => (Some("account_id = $3"), Some("account_id = $3")),
            Self::Integration(_) => (Some("id = $3"), Some("integration_id = $3")),
            Self::IntegrationPoint(_) => (Some("integration_point_id = $3"), None),
            Self::Credential(_) => (
                Some(
                    "id IN (SELECT reference.integration_id FROM integration_credential_references AS reference WHERE reference.organization_id = $1 AND reference.credential_id = $3)",
                ),
                None,
            ),
            Self::ProviderApp(_) => (
                Some(
                    "id IN (SELECT authorized.integration_id FROM credentials AS authorized WHERE authorized.organization_id = $1 AND authorized.provider_app_id = $3 AND authorized.deleted_at IS NULL)",
                ),
                None,
            ),
            Self::Member(_) => (None, Some("member_id = $3 AND owner_type = 'organization'")),
            Self::Token(_) => (None, Some("id = $3")),
        }
    }

    const fn id(self) -> Uuid {
        match self {
            Self::Account(id) => id.uuid(),
            Self::Integration(id) => id.uuid(),
            Self::IntegrationPoint(id) => id.uuid(),
            Self::Credential(id) => id.uuid(),
            Self::ProviderApp(id) => id.uuid(),
            Self::Member(id) => id.uuid(),
            Self::Token(id) => id.uuid(),
        }
    }
}

impl ReadTx {
    /// How many of the integrations and tokens that a delete would take, or leave without what they need, were used since.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn used_since(&mut self, affected: Affected, since: Timestamp) -> Result<u64> {
        let (organization, account) = self.bound()?;
        let (integrations, tokens) = affected.conditions();
        let mut used = 0;
        for (table, condition) in [("integration_instances", integrations), ("token_containers", tokens)] {
            let Some(condition) = condition else { continue };
            let sql = format!(
                "SELECT count(*) FROM {table} WHERE organization_id = $1 AND (account_id = $2 OR $2 IS NULL) AND {condition} AND deleted_at IS NULL AND last_used_at >= $4"
            );
            let (number,): (i64,) = db::query_as(AssertSqlSafe(sql)).bind(organization).bind(account).bind(affected.id()).bind(At(since)).fetch_one(&mut self.tx).await?;
            used += row::count(number);
        }
        Ok(used)
    }
}

impl Store {
    /// Writes when tokens were last shown, in one transaction. Those that are gone by now are passed over.
    ///
    /// # Errors
    /// Those of the database; nothing was written then.
    pub async fn flush_token_uses(&self, uses: &[(TokenId, Timestamp)]) -> Result<()> {
        if uses.is_empty() {
            return Ok(());
        }
        let mut tx = self.write(Scope::System, Origin::Background).await?;
        for (token, at) in uses {
            db::query("UPDATE token_containers SET last_used_at = $2 WHERE id = $1 AND deleted_at IS NULL AND (last_used_at IS NULL OR last_used_at < $2)")
                .bind(token.uuid())
                .bind(At(*at))
                .execute(&mut tx.tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

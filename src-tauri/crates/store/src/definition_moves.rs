//! Moves of integrations between versions of a definition. Each keeps the configuration before and after, so that it can be
//! rolled back as long as nobody edited the integration since.

use patchbay_model::definition::DefinitionMove;
use patchbay_model::{AccountId, DefinitionId, DefinitionMoveId, IntegrationId, MemberId, OrganizationId, Timestamp};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::transaction::{ReadTx, WriteTx};

#[derive(FromRow)]
struct MoveRow {
    id: Uuid,
    organization_id: Uuid,
    account_id: Uuid,
    integration_id: Uuid,
    from_definition: Uuid,
    to_definition: Uuid,
    config_before: Json<serde_json::Value>,
    config_after: Json<serde_json::Value>,
    member_id: Uuid,
    moved_at: At,
    rolled_back_at: Option<At>,
}

impl From<MoveRow> for DefinitionMove {
    fn from(row: MoveRow) -> Self {
        Self {
            id: DefinitionMoveId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            account_id: AccountId::from_uuid(row.account_id),
            integration_id: IntegrationId::from_uuid(row.integration_id),
            from: DefinitionId::from_uuid(row.from_definition),
            to: DefinitionId::from_uuid(row.to_definition),
            config_before: row.config_before.0,
            config_after: row.config_after.0,
            member_id: MemberId::from_uuid(row.member_id),
            moved_at: row.moved_at.0,
            rolled_back_at: row.rolled_back_at.map(|at| at.0),
        }
    }
}

impl ReadTx {
    /// The newest move of an integration that was not rolled back.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn last_move(&mut self, account: AccountId, integration: IntegrationId) -> Result<Option<DefinitionMove>> {
        let (organization, bound) = self.bound()?;
        let row: Option<MoveRow> = db::query_as("SELECT id, organization_id, account_id, integration_id, from_definition, to_definition, config_before, config_after, member_id, moved_at, rolled_back_at FROM definition_moves WHERE organization_id = $1 AND account_id = $2 AND (account_id = $3 OR $3 IS NULL) AND integration_id = $4 AND rolled_back_at IS NULL ORDER BY moved_at DESC, id DESC LIMIT 1")
            .bind(organization)
            .bind(account.uuid())
            .bind(bound)
            .bind(integration.uuid())
            .fetch_optional(&mut self.tx)
            .await?;
        Ok(row.map(DefinitionMove::from))
    }
}

impl WriteTx {
    /// Writes a move down.
    ///
    /// # Errors
    /// [`StoreError::DanglingReference`] for an integration or definition that is not there, and those of the database.
    pub async fn insert_move(&mut self, made: &DefinitionMove) -> Result<()> {
        self.check_tenant(made.organization_id.uuid(), Some(made.account_id.uuid()))?;
        db::query("INSERT INTO definition_moves (id, organization_id, account_id, integration_id, from_definition, to_definition, config_before, config_after, member_id, moved_at, rolled_back_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
            .bind(made.id.uuid())
            .bind(made.organization_id.uuid())
            .bind(made.account_id.uuid())
            .bind(made.integration_id.uuid())
            .bind(made.from.uuid())
            .bind(made.to.uuid())
            .bind(Json(&made.config_before))
            .bind(Json(&made.config_after))
            .bind(made.member_id.uuid())
            .bind(At(made.moved_at))
            .bind(made.rolled_back_at.map(At))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Notes that a move was rolled back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none or it was rolled back before, and those of the database.
    pub async fn roll_back_move(&mut self, id: DefinitionMoveId, now: Timestamp) -> Result<()> {
        let (organization, account) = self.bound()?;
        let done =
            db::query("UPDATE definition_moves SET rolled_back_at = $4 WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND rolled_back_at IS NULL")
                .bind(id.uuid())
                .bind(organization)
                .bind(account)
                .bind(At(now))
                .execute(&mut self.tx)
                .await?;
        if done.rows_affected() == 0 { Err(StoreError::not_found(DefinitionMoveId::NOUN, id)) } else { Ok(()) }
    }
}

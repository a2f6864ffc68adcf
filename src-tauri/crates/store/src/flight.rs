//! The flight recorder of consents: steps are added, and go with their session.

use patchbay_model::change::ChangeKind;
use patchbay_model::consent::ConnectSession;
use patchbay_model::flight::{FlightStep, MOST_STEPS, NewStep, StepDetail, StepKind};
use patchbay_model::{AccountId, ConnectLegId, ConnectSessionId, OrganizationId, Timestamp};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

const TABLE: &str = "flight_steps";

#[derive(FromRow)]
struct StepRow {
    session_id: Uuid,
    number: i64,
    organization_id: Uuid,
    account_id: Uuid,
    leg_id: Option<Uuid>,
    at: At,
    kind: String,
    detail: Json<StepDetail>,
}

impl TryFrom<StepRow> for FlightStep {
    type Error = StoreError;

    fn try_from(row: StepRow) -> Result<Self> {
        Ok(Self {
            session_id: ConnectSessionId::from_uuid(row.session_id),
            number: u32::try_from(row.number).map_err(|_| row::bad(TABLE, "number", "is no place"))?,
            organization_id: OrganizationId::from_uuid(row.organization_id),
            account_id: AccountId::from_uuid(row.account_id),
            step: NewStep { kind: row::word::<StepKind>(TABLE, "kind", &row.kind)?, leg: row.leg_id.map(ConnectLegId::from_uuid), at: row.at.0, detail: row.detail.0 },
        })
    }
}

impl ReadTx {
    /// The steps of a consent, in their order.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn flight_steps(&mut self, session: ConnectSessionId) -> Result<Vec<FlightStep>> {
        let (organization, account) = self.bound()?;
        let rows: Vec<StepRow> = db::query_as(
            "SELECT session_id, number, organization_id, account_id, leg_id, at, kind, detail FROM flight_steps WHERE session_id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) ORDER BY number",
        )
        .bind(session.uuid())
        .bind(organization)
        .bind(account)
        .fetch_all(&mut self.tx)
        .await?;
        rows.into_iter().map(FlightStep::try_from).collect()
    }
}

impl WriteTx {
    /// The last step of a consent that ended by itself.
    pub(crate) async fn end_flight(&mut self, session: Uuid, detail: StepDetail, now: Timestamp) -> Result<()> {
        let detail = detail.bounded();
        db::query("INSERT INTO flight_steps (session_id, number, organization_id, account_id, at, kind, detail) SELECT id, recorded + 1, organization_id, account_id, $2, 'ended', $3 FROM connect_sessions WHERE id = $1 AND recorded < $4")
            .bind(session)
            .bind(At(now))
            .bind(Json(&detail))
            .bind(i64::from(MOST_STEPS))
            .execute(&mut self.tx)
            .await?;
        db::query("UPDATE connect_sessions SET recorded = recorded + 1 WHERE id = $1 AND recorded < $2").bind(session).bind(i64::from(MOST_STEPS)).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Adds steps to a consent, until there are `most`: a page that goes round in circles leaves room for what comes after
    /// it. Gives how many there are now.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn add_flight_steps(&mut self, session: &ConnectSession, steps: Vec<NewStep>, most: u32) -> Result<u32> {
        self.check_tenant(session.organization_id.uuid(), Some(session.account_id.uuid()))?;
        let (organization, account) = self.bound()?;
        // Written, not read: whoever adds steps to the same consent at this moment waits here, and no two take one place.
        let known: Option<(i64,)> = db::query_as(
            "UPDATE connect_sessions SET recorded = recorded WHERE id = $1 AND organization_id = $2 AND (account_id = $3 OR $3 IS NULL) AND deleted_at IS NULL RETURNING recorded",
        )
        .bind(session.id.uuid())
        .bind(organization)
        .bind(account)
        .fetch_optional(&mut self.tx)
        .await?;
        let Some(mut number) = known.map(|(known,)| known) else { return Err(StoreError::not_found(ConnectSessionId::NOUN, session.id)) };
        for step in steps {
            if number >= i64::from(most.min(MOST_STEPS)) {
                break;
            }
            number += 1;
            let detail = step.detail.bounded();
            db::query("INSERT INTO flight_steps (session_id, number, organization_id, account_id, leg_id, at, kind, origin, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
                .bind(session.id.uuid())
                .bind(number)
                .bind(session.organization_id.uuid())
                .bind(session.account_id.uuid())
                .bind(step.leg.map(ConnectLegId::uuid))
                .bind(At(step.at))
                .bind(step.kind.as_str())
                .bind(detail.seen.as_ref().map(|seen| seen.origin.clone()))
                .bind(Json(&detail))
                .execute(&mut self.tx)
                .await?;
        }
        db::query("UPDATE connect_sessions SET recorded = $2 WHERE id = $1").bind(session.id.uuid()).bind(number).execute(&mut self.tx).await?;
        self.changed(ChangeKind::ConnectSession, session.id, Some(session.account_id))?;
        Ok(u32::try_from(number).unwrap_or(MOST_STEPS))
    }
}

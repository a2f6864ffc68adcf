//! What was last found about provider apps, and when they are looked at next.

use std::collections::HashMap;

use patchbay_model::change::ChangeKind;
use patchbay_model::flight::Explanation;
use patchbay_model::preflight::{AppCheck, CheckKind, CheckOutcome, CheckWord, DueApp};
use patchbay_model::{OrganizationId, ProviderAppId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::Result;
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

const TABLE: &str = "app_checks";

/// What lies beside the outcome's word.
#[derive(Default, Deserialize, Serialize)]
struct Detail {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(FromRow)]
struct CheckRow {
    kind: String,
    subject: String,
    at: At,
    outcome: String,
    detail: Json<Detail>,
}

impl TryFrom<CheckRow> for AppCheck {
    type Error = crate::error::StoreError;

    fn try_from(row: CheckRow) -> Result<Self> {
        let Detail { explanation, why } = row.detail.0;
        let outcome = match (row::word::<CheckWord>(TABLE, "outcome", &row.outcome)?, explanation) {
            (CheckWord::Good, _) => CheckOutcome::Good,
            (CheckWord::Bad, Some(explanation)) => CheckOutcome::Bad(Box::new(explanation)),
            (CheckWord::Bad, None) => return Err(row::bad(TABLE, "detail", "says nothing of what is bad")),
            (CheckWord::CannotTell, _) => CheckOutcome::CannotTell { why: why.unwrap_or_default() },
        };
        Ok(Self { kind: row::word::<CheckKind>(TABLE, "kind", &row.kind)?, subject: row.subject, at: row.at.0, outcome })
    }
}

impl ReadTx {
    /// What was last found about an app.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn app_checks(&mut self, app: ProviderAppId) -> Result<Vec<AppCheck>> {
        let organization = self.bound_organization()?;
        let rows: Vec<CheckRow> =
            db::query_as("SELECT kind, subject, at, outcome, detail FROM app_checks WHERE provider_app_id = $1 AND organization_id = $2 ORDER BY kind, subject")
                .bind(app.uuid())
                .bind(organization)
                .fetch_all(&mut self.tx)
                .await?;
        let mut checks = rows.into_iter().map(AppCheck::try_from).collect::<Result<Vec<_>>>()?;
        checks.sort_by_key(|check| check.kind);
        Ok(checks)
    }

    /// Of each app that was tested: the worst outcome.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn worst_app_checks(&mut self) -> Result<HashMap<ProviderAppId, CheckWord>> {
        let organization = self.bound_organization()?;
        let rows: Vec<(Uuid, String)> = db::query_as("SELECT provider_app_id, outcome FROM app_checks WHERE organization_id = $1 GROUP BY provider_app_id, outcome")
            .bind(organization)
            .fetch_all(&mut self.tx)
            .await?;
        let mut worst = HashMap::new();
        for (app, outcome) in rows {
            let outcome = row::word::<CheckWord>(TABLE, "outcome", &outcome)?;
            let known = worst.entry(ProviderAppId::from_uuid(app)).or_insert(outcome);
            *known = outcome.max(*known);
        }
        Ok(worst)
    }

    /// When an app is looked at next.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn next_app_check(&mut self, app: ProviderAppId) -> Result<Option<Timestamp>> {
        let organization = self.bound_organization()?;
        let row: Option<(Option<At>,)> = db::query_as("SELECT next_check_at FROM provider_apps WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL")
            .bind(app.uuid())
            .bind(organization)
            .fetch_optional(&mut self.tx)
            .await?;
        Ok(row.and_then(|(at,)| at.map(|at| at.0)))
    }

    /// The apps of all organizations that are due, those first of which nobody has thought yet. System scope.
    ///
    /// # Errors
    /// [`crate::StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn due_provider_apps(&mut self, now: Timestamp, most: u32) -> Result<Vec<DueApp>> {
        self.system("the provider apps of all organizations")?;
        let rows: Vec<(Uuid, Uuid, Option<At>)> = db::query_as(
            "SELECT organization_id, id, next_check_at FROM provider_apps WHERE deleted_at IS NULL AND (next_check_at IS NULL OR next_check_at <= $1) ORDER BY CASE WHEN next_check_at IS NULL THEN 0 ELSE 1 END, next_check_at, id LIMIT $2",
        )
        .bind(At(now))
        .bind(i64::from(most))
        .fetch_all(&mut self.tx)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(organization, id, due)| DueApp { organization_id: OrganizationId::from_uuid(organization), id: ProviderAppId::from_uuid(id), due: due.map(|due| due.0) })
            .collect())
    }
}

impl WriteTx {
    /// Takes an app over that is due, until `next`. Says whether nobody else was faster.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn claim_app_check(&mut self, due: &DueApp, next: Timestamp) -> Result<bool> {
        self.whole_organization("the next look at a provider app")?;
        self.check_tenant(due.organization_id.uuid(), None)?;
        let done = match due.due {
            Some(at) => {
                let sql = "UPDATE provider_apps SET next_check_at = $3 WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL AND next_check_at = $4";
                db::query(sql).bind(due.id.uuid()).bind(due.organization_id.uuid()).bind(At(next)).bind(At(at)).execute(&mut self.tx).await?
            }
            None => {
                let sql = "UPDATE provider_apps SET next_check_at = $3 WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL AND next_check_at IS NULL";
                db::query(sql).bind(due.id.uuid()).bind(due.organization_id.uuid()).bind(At(next)).execute(&mut self.tx).await?
            }
        };
        Ok(done.rows_affected() == 1)
    }

    /// Puts what was found in the place of what was found before; of an app that was changed, nothing.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn put_app_checks(&mut self, app: ProviderAppId, checks: &[AppCheck]) -> Result<()> {
        let organization = self.whole_organization("what was found about a provider app")?;
        db::query("DELETE FROM app_checks WHERE provider_app_id = $1 AND organization_id = $2").bind(app.uuid()).bind(organization).execute(&mut self.tx).await?;
        for check in checks {
            let detail = match &check.outcome {
                CheckOutcome::Good => Detail::default(),
                CheckOutcome::Bad(explanation) => Detail { explanation: Some((**explanation).clone()), why: None },
                CheckOutcome::CannotTell { why } => Detail { explanation: None, why: Some(why.clone()) },
            };
            db::query("INSERT INTO app_checks (provider_app_id, organization_id, kind, subject, at, outcome, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)")
                .bind(app.uuid())
                .bind(organization)
                .bind(check.kind.as_str())
                .bind(&check.subject)
                .bind(At(check.at))
                .bind(check.outcome.word().as_str())
                .bind(Json(&detail))
                .execute(&mut self.tx)
                .await?;
        }
        self.changed(ChangeKind::ProviderApp, app, None)
    }
}

//! Deliveries of events to webhooks: an outbox, written in the transaction of the change, and the log of what came of it.
//!
//! A delivery goes: [`WriteTx::insert_delivery`] with the change; [`WriteTx::claim_delivery`], a lease under which one process
//! sends it; [`WriteTx::finish_delivery`]. A process that dies between the two leaves a lease that ends, and the delivery is
//! claimed anew under the same id: at least once. Of one webhook at most one delivery is under way.

use patchbay_model::change::ChangeKind;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::webhook::{Attempt, Delivery, DeliveryState};
use patchbay_model::{AccountId, DeliveryId, IntegrationId, OrganizationId, Timestamp, WebhookId};
use sqlx::FromRow;
use uuid::Uuid;

use crate::db::{self, QueryBuilder};
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::list::{self, Category, Field, Kind, Noun};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

macro_rules! columns {
    () => {
        "id, organization_id, webhook_id, account_id, integration_id, event, state, attempts, next_attempt_at, last_status, last_error, redelivery_of, delivered_at, created_at, updated_at"
    };
}

const TABLE: &str = "webhook_deliveries";

pub(crate) const NOUN: Noun = Noun {
    table: TABLE,
    columns: columns!(),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("event", "event", Kind::Text),
        Field::new("state", "state", Kind::Text),
        Field::nullable("account_id", "account_id", Kind::Id),
        Field::nullable("integration_id", "integration_id", Kind::Id),
        Field::new("attempts", "attempts", Kind::Number),
        Field::nullable("last_status", "last_status", Kind::Number),
        Field::nullable("redelivery_of", "redelivery_of", Kind::Id),
        Field::nullable("delivered_at", "delivered_at", Kind::Time),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("updated_at", "updated_at", Kind::Time),
    ],
    default_order: "created_at",
    account: None,
    category: Category::None,
    tombstones: false,
};

#[derive(FromRow)]
struct DeliveryRow {
    id: Uuid,
    organization_id: Uuid,
    webhook_id: Uuid,
    account_id: Option<Uuid>,
    integration_id: Option<Uuid>,
    event: String,
    state: String,
    attempts: i64,
    next_attempt_at: At,
    last_status: Option<i64>,
    last_error: Option<String>,
    redelivery_of: Option<Uuid>,
    delivered_at: Option<At>,
    created_at: At,
    updated_at: At,
}

type AttemptRow = (i64, At, Option<i64>, Option<String>, Option<String>, i64);

fn status(column: &'static str, value: Option<i64>) -> Result<Option<u16>> {
    value.map(|value| u16::try_from(value).map_err(|error| row::bad(TABLE, column, error.to_string()))).transpose()
}

fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self> {
        Ok(Self {
            id: DeliveryId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            webhook_id: WebhookId::from_uuid(row.webhook_id),
            account_id: row.account_id.map(AccountId::from_uuid),
            integration_id: row.integration_id.map(IntegrationId::from_uuid),
            event: row::word(TABLE, "event", &row.event)?,
            state: row::word(TABLE, "state", &row.state)?,
            attempts: small(row.attempts),
            next_attempt_at: row.next_attempt_at.0,
            last_status: status("last_status", row.last_status)?,
            last_error: row.last_error,
            redelivery_of: row.redelivery_of.map(DeliveryId::from_uuid),
            delivered_at: row.delivered_at.map(|at| at.0),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

/// A webhook that has something to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DueWebhook {
    /// Whose.
    pub organization_id: OrganizationId,
    /// Which.
    pub webhook_id: WebhookId,
    /// When the first of its deliveries is due, or the lease of the one under way ends.
    pub due: Timestamp,
}

/// What came of an attempt.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// The receiver took it.
    Delivered,
    /// It is tried again at this time.
    Again(Timestamp),
    /// It is given up.
    GivenUp,
}

impl ReadTx {
    /// The delivery of a webhook with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn delivery(&mut self, webhook: WebhookId, id: DeliveryId) -> Result<Option<Delivery>> {
        let organization = self.whole_organization("a delivery")?;
        let row: Option<DeliveryRow> = db::query_as(concat!("SELECT ", columns!(), " FROM webhook_deliveries WHERE id = $1 AND organization_id = $2 AND webhook_id = $3"))
            .bind(id.uuid())
            .bind(organization)
            .bind(webhook.uuid())
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(Delivery::try_from).transpose()
    }

    /// What a delivery sends, byte for byte: the signature is over these.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and those of the database.
    pub async fn delivery_payload(&mut self, id: DeliveryId) -> Result<String> {
        let organization = self.whole_organization("a delivery")?;
        let row: Option<(String,)> =
            db::query_as("SELECT payload FROM webhook_deliveries WHERE id = $1 AND organization_id = $2").bind(id.uuid()).bind(organization).fetch_optional(&mut self.tx).await?;
        row.map(|(payload,)| payload).ok_or_else(|| StoreError::not_found(DeliveryId::NOUN, id))
    }

    /// The attempts of a delivery, in order.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn delivery_attempts(&mut self, id: DeliveryId) -> Result<Vec<Attempt>> {
        let organization = self.whole_organization("a delivery")?;
        let rows: Vec<AttemptRow> =
            db::query_as("SELECT number, created_at, status, error, response, duration_ms FROM webhook_attempts WHERE delivery_id = $1 AND organization_id = $2 ORDER BY number")
                .bind(id.uuid())
                .bind(organization)
                .fetch_all(&mut self.tx)
                .await?;
        rows.into_iter()
            .map(|(number, at, answered, error, response, duration)| {
                Ok(Attempt { number: small(number), created_at: at.0, status: status("status", answered)?, error, response, duration_ms: row::count(duration) })
            })
            .collect()
    }

    /// One page of the deliveries of a webhook.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn deliveries(&mut self, webhook: WebhookId, query: &ListQuery) -> Result<Listed<Delivery>> {
        self.whole_organization("a delivery")?;
        let of_webhook = move |sql: &mut QueryBuilder| {
            sql.push("webhook_id = ").push_bind(webhook.uuid());
        };
        list::page::<DeliveryRow, _>(self, &NOUN, query, false, &[&of_webhook]).await
    }

    /// How many deliveries of a webhook wait or are under way.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_pending_deliveries(&mut self, webhook: WebhookId) -> Result<u64> {
        let organization = self.whole_organization("a delivery")?;
        let (number,): (i64,) = db::query_as("SELECT count(*) FROM webhook_deliveries WHERE organization_id = $1 AND webhook_id = $2 AND state IN ('pending', 'sending')")
            .bind(organization)
            .bind(webhook.uuid())
            .fetch_one(&mut self.tx)
            .await?;
        Ok(row::count(number))
    }

    /// Webhooks of all organizations with something to send, the earliest first. One that has a delivery under way is due when
    /// that one's lease ends. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn due_webhooks(&mut self) -> Result<Vec<DueWebhook>> {
        self.system("the deliveries of all organizations")?;
        // One look into the index per webhook, whatever waits behind it.
        let rows: Vec<(Uuid, Uuid, At)> = db::query_as(
            "SELECT due.organization_id, due.id, due.at FROM (SELECT hook.organization_id, hook.id, COALESCE((SELECT MAX(sent.next_attempt_at) FROM webhook_deliveries AS sent WHERE sent.organization_id = hook.organization_id AND sent.webhook_id = hook.id AND sent.state = 'sending'), (SELECT MIN(next.next_attempt_at) FROM webhook_deliveries AS next WHERE next.organization_id = hook.organization_id AND next.webhook_id = hook.id AND next.state IN ('pending', 'sending'))) AS at FROM organization_webhooks AS hook WHERE hook.deleted_at IS NULL) AS due WHERE due.at IS NOT NULL ORDER BY due.at, due.id",
        )
        .fetch_all(&mut self.tx)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(organization, webhook, due)| DueWebhook { organization_id: OrganizationId::from_uuid(organization), webhook_id: WebhookId::from_uuid(webhook), due: due.0 })
            .collect())
    }
}

impl WriteTx {
    /// Adds a delivery with what it sends; `owner` is who sends it already. An account's scope may: the change that it tells of
    /// is the account's.
    ///
    /// # Errors
    /// [`StoreError::DanglingReference`] for a webhook of another organization, and those of the database.
    pub async fn insert_delivery(&mut self, delivery: &Delivery, payload: &str, owner: Option<&str>) -> Result<()> {
        self.check_tenant(delivery.organization_id.uuid(), delivery.account_id.map(AccountId::uuid))?;
        db::query("INSERT INTO webhook_deliveries (id, organization_id, webhook_id, account_id, integration_id, event, payload, state, attempts, next_attempt_at, last_status, last_error, redelivery_of, delivered_at, created_at, updated_at, lease_owner) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)")
            .bind(delivery.id.uuid())
            .bind(delivery.organization_id.uuid())
            .bind(delivery.webhook_id.uuid())
            .bind(delivery.account_id.map(AccountId::uuid))
            .bind(delivery.integration_id.map(IntegrationId::uuid))
            .bind(delivery.event.as_str())
            .bind(payload)
            .bind(delivery.state.as_str())
            .bind(i64::from(delivery.attempts))
            .bind(At(delivery.next_attempt_at))
            .bind(delivery.last_status.map(i64::from))
            .bind(&delivery.last_error)
            .bind(delivery.redelivery_of.map(DeliveryId::uuid))
            .bind(row::at(delivery.delivered_at))
            .bind(At(delivery.created_at))
            .bind(At(delivery.updated_at))
            .bind(owner)
            .execute(&mut self.tx)
            .await?;
        self.changed(ChangeKind::WebhookDelivery, delivery.id, None)
    }

    /// Takes the lease on the first due delivery of a webhook until `until`; none when nothing is due, another one is under
    /// way, or the webhook is gone. An attempt that nobody finished before its lease ended is written down as lost, with `lost`
    /// as its error.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn claim_delivery(&mut self, webhook: WebhookId, owner: &str, now: Timestamp, until: Timestamp, lost: &str) -> Result<Option<Delivery>> {
        if self.webhook(webhook).await?.is_none() {
            return Ok(None);
        }
        let organization = self.whole_organization("a delivery")?;
        let (under_way,): (i64,) =
            db::query_as("SELECT count(*) FROM webhook_deliveries WHERE organization_id = $1 AND webhook_id = $2 AND state = 'sending' AND next_attempt_at > $3")
                .bind(organization)
                .bind(webhook.uuid())
                .bind(At(now))
                .fetch_one(&mut self.tx)
                .await?;
        if under_way > 0 {
            return Ok(None);
        }
        let row: Option<DeliveryRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM webhook_deliveries WHERE organization_id = $1 AND webhook_id = $2 AND state IN ('pending', 'sending') AND next_attempt_at <= $3 ORDER BY next_attempt_at, id LIMIT 1"
        ))
        .bind(organization)
        .bind(webhook.uuid())
        .bind(At(now))
        .fetch_optional(&mut self.tx)
        .await?;
        let Some(mut delivery) = row.map(Delivery::try_from).transpose()? else { return Ok(None) };
        if delivery.state == DeliveryState::Sending {
            self.insert_attempt(delivery.id, &Attempt { number: delivery.attempts, created_at: now, status: None, error: Some(lost.to_owned()), response: None, duration_ms: 0 })
                .await?;
        }
        delivery.state = DeliveryState::Sending;
        delivery.attempts += 1;
        delivery.next_attempt_at = until;
        delivery.updated_at = now;
        db::query("UPDATE webhook_deliveries SET state = 'sending', attempts = $3, next_attempt_at = $4, lease_owner = $5, updated_at = $6 WHERE id = $1 AND organization_id = $2")
            .bind(delivery.id.uuid())
            .bind(organization)
            .bind(i64::from(delivery.attempts))
            .bind(At(until))
            .bind(owner)
            .bind(At(now))
            .execute(&mut self.tx)
            .await?;
        Ok(Some(delivery))
    }

    /// Writes down what came of a delivery's attempt, which `owner` claimed under the number that the attempt has. Says
    /// whether the lease still held; where it did not, the attempt is in the log and the delivery is whoever's has it now.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn finish_delivery(&mut self, id: DeliveryId, owner: &str, attempt: &Attempt, outcome: &Outcome) -> Result<bool> {
        let organization = self.whole_organization("a delivery")?;
        let (state, next, delivered) = match outcome {
            Outcome::Delivered => (DeliveryState::Delivered, attempt.created_at, Some(attempt.created_at)),
            Outcome::Again(at) => (DeliveryState::Pending, *at, None),
            Outcome::GivenUp => (DeliveryState::Failed, attempt.created_at, None),
        };
        let done = db::query("UPDATE webhook_deliveries SET state = $5, next_attempt_at = $6, last_status = $7, last_error = $8, delivered_at = $9, lease_owner = NULL, updated_at = $10 WHERE id = $1 AND organization_id = $2 AND state = 'sending' AND lease_owner = $3 AND attempts = $4")
            .bind(id.uuid())
            .bind(organization)
            .bind(owner)
            .bind(i64::from(attempt.number))
            .bind(state.as_str())
            .bind(At(next))
            .bind(attempt.status.map(i64::from))
            .bind(&attempt.error)
            .bind(row::at(delivered))
            .bind(At(attempt.created_at))
            .execute(&mut self.tx)
            .await?;
        self.insert_attempt(id, attempt).await?;
        self.changed(ChangeKind::WebhookDelivery, id, None)?;
        Ok(done.rows_affected() > 0)
    }

    /// Gives back everything that `owner` has under way, to be sent at once by another; its attempts are written down with this
    /// error. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn release_deliveries(&mut self, owner: &str, now: Timestamp, error: &str) -> Result<u64> {
        self.system("the deliveries of all organizations")?;
        db::query("INSERT INTO webhook_attempts (delivery_id, organization_id, number, created_at, error, duration_ms) SELECT mine.id, mine.organization_id, mine.attempts, $2, $3, 0 FROM webhook_deliveries AS mine WHERE mine.state = 'sending' AND mine.lease_owner = $1 ON CONFLICT (delivery_id, number) DO NOTHING")
            .bind(owner)
            .bind(At(now))
            .bind(error)
            .execute(&mut self.tx)
            .await?;
        let done = db::query("UPDATE webhook_deliveries SET state = 'pending', next_attempt_at = $2, last_error = $3, lease_owner = NULL, updated_at = $2 WHERE state = 'sending' AND lease_owner = $1")
            .bind(owner)
            .bind(At(now))
            .bind(error)
            .execute(&mut self.tx)
            .await?;
        Ok(done.rows_affected())
    }

    /// The purge may have been quicker, and the lease may have been lost and written down so: the later truth stays.
    async fn insert_attempt(&mut self, id: DeliveryId, attempt: &Attempt) -> Result<()> {
        let organization = self.whole_organization("a delivery")?;
        db::query("INSERT INTO webhook_attempts (delivery_id, organization_id, number, created_at, status, error, response, duration_ms) SELECT owner.id, owner.organization_id, $3, $4, $5, $6, $7, $8 FROM webhook_deliveries AS owner WHERE owner.id = $1 AND owner.organization_id = $2 ON CONFLICT (delivery_id, number) DO UPDATE SET created_at = excluded.created_at, status = excluded.status, error = excluded.error, response = excluded.response, duration_ms = excluded.duration_ms")
            .bind(id.uuid())
            .bind(organization)
            .bind(i64::from(attempt.number))
            .bind(At(attempt.created_at))
            .bind(attempt.status.map(i64::from))
            .bind(&attempt.error)
            .bind(&attempt.response)
            .bind(i64::try_from(attempt.duration_ms).unwrap_or(i64::MAX))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Removes deliveries that ended before `before`, in all organizations. Gives how many. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn remove_old_deliveries(&mut self, before: Timestamp) -> Result<u64> {
        self.system("the deliveries of all organizations")?;
        let done = db::query("DELETE FROM webhook_deliveries WHERE state IN ('delivered', 'failed') AND updated_at < $1").bind(At(before)).execute(&mut self.tx).await?;
        Ok(done.rows_affected())
    }
}

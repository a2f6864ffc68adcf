//! The delivery log of a webhook.

use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::webhook::{Delivery, DeliveryState, OrganizationWebhook};
use patchbay_model::{DeliveryId, Operation, Problem};
use patchbay_store::ReadTx;

use super::DeliveryRecord;
use super::get::find;
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Lists the deliveries of a webhook, oldest first unless ordered otherwise.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the query and the store.
pub async fn list_deliveries(engine: &Engine, grant: &ManagementGrant, webhook: &str, query: ListQuery) -> Result<Listed<Delivery>, Problem> {
    grant.require_whole(Operation::OrganizationWebhooksListDeliveries)?;
    let mut tx = reach::reading(engine, grant).await?;
    let webhook = find(&mut tx, webhook).await?;
    Ok(tx.deliveries(webhook.id, &query).await?)
}

/// Reads a delivery with what is sent and all its attempts.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn get_delivery(engine: &Engine, grant: &ManagementGrant, webhook: &str, delivery: &str) -> Result<DeliveryRecord, Problem> {
    grant.require_whole(Operation::OrganizationWebhooksGetDelivery)?;
    let mut tx = reach::reading(engine, grant).await?;
    let webhook = find(&mut tx, webhook).await?;
    let delivery = delivery_of(&mut tx, &webhook, delivery).await?;
    whole(&mut tx, delivery).await
}

/// Sends an event once more, as a delivery of its own with the same nonce: a receiver that has had it can tell.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn redeliver(engine: &Engine, grant: &ManagementGrant, webhook: &str, delivery: &str) -> Result<DeliveryRecord, Problem> {
    grant.require_whole(Operation::OrganizationWebhooksRedeliver)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let now = tx.clock(engine.now()).await?;
    let webhook = find(&mut tx, webhook).await?;
    let before = delivery_of(&mut tx, &webhook, delivery).await?;
    let payload = tx.delivery_payload(before.id).await?;
    let again = Delivery {
        id: DeliveryId::from_uuid(engine.context().new_uuid()),
        state: DeliveryState::Pending,
        attempts: 0,
        next_attempt_at: now,
        last_status: None,
        last_error: None,
        redelivery_of: Some(before.id),
        delivered_at: None,
        created_at: now,
        updated_at: now,
        ..before
    };
    tx.insert_delivery(&again, &payload, None).await?;
    record(engine, &mut tx, grant, Done::created(Operation::OrganizationWebhooksRedeliver).giving(again.id, webhook.name.as_str())).await?;
    tx.commit().await?;
    Ok(DeliveryRecord { delivery: again, payload, attempts: Vec::new() })
}

/// The delivery of this id, of this webhook.
async fn delivery_of(tx: &mut ReadTx, webhook: &OrganizationWebhook, reference: &str) -> Result<Delivery, Problem> {
    let unknown = || Problem::not_found(DeliveryId::NOUN, reference);
    let id: DeliveryId = reference.parse().map_err(|_| unknown())?;
    tx.delivery(webhook.id, id).await?.ok_or_else(unknown)
}

/// A delivery with what lies beside it.
pub(super) async fn whole(tx: &mut ReadTx, delivery: Delivery) -> Result<DeliveryRecord, Problem> {
    let payload = tx.delivery_payload(delivery.id).await?;
    let attempts = tx.delivery_attempts(delivery.id).await?;
    Ok(DeliveryRecord { delivery, payload, attempts })
}

//! A rehearsal: one event that never happened, sent at once.

use patchbay_model::account::Account;
use patchbay_model::webhook::{Delivery, DeliveryState, OrganizationWebhook, WebhookFilter};
use patchbay_model::{AccountId, DeliveryId, Fullname, Name, Operation, Problem};
use serde_json::{Value, json};

use super::deliveries::whole;
use super::get::find;
use super::send::Parcel;
use super::worker::{LEASE, deliver, signing};
use super::{DeliveryRecord, payload};
use crate::audit::record::{Done, record};
use crate::contention::again;
use crate::{Engine, ManagementGrant, reach};

/// Beginning of a nonce by which a receiver knows a rehearsal; there is the header `X-Patchbay-Test: true` too.
const MARK: &str = "patchbay-test-";
/// Name of the account, and of the integration, that never were.
const EXAMPLE: &str = "patchbay-test";

/// Sends an event that never happened to a webhook and tells what came of it. The wire has no event of its own for that, so
/// it is the first one that the webhook is told of (`account_update` where that is all of them), about an account that does
/// not exist, under a nonce that begins with `patchbay-test-`. It is sent once, whatever comes of it.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store. A receiver that refuses is no error: the attempt says so.
pub async fn rehearse(engine: &Engine, grant: &ManagementGrant, webhook: &str) -> Result<DeliveryRecord, Problem> {
    grant.require_whole(Operation::OrganizationWebhooksTest)?;
    let parcel = again!(engine, { written(engine, grant, webhook).await });
    deliver(engine, &parcel).await;
    let mut tx = reach::reading(engine, grant).await?;
    let delivery = tx.delivery(parcel.webhook.id, parcel.delivery.id).await?.unwrap_or(parcel.delivery);
    whole(&mut tx, delivery).await
}

/// Writes the delivery down as one that is under way.
async fn written(engine: &Engine, grant: &ManagementGrant, webhook: &str) -> Result<Parcel, Problem> {
    let mut tx = reach::writing_organization_secrets(engine, grant).await?;
    let now = tx.clock(engine.now()).await?;
    let webhook = find(&mut tx, webhook).await?;
    let event = event(&webhook);
    let nonce = format!("{MARK}{}", engine.context().new_uuid());
    let account = example(engine, &webhook)?;
    let integration =
        matches!(event, WebhookFilter::IntegrationCreate | WebhookFilter::IntegrationUpdate | WebhookFilter::IntegrationDelete).then(|| example_integration(engine, &account));
    let payload = payload::payload(event, payload::account(&account), integration, &nonce);
    let delivery = Delivery {
        id: DeliveryId::from_uuid(engine.context().new_uuid()),
        organization_id: webhook.organization_id,
        webhook_id: webhook.id,
        account_id: None,
        integration_id: None,
        event,
        state: DeliveryState::Sending,
        attempts: 1,
        next_attempt_at: now.plus(LEASE),
        last_status: None,
        last_error: None,
        redelivery_of: None,
        delivered_at: None,
        created_at: now,
        updated_at: now,
    };
    tx.insert_delivery(&delivery, &payload, Some(&engine.outbound().lease_owner)).await?;
    let signing = signing(engine, tx.secrets(), &webhook).await?;
    record(engine, &mut tx, grant, Done::created(Operation::OrganizationWebhooksTest).giving(delivery.id, webhook.name.as_str())).await?;
    tx.commit().await?;
    Ok(Parcel { delivery, webhook, payload, signing, rehearsal: true })
}

fn event(webhook: &OrganizationWebhook) -> WebhookFilter {
    let named = webhook.filters.iter().copied().find(|filter| !matches!(filter, WebhookFilter::All | WebhookFilter::OperationComplete));
    named.filter(|_| !webhook.filters.contains(&WebhookFilter::All)).unwrap_or(WebhookFilter::AccountUpdate)
}

fn example(engine: &Engine, webhook: &OrganizationWebhook) -> Result<Account, Problem> {
    let now = engine.now();
    Ok(Account {
        id: AccountId::from_uuid(engine.context().new_uuid()),
        organization_id: webhook.organization_id,
        name: Name::parse(EXAMPLE)?,
        fullname: Fullname::parse("An account that does not exist, sent to test this webhook")?,
        environment: webhook.environment,
        labels: Vec::new(),
        external_id: EXAMPLE.to_owned(),
        created_at: now,
        updated_at: now,
    })
}

/// In the shape of a real one; nothing of it exists.
fn example_integration(engine: &Engine, account: &Account) -> Value {
    let id = || engine.context().new_uuid().to_string();
    json!({
        "id": id(),
        "name": EXAMPLE,
        "fullname": "An integration that does not exist, sent to test this webhook",
        "refresh_token_id": id(),
        "account_id": account.id,
        "category": "ticketing",
        "provider_config": { "type": "ticketing_mock_ticketing" },
        "provider_fullname": "Mock Ticketing",
        "provider_type": "ticketing_mock_ticketing",
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    })
}

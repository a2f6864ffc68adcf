//! Events: what a change of an account or an integration is to webhooks, written in the transaction of the change, so that
//! there is no change without its event and no event without its change.

use std::time::Duration;

use patchbay_model::account::Account;
use patchbay_model::audit::AuditEvent;
use patchbay_model::change::ChangeKind;
use patchbay_model::integration::Integration;
use patchbay_model::webhook::{Delivery, DeliveryState, OrganizationWebhook, WebhookFilter};
use patchbay_model::{AccountId, DeliveryId, Environment, IntegrationId, Operation, Problem, Timestamp};
use patchbay_store::WriteTx;

use super::payload;
use crate::{Engine, reach};

/// What happened to an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Happened {
    /// It was made, or brought back.
    Made,
    /// It was changed.
    Changed,
    /// It was deleted.
    Gone,
}

impl Happened {
    const fn to_account(self) -> WebhookFilter {
        match self {
            Self::Made => WebhookFilter::AccountCreate,
            Self::Changed => WebhookFilter::AccountUpdate,
            Self::Gone => WebhookFilter::AccountDelete,
        }
    }

    const fn to_integration(self) -> WebhookFilter {
        match self {
            Self::Made => WebhookFilter::IntegrationCreate,
            Self::Changed => WebhookFilter::IntegrationUpdate,
            Self::Gone => WebhookFilter::IntegrationDelete,
        }
    }
}

/// Writes a delivery for each webhook that is told of what an audit row says. With an account go its integrations, and come
/// back with it; each of them is an event.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn note(engine: &Engine, tx: &mut WriteTx, row: &AuditEvent) -> Result<(), Problem> {
    let Some((kind, happened)) = happened(row) else { return Ok(()) };
    let Some(id) = account_of(row) else { return Ok(()) };
    // An account that leaves an environment is told to both: those of the one that it left would never hear of it again.
    let before = row.before.as_ref().filter(|_| kind == ChangeKind::Account).and_then(|before| before.get("environment")?.as_str()?.parse::<Environment>().ok());
    let webhooks = tx.webhooks_of(id, before).await?;
    if webhooks.is_empty() {
        return Ok(());
    }
    let Some(account) = tx.account_even_deleted(id).await? else { return Ok(()) };
    // Events of one change are a microsecond apart, so that they stay in order.
    let mut at = tx.clock(engine.now()).await?;
    if kind == ChangeKind::Account {
        deliver(engine, tx, &webhooks, happened.to_account(), &account, None, at).await?;
        if happened != Happened::Changed && webhooks.iter().any(|webhook| webhook.filters.iter().any(|filter| filter.covers(happened.to_integration()))) {
            for integration in along(tx, row, account.id).await? {
                at = at.plus(Duration::from_micros(1));
                deliver(engine, tx, &webhooks, happened.to_integration(), &account, Some(&integration), at).await?;
            }
        }
        return Ok(());
    }
    let Some(id) = integration_of(row) else { return Ok(()) };
    if let Some(integration) = tx.integration_even_deleted(id).await? {
        deliver(engine, tx, &webhooks, happened.to_integration(), &account, Some(&integration), at).await?;
    }
    Ok(())
}

/// What a row of the audit log means for webhooks.
fn happened(row: &AuditEvent) -> Option<(ChangeKind, Happened)> {
    // A consent changes the integration that it connects.
    if row.operation == Operation::ConnectFinish.id() {
        return row.integration_id.map(|_| (ChangeKind::Integration, Happened::Changed));
    }
    let kind = row.object.map(|object| object.kind).filter(|kind| matches!(kind, ChangeKind::Account | ChangeKind::Integration))?;
    let happened = match (&row.before, &row.after) {
        _ if row.operation == Operation::DeletionsUndo.id() => Happened::Made,
        (None, Some(_)) => Happened::Made,
        (Some(_), Some(_)) => Happened::Changed,
        (Some(_), None) => Happened::Gone,
        (None, None) => return None,
    };
    Some((kind, happened))
}

fn account_of(row: &AuditEvent) -> Option<AccountId> {
    let object = row.object.filter(|object| object.kind == ChangeKind::Account).map(|object| AccountId::from_uuid(object.id));
    object.or(row.account_id)
}

fn integration_of(row: &AuditEvent) -> Option<IntegrationId> {
    let object = row.object.filter(|object| object.kind == ChangeKind::Integration).map(|object| IntegrationId::from_uuid(object.id));
    object.or(row.integration_id)
}

/// The integrations that went with an account, or came back with it.
async fn along(tx: &mut WriteTx, row: &AuditEvent, account: AccountId) -> Result<Vec<Integration>, Problem> {
    match row.deletion {
        Some(deletion) => Ok(tx.integrations_deleted_with(deletion).await?),
        None => reach::all_integrations(tx, account).await,
    }
}

async fn deliver(
    engine: &Engine,
    tx: &mut WriteTx,
    webhooks: &[OrganizationWebhook],
    event: WebhookFilter,
    account: &Account,
    integration: Option<&Integration>,
    at: Timestamp,
) -> Result<(), Problem> {
    let wanted = webhooks.iter().filter(|webhook| webhook.filters.iter().any(|filter| filter.covers(event)));
    let mut body = None;
    for webhook in wanted {
        // One nonce per event, whoever is told of it.
        let body = body.get_or_insert_with(|| {
            let nonce = engine.context().new_uuid().to_string();
            payload::payload(event, payload::account(account), integration.map(|integration| payload::integration(engine, integration)), &nonce)
        });
        let delivery = Delivery {
            id: DeliveryId::from_uuid(engine.context().new_uuid()),
            organization_id: webhook.organization_id,
            webhook_id: webhook.id,
            account_id: Some(account.id),
            integration_id: integration.map(|integration| integration.id),
            event,
            state: DeliveryState::Pending,
            attempts: 0,
            next_attempt_at: at,
            last_status: None,
            last_error: None,
            redelivery_of: None,
            delivered_at: None,
            created_at: at,
            updated_at: at,
        };
        tx.insert_delivery(&delivery, body, None).await?;
    }
    Ok(())
}

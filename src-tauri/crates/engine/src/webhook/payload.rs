//! What a webhook is sent: `{event, account?, integration?, nonce}` (synqly-wire.md section 17). Account and integration are
//! as the Management API answers them, without what is ours; a test holds the two together.

use patchbay_model::account::Account;
use patchbay_model::integration::Integration;
use patchbay_model::webhook::WebhookFilter;
use serde_json::{Map, Value, json};

use crate::Engine;

/// The body of an event.
pub(super) fn payload(event: WebhookFilter, account: Value, integration: Option<Value>, nonce: &str) -> String {
    let mut body = Map::new();
    body.insert("event".to_owned(), event.as_str().into());
    body.insert("account".to_owned(), account);
    if let Some(integration) = integration {
        body.insert("integration".to_owned(), integration);
    }
    body.insert("nonce".to_owned(), nonce.into());
    Value::Object(body).to_string()
}

/// An account on the wire.
pub(super) fn account(account: &Account) -> Value {
    let mut view = json!({
        "id": account.id,
        "organization_id": account.organization_id,
        "name": account.name,
        "fullname": account.fullname,
        "environment": account.environment,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    });
    if let (Some(view), false) = (view.as_object_mut(), account.labels.is_empty()) {
        view.insert("labels".to_owned(), json!(account.labels));
    }
    view
}

/// An integration on the wire. Its stored configuration holds references where secrets were.
pub(super) fn integration(engine: &Engine, integration: &Integration) -> Value {
    let mut view = json!({
        "id": integration.id,
        "name": integration.name,
        "fullname": integration.fullname,
        "refresh_token_id": integration.refresh_token_id,
        "account_id": integration.account_id,
        "category": integration.connector,
        "provider_config": integration.config,
        "provider_fullname": engine.fullname_of(integration),
        "provider_type": integration.provider,
        "created_at": integration.created_at,
        "updated_at": integration.updated_at,
    });
    if let Some(view) = view.as_object_mut() {
        if let Some(point) = integration.integration_point_id {
            view.insert("integration_point_id".to_owned(), json!(point));
        }
        if let Some(webhooks) = &integration.webhook_config {
            view.insert("webhook_config".to_owned(), webhooks.clone());
        }
    }
    view
}

//! Lists the receipts of an integration.

use patchbay_model::{Operation, Problem};
use serde_json::Value;

use super::{ShownReceipt, in_words, server_of};
use crate::{Engine, ManagementGrant, definition, reach};

/// Most receipts that are shown.
const SHOWN: usize = 100;

/// Every consent of an integration, the newest first.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Vec<ShownReceipt>, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let (_, integration) = reach::permitted(&mut tx, grant, Operation::IntegrationsReceipts, account, integration).await?;
    let definition = definition::pinned(engine, &mut tx, integration.definition).await?;
    let provider = engine.provider_of(&definition);
    let server = provider.as_deref().and_then(|provider| server_of(provider, integration.config.pointer("/credential/type").and_then(Value::as_str)));
    let mut shown = Vec::new();
    for receipt in tx.receipts_of_integration(integration.id).await?.into_iter().rev().take(SHOWN) {
        let person = match receipt.end_user_id {
            Some(id) => tx.end_user(id).await?,
            None => None,
        };
        shown.push(ShownReceipt { granted: in_words(server, &receipt.scopes), receipt, person });
    }
    Ok(shown)
}

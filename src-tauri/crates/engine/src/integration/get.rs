//! Reads an integration.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use patchbay_model::account::Account;
use patchbay_model::integration::Integration;
use patchbay_model::{AccountId, IntegrationId, Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// Reads an integration by ids or names.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Integration, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    reach::permitted(&mut tx, grant, Operation::IntegrationsGet, account, integration).await.map(|(_, integration)| integration)
}

/// Integrations by id, for lists that expand them; those out of reach are left out.
///
/// # Errors
/// Problems of the store.
pub async fn of_ids(engine: &Engine, grant: &ManagementGrant, ids: &[IntegrationId]) -> Result<Vec<Integration>, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let mut accounts: HashMap<AccountId, Option<Account>> = HashMap::new();
    let mut integrations = Vec::new();
    for id in ids {
        let Some(integration) = tx.integration(*id).await? else { continue };
        let account = match accounts.entry(integration.account_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(tx.account(integration.account_id).await?),
        };
        if account.as_ref().is_some_and(|account| grant.reaches_category(account, integration.connector)) {
            integrations.push(integration);
        }
    }
    Ok(integrations)
}

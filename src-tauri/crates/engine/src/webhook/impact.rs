//! What a delete of an organization webhook takes along.

use patchbay_model::credential::CredentialOwner;
use patchbay_model::list::ListQuery;
use patchbay_model::{Operation, Problem};

use super::get::find;
use crate::deletion::Impact;
use crate::{Engine, ManagementGrant, reach};

/// What a delete of an organization webhook takes along: its credentials, and events that were not delivered yet.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, webhook: &str) -> Result<Impact, Problem> {
    grant.require_whole(Operation::OrganizationWebhooksImpact)?;
    let mut tx = reach::reading(engine, grant).await?;
    let webhook = find(&mut tx, webhook).await?;
    let counted = ListQuery { limit: Some(1), total: true, ..ListQuery::default() };
    let credentials = tx.credentials(Some(CredentialOwner::OrganizationWebhook(webhook.id)), &counted).await?.total.unwrap_or_default();
    let waiting = tx.count_pending_deliveries(webhook.id).await?;
    Ok(Impact { counts: vec![("credential".to_owned(), credentials), ("delivery".to_owned(), waiting)], ..Impact::default() })
}

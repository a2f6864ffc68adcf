//! Takes a connect link back.

use patchbay_model::change::ChangeKind;
use patchbay_model::public_link::{PublicLink, PublicLinkPurpose};
use patchbay_model::{Operation, Problem, PublicLinkId};

use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Takes a connect link back: it opens nothing from this moment on. What was connected by it stays. A link that is dead
/// already stays as it is.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn revoke(engine: &Engine, grant: &ManagementGrant, id: &str) -> Result<PublicLink, Problem> {
    let missing = || Problem::not_found(PublicLinkId::NOUN, id);
    let mut tx = reach::writing(engine, grant).await?;
    let found = match id.parse::<PublicLinkId>() {
        Ok(id) => tx.public_link(id).await?,
        Err(_) => None,
    };
    let link = found.filter(|link| link.purpose == PublicLinkPurpose::Connect).ok_or_else(missing)?;
    let account = match link.account_id {
        Some(account) => tx.account(account).await?,
        None => None,
    };
    let account = account.filter(|account| grant.reaches(account)).ok_or_else(missing)?;
    let category = match link.integration_id {
        Some(integration) => tx.integration(integration).await?.map(|integration| integration.connector),
        None => None,
    };
    match category {
        Some(category) => grant
            .require_in(Operation::ConnectLinksRevoke, &account, category)
            .map_err(|problem| if problem.code == patchbay_model::Code::NotFound { missing() } else { problem })?,
        None => grant.require(Operation::ConnectLinksRevoke, Some(&account))?,
    }
    if tx.revoke_public_link(link.id, engine.now()).await? {
        let mut done = Done::changed(Operation::ConnectLinksRevoke).in_account(account.id).object(ChangeKind::ConnectLink, link.id.uuid()).giving(link.id, account.name.as_str());
        if let Some(integration) = link.integration_id {
            done = done.on_integration(integration);
        }
        record(engine, &mut tx, grant, done).await?;
    }
    let link = tx.public_link(link.id).await?.ok_or_else(missing)?;
    tx.commit().await?;
    Ok(link)
}

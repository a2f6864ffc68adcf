//! Whom a person dealt with who comes back from a provider, for the last page.

use patchbay_model::account::Account;
use patchbay_model::consent::ConnectSession;
use patchbay_model::organization::Organization;
use patchbay_model::{Problem, Scope};

use crate::{Engine, definition};

/// What stands on the last page of a consent.
pub struct AfterConsent {
    /// Who asked.
    pub organization: Organization,
    /// For which customer.
    pub account: Account,
    /// The provider, by its name for people.
    pub provider: String,
    /// Where the page leads back to, where the link by which the consent was begun says that.
    pub return_url: Option<String>,
}

/// Whom the person of a consent dealt with. Only for whoever has just brought the consent's answer.
///
/// # Errors
/// `not_found` when account or integration were deleted meanwhile; problems of the store.
pub async fn after(engine: &Engine, session: &ConnectSession) -> Result<AfterConsent, Problem> {
    let mut tx = engine.store().read(Scope::Account(session.organization_id, session.account_id)).await?;
    let organization = tx.organization().await?;
    let account = tx.account(session.account_id).await?.ok_or_else(|| Problem::not_found("account", session.account_id))?;
    let integration = tx.integration(session.integration_id).await?.ok_or_else(|| Problem::not_found("integration", session.integration_id))?;
    let definition = definition::pinned(engine, &mut tx, integration.definition).await?;
    let provider = engine.provider_of(&definition).map_or_else(|| integration.provider.to_string(), |provider| provider.fullname().to_owned());
    let return_url = tx.link_of_connect_session(session.id).await?.and_then(|link| link.settings.return_url);
    Ok(AfterConsent { organization, account, provider, return_url })
}

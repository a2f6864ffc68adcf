//! Opens a receipt by its link.

use patchbay_model::account::Account;
use patchbay_model::end_user::{ConsentReceipt, EndUser};
use patchbay_model::organization::Organization;
use patchbay_model::public_link::{LinkState, PublicLink, PublicLinkPurpose};
use patchbay_model::revocation::Revocation;
use patchbay_model::token::SecretKind;
use patchbay_model::{Code, Problem, Scope};
use serde_json::Value;

use super::{Granted, in_words, server_of};
use crate::session::hash;
use crate::{Engine, definition};

/// A receipt, as the person sees it who agreed.
pub struct OpenReceipt {
    /// The link by which it was opened.
    pub link: PublicLink,
    /// The receipt.
    pub receipt: ConsentReceipt,
    /// Who asked.
    pub organization: Organization,
    /// For which customer.
    pub account: Account,
    /// Who agreed, where that is known.
    pub person: Option<EndUser>,
    /// The provider's name for people.
    pub provider: String,
    /// What was agreed to.
    pub granted: Vec<Granted>,
    /// What the person can do at the provider itself, step by step.
    pub manual: Vec<String>,
    /// Where.
    pub manual_url: Option<String>,
    /// How its access is ended at the provider, where it is.
    pub revocation: Option<Revocation>,
}

fn dead() -> Problem {
    Problem::new(Code::LinkInvalid, "This link leads to no receipt, or no longer. Ask whoever sent it for a new one.")
}

/// Opens a receipt by what stands in its address.
///
/// # Errors
/// `link_invalid` when it does not work, for whatever reason; problems of the store.
pub async fn open(engine: &Engine, secret: &str) -> Result<OpenReceipt, Problem> {
    let hash = hash(engine, secret, SecretKind::ReceiptLink).ok_or_else(dead)?;
    let now = engine.now();
    let mut tx = engine.store().read(Scope::System).await?;
    let link = tx.public_link_by_hash(&hash).await?.filter(|link| link.purpose == PublicLinkPurpose::Receipt && link.state(now) == LinkState::Live).ok_or_else(dead)?;
    let (Some(account), Some(receipt)) = (link.account_id, link.receipt_id) else { return Err(dead()) };
    tx.enter(Scope::Account(link.organization_id, account))?;
    let organization = tx.organization().await?;
    let account = tx.account(account).await?.ok_or_else(dead)?;
    let receipt = tx.receipt(receipt).await?.filter(|receipt| receipt.erased_at.is_none()).ok_or_else(dead)?;
    let person = match receipt.end_user_id {
        Some(id) => tx.end_user(id).await?,
        None => None,
    };
    let revocation = match receipt.revocation_id {
        Some(id) => tx.revocation(id).await?,
        None => None,
    };
    let integration = tx.integration_even_deleted(receipt.integration_id).await?;
    let pinned = match &integration {
        Some(integration) => engine.provider_of(&*definition::pinned(engine, &mut tx, integration.definition).await?),
        None => None,
    };
    let provider = pinned.or_else(|| engine.catalog().get(&receipt.provider).cloned());
    let server = provider
        .as_deref()
        .and_then(|provider| server_of(provider, integration.as_ref().and_then(|integration| integration.config.pointer("/credential/type")).and_then(Value::as_str)));
    let config = integration.as_ref().and_then(|integration| integration.config.as_object().cloned()).unwrap_or_default();
    let manual_url = provider.as_deref().zip(server).and_then(|(provider, server)| {
        let values = provider.values(&config, &std::collections::BTreeMap::new(), &std::collections::BTreeMap::new());
        server.revocation.manual.url.as_ref().and_then(|template| values.fill(template).ok())
    });
    Ok(OpenReceipt {
        granted: in_words(server, &receipt.scopes),
        manual: server.map(|server| server.revocation.manual.steps.clone()).unwrap_or_default(),
        manual_url,
        provider: provider.as_ref().map_or_else(|| receipt.provider.to_string(), |provider| provider.fullname().to_owned()),
        link,
        receipt,
        organization,
        account,
        person,
        revocation,
    })
}

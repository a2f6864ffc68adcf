//! What a customer's person makes at AWS so that the organization's principal may assume a role there: the trust policy, and the external id
//! in it, which is that customer's own. Nobody enters it on a link's page: whoever could choose it could have a role of another customer.

use std::fmt::Write as _;

use patchbay_model::Problem;
use patchbay_model::account::Account;
use patchbay_providers::CredentialOption;
use patchbay_providers::Provider;
use patchbay_providers::manifest::Auth;
use serde_json::{Map, Value};

use super::{LinkOffer, OpenLink};
use crate::Engine;
use crate::provider_app::{Trust, proposal};

/// The purpose under which external ids of customers are derived.
const EXTERNAL_ID: &str = "external id of an account";

/// The role that the person makes.
#[derive(Clone, PartialEq, Debug)]
pub struct RoleToMake {
    /// Who may assume it, by which external id.
    pub trust: Trust,
    /// What it must be allowed to do.
    pub rights: Vec<String>,
}

/// The role that is to be made for this way to sign in; none where it is another way.
///
/// # Errors
/// `provider_app_missing` while the organization has no principal; why AWS does not say who it is.
pub async fn role(engine: &Engine, open: &OpenLink, offer: &LinkOffer, word: &str) -> Result<Option<RoleToMake>, Problem> {
    let Some(provider) = engine.provider_of(&offer.definition) else { return Ok(None) };
    let Some(way) = way_of(&provider, word) else { return Ok(None) };
    let trust = proposal(engine, open.grant.scope(), &provider, way, Map::new(), external_id(engine, &open.account)).await?;
    let rights = way.register.iter().filter(|step| step.starts_with("Attach ")).cloned().collect();
    Ok(Some(RoleToMake { trust, rights }))
}

/// A configuration with the customer's own external id, where it is one of a role.
pub(super) fn with_own_external_id(engine: &Engine, open: &OpenLink, offer: &LinkOffer, mut config: Value) -> Value {
    let word = config.pointer("/credential/type").and_then(Value::as_str).unwrap_or_default();
    let of_role = engine.provider_of(&offer.definition).is_some_and(|provider| way_of(&provider, word).is_some());
    if let Some(credential) = config.get_mut("credential").and_then(Value::as_object_mut).filter(|_| of_role) {
        credential.insert("external_id".to_owned(), external_id(engine, &open.account).into());
    }
    config
}

fn way_of<'a>(provider: &'a Provider, word: &str) -> Option<&'a CredentialOption> {
    provider.manifest().credential.iter().find(|way| way.word == word && matches!(way.auth, Auth::AwsRole { .. }))
}

/// The same for every link of a customer, and another one for every customer.
fn external_id(engine: &Engine, account: &Account) -> String {
    let hash = engine.vault().keyed_hash(EXTERNAL_ID, account.id.uuid().as_bytes());
    hash.iter().take(16).fold("patchbay-".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

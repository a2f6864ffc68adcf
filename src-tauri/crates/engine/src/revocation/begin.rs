//! Takes access out of an integration, in the transaction of whoever does that.

use std::collections::BTreeMap;

use patchbay_model::credential::Credential;
use patchbay_model::integration::Integration;
use patchbay_model::revocation::{Revocation, RevocationHow, RevocationReason, RevocationState, RevocationStep};
use patchbay_model::{Problem, ProviderAppId, ReceiptId, RevocationId, Secret};
use patchbay_store::{PROVIDER_APP_KEY, WriteTx};
use serde_json::Value;

use super::facts::{Facts, proof_of};
use super::kept::{Kept, end_of};
use crate::call::{kept_of, settings_of};
use crate::{Engine, definition, sealing};

/// What is taken.
pub(crate) struct Taking<'a> {
    /// Out of which integration.
    pub(crate) integration: &'a Integration,
    /// Which credential.
    pub(crate) credential: &'a Credential,
    /// In clear; none when it does not open.
    pub(crate) plain: Option<Secret>,
    /// Why.
    pub(crate) reason: RevocationReason,
    /// The receipt of the consent that ends.
    pub(crate) receipt: Option<ReceiptId>,
}

/// Writes the revocation of what is taken. The caller removes it from where it lay. Where the provider cannot be asked, nothing is
/// kept of it, and the row says what a person does.
///
/// # Errors
/// `key_unavailable` when nothing can be sealed; problems of the store.
pub(crate) async fn begin(engine: &Engine, tx: &mut WriteTx, taking: Taking<'_>) -> Result<Revocation, Problem> {
    let Taking { integration, credential, plain, reason, receipt } = taking;
    let definition = definition::pinned(engine, tx, integration.definition).await?;
    let provider = engine.provider_of(&definition).ok_or_else(|| Problem::internal("the provider of an integration is not in the catalog"))?;
    let word = integration.config.pointer("/credential/type").and_then(Value::as_str).map(str::to_owned);
    let facts = Facts::of(&provider, word.as_deref());
    let kept = plain.map(|plain| Kept { kind: credential.kind, word, config: integration.config.clone(), public: credential.public_config.clone(), plain });
    let set = kept.as_ref().and_then(|kept| kept.set().ok().flatten());
    let values = provider.values(&settings_of(&integration.config), &kept_of(&credential.public_config), &BTreeMap::new());
    let mut proof = proof_of(&facts, &values, set.as_ref().and_then(end_of));
    let now = engine.now();
    let clock = tx.clock(now).await?;
    let state = match (proof.how, &kept) {
        (RevocationHow::Manual, _) => {
            proof.note(now, RevocationStep::Sealed, "It was removed here, and nothing of it is kept.");
            RevocationState::Manual
        }
        (_, None) => {
            proof.note(now, RevocationStep::GivenUp, "What was sealed here cannot be opened any more, so the provider cannot be asked with it.");
            RevocationState::Failed
        }
        (_, Some(_)) => {
            proof.note(now, RevocationStep::Sealed, "It was taken out of the integration and sealed for this alone.");
            RevocationState::Pending
        }
    };
    // A client that is gone from the store cannot be referred to.
    let app = match credential.public_config.get(PROVIDER_APP_KEY).and_then(Value::as_str).and_then(|id| id.parse::<ProviderAppId>().ok()) {
        Some(app) => tx.provider_app(app).await?.map(|app| app.id),
        None => None,
    };
    let revocation = Revocation {
        id: RevocationId::from_uuid(engine.context().new_uuid()),
        organization_id: integration.organization_id,
        account_id: integration.account_id,
        integration_id: integration.id,
        integration_name: integration.fullname.to_string(),
        provider: integration.provider.clone(),
        definition: integration.definition,
        provider_app_id: app,
        receipt_id: receipt,
        reason,
        state,
        proof,
        attempts: 0,
        next_attempt_at: (state == RevocationState::Pending).then_some(clock),
        owner: None,
        lease_until: None,
        created_at: now,
        updated_at: now,
    };
    let envelope = match kept.filter(|_| state == RevocationState::Pending) {
        Some(kept) => Some(engine.seal(tx, &sealing::revocation_place(&revocation), &kept.to_secret()?).await?),
        None => None,
    };
    tx.insert_revocation(&revocation, envelope.as_ref()).await?;
    if let Some(receipt) = receipt {
        tx.revoke_receipt(receipt, revocation.id).await?;
    }
    Ok(revocation)
}

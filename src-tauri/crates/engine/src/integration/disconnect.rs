//! Disconnects an integration: what it could do at the provider is taken out of it at once and ended there.

use patchbay_model::account::Account;
use patchbay_model::consent::ConnectState;
use patchbay_model::credential::{Credential, CredentialKind, SealedAt};
use patchbay_model::deadline::ClockOwner;
use patchbay_model::end_user::{Subject, Withdrawal};
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_model::revocation::{Revocation, RevocationProof, RevocationReason};
use patchbay_model::{Operation, Problem};
use patchbay_providers::manifest::revoke::Ends;
use patchbay_store::{Affected, PROVIDER_APP_KEY, SecretWriteTx};
use serde_json::Value;

use super::credential::own;
use crate::audit::record::{Done, record};
use crate::call::{kept_of, sealed, settings_of};
use crate::consent::{KEPT_KEY, LOCATED_KEY};
use crate::deletion::today;
use crate::revocation::{self, Facts, Taking};
use crate::{Engine, ManagementGrant, consent, definition, reach, refresh};

/// An integration that was disconnected.
pub struct Disconnected {
    /// The integration; it can be connected again.
    pub integration: Integration,
    /// How its access is ended at the provider; none when it had none of its own.
    pub revocation: Option<Revocation>,
}

/// What a disconnection would do.
pub struct DisconnectPreview {
    /// By what the provider would be asked, what would end, and what a person would have to do; none where the integration has
    /// nothing of its own to give back.
    pub proof: Option<RevocationProof>,
    /// Whether it is disconnected already.
    pub already: bool,
    /// Consents in force that would end.
    pub consents: u64,
    /// Other integrations that would lose their access too, since the same person gave it to the same app; at most a hundred.
    pub affects: Vec<Integration>,
    /// Integrations and tokens, of this one, that were used within the last 24 hours.
    pub used_today: u64,
}

/// Disconnects an integration: what it could do at the provider is removed from it at once, consents end, and the provider is asked to
/// end the access. Calls are refused until somebody connects it again; name, configuration and tokens stay. Of one that is disconnected
/// already nothing changes. A credential that it shares with others stays with them.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn disconnect(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Disconnected, Problem> {
    let mut tx = reach::writing_secrets(engine, grant).await?;
    let (account, before) = reach::permitted(&mut tx, grant, Operation::IntegrationsDisconnect, account, integration).await?;
    if before.status == IntegrationStatus::Revoked {
        return Ok(Disconnected { integration: before, revocation: None });
    }
    let done = take_back(engine, &mut tx, &before, RevocationReason::Disconnected, Some(Withdrawal::Member)).await?;
    record(engine, &mut tx, grant, noted(&account, &before, &done)).await?;
    tx.commit().await?;
    Ok(done)
}

/// The audit row of a disconnection.
pub(crate) fn noted(account: &Account, before: &Integration, done: &Disconnected) -> Done {
    let after = &done.integration;
    let noted = Done::changed(Operation::IntegrationsDisconnect).in_account(account.id).on_integration(after.id).before(before).after(after);
    noted.secret_replaced(true).giving(after.id, after.name.as_str())
}

/// Takes what an integration could do at the provider out of it and writes down that it is to be ended there.
///
/// # Errors
/// `store_busy` while its tokens are being renewed, to be tried again; `key_unavailable`; problems of the store.
pub(crate) async fn take_back(engine: &Engine, tx: &mut SecretWriteTx, before: &Integration, reason: RevocationReason, by: Option<Withdrawal>) -> Result<Disconnected, Problem> {
    let now = engine.now();
    let mut receipts = tx.end_receipts_by(before.id, by, now).await?;
    let mut revocation = None;
    if let Some(mut credential) = own(tx, before).await?
        && credential.sealed_at == SealedAt::Integration(before.id)
    {
        let plain = plain_of(engine, tx, &credential).await?;
        revocation = Some(revocation::begin(engine, tx, Taking { integration: before, credential: &credential, plain, reason, receipt: receipts.pop() }).await?);
        tx.set_sealed_integration(before.id, None).await?;
        tx.set_clocks(ClockOwner::Credential(credential.id), &[]).await?;
        for known in [KEPT_KEY, LOCATED_KEY, PROVIDER_APP_KEY, "scope"] {
            credential.public_config.remove(known);
        }
        credential.sealed_at = SealedAt::Nowhere;
        credential.expires = None;
        credential.secret_set_at = None;
        credential.updated_at = now;
        tx.update_credential(&credential).await?;
    }
    // A consent that is under way would connect it again.
    let words = "The integration was disconnected.";
    match tx.latest_connect_session(before.id).await? {
        Some(session) if session.state == ConnectState::Begun => drop(tx.end_connect_session(session.id, ConnectState::Cancelled, Some(words), now).await?),
        Some(session) if session.state == ConnectState::Choosing => consent::abandon(engine, tx, &session, ConnectState::Cancelled, words).await?,
        _ => {}
    }
    let mut after = before.clone().into_status(IntegrationStatus::Revoked, now);
    after.updated_at = now;
    tx.update_integration(&after).await?;
    Ok(Disconnected { integration: after, revocation })
}

/// A credential in clear, of which no renewal sends anything any more; none when it does not open.
async fn plain_of(engine: &Engine, tx: &mut SecretWriteTx, credential: &Credential) -> Result<Option<patchbay_model::Secret>, Problem> {
    let opened = if credential.kind == CredentialKind::OAuthUser {
        refresh::at_rest(engine, tx, credential.id).await?;
        refresh::retire(engine, tx, credential).await
    } else {
        match tx.secrets().sealed_credential(credential).await? {
            Some(envelope) => sealed::open_in(engine, tx, credential, &envelope).await.map(Some),
            None => Ok(None),
        }
    };
    match opened {
        // What cannot be opened is removed all the same, and a person ends it.
        Err(problem) if problem.code == patchbay_model::Code::SealBroken => Ok(None),
        opened => opened,
    }
}

/// Takes the consent that an integration gives up back: another credential takes its place. Nothing where it has none.
///
/// # Errors
/// As [`take_back`].
pub(super) async fn give_up(engine: &Engine, tx: &mut SecretWriteTx, before: &Integration, credential: &Credential) -> Result<(), Problem> {
    if credential.kind != CredentialKind::OAuthUser || credential.sealed_at != SealedAt::Integration(before.id) {
        return Ok(());
    }
    let plain = plain_of(engine, tx, credential).await?;
    let receipt = tx.receipts_of_integration(before.id).await?.pop().filter(|receipt| receipt.ended_at.is_none()).map(|receipt| receipt.id);
    revocation::begin(engine, tx, Taking { integration: before, credential, plain, reason: RevocationReason::Replaced, receipt }).await.map(drop)
}

/// Says what a disconnection would do. Nothing is changed, and nobody is asked.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn preview_disconnect(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<DisconnectPreview, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let (_, integration) = reach::permitted(&mut tx, grant, Operation::IntegrationsPreviewDisconnect, account, integration).await?;
    let definition = definition::pinned(engine, &mut tx, integration.definition).await?;
    let receipts: Vec<_> = tx.receipts_of_integration(integration.id).await?.into_iter().filter(|receipt| receipt.ended_at.is_none()).collect();
    let held = own(&mut tx, &integration).await?.filter(|credential| credential.sealed_at == SealedAt::Integration(integration.id));
    let word = integration.config.pointer("/credential/type").and_then(Value::as_str);
    let mut affects = Vec::new();
    let mut proof = None;
    if let (Some(credential), Some(provider)) = (held, engine.provider_of(&definition)) {
        let facts = Facts::of(&provider, word);
        let values = provider.values(&settings_of(&integration.config), &kept_of(&credential.public_config), &std::collections::BTreeMap::new());
        proof = Some(revocation::proof_of(&facts, &values, credential.expires));
        if facts.ends() == Some(Ends::Grant) {
            for receipt in &receipts {
                let Some(subject) = receipt.subject.clone() else { continue };
                let subject = Subject { provider: receipt.provider.clone(), issuer: receipt.issuer.clone(), subject };
                for other in tx.consents_in_force_of(&subject).await? {
                    if other == integration.id {
                        continue;
                    }
                    if let Some(other) = tx.integration(other).await?
                        && let Some(account) = tx.account(other.account_id).await?
                        && grant.reaches_category(&account, other.connector)
                    {
                        affects.push(other);
                    }
                }
            }
        }
    }
    let used_today = tx.used_since(Affected::Integration(integration.id), today(engine)).await?;
    let consents = u64::try_from(receipts.len()).unwrap_or_default();
    Ok(DisconnectPreview { proof, already: integration.status == IntegrationStatus::Revoked, consents, affects, used_today })
}

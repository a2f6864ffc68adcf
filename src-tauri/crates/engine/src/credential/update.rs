//! Changes a credential.

use patchbay_model::credential::{Credential, CredentialOwner, SealedAt};
use patchbay_model::integration::{AttentionCause, Integration, IntegrationStatus};
use patchbay_model::{Fullname, Name, Operation, Problem, Secret, SharedCredentialId, Timestamp};
use patchbay_store::WriteTx;

use super::config::SecretParts;
use super::create::expiry;
use super::{UpdateCredential, config, owner};
use crate::audit::record::{Done, record};
use crate::deadline::clocks;
use crate::sealing::{integration_place, shared_place};
use crate::{Engine, ManagementGrant, reach};

/// Changes a credential. Integrations that waited for a better secret are tested with the new one, beside this call.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_field`, `name_taken`, `update_conflict`; problems of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, owner: &str, credential: &str, change: UpdateCredential) -> Result<Credential, Problem> {
    let now = engine.now();
    let mut tx = reach::writing_organization_secrets(engine, grant).await?;
    let (owner, before) = owner::credential(&mut tx, grant, Operation::CredentialsUpdate, owner, credential).await?;
    reach::unchanged(change.expected, before.updated_at, "credential", before.id)?;
    let mut after = before.clone();
    if let Some(name) = change.name.filter(|name| *name != before.name.as_str()) {
        after.name = Name::parse(&name)?;
    }
    if let Some(fullname) = change.fullname {
        after.fullname = Fullname::parse(&fullname)?;
    }
    if change.expires != before.expires {
        after.expires = expiry(change.expires, now)?;
    }
    let sealed = open(engine, tx.secrets(), &before).await;
    let kept = sealed.as_ref().ok().and_then(Option::as_ref).and_then(fields_of);
    let parts = match change.config {
        // What consent brought is not entered by hand; its type alone, as every read shows it, changes nothing.
        Some(config) if before.kind == patchbay_model::credential::CredentialKind::OAuthUser && is_type_alone(&config) => None,
        Some(config) => config::parse_change(before.kind, config, &before.public_config, || sealed.map(|sealed| sealed.unwrap_or_else(|| Secret::new("{}"))))?,
        None => None,
    };
    let changed = parts.is_some();
    let mut secret_replaced = false;
    if let Some(parts) = parts {
        secret_replaced = fields_of(&parts.secret) != kept;
        seal(engine, &mut tx, &mut after, parts, now).await?;
        if !secret_replaced {
            // A user name alone was changed.
            after.secret_set_at = before.secret_set_at;
        }
    }
    after.updated_at = now;
    tx.update_credential(&after).await?;
    clocks::entered(&mut tx, &after).await?;
    let mut done = Done::changed(Operation::CredentialsUpdate).before(&before).after(&after).secret_replaced(secret_replaced).giving(after.id, after.name.as_str());
    if let Some(account) = owner.account_id() {
        done = done.in_account(account);
    }
    record(engine, &mut tx, grant, done).await?;
    let waiting = if changed { waiting(&mut tx, &after).await? } else { Vec::new() };
    tx.commit().await?;
    if !waiting.is_empty() {
        let engine = engine.clone();
        tokio::spawn(async move {
            for integration in waiting {
                // What the provider says is in the integration's status afterwards.
                let _ = engine.probe(&integration).await;
            }
        });
    }
    Ok(after)
}

/// The fields of a sealed value, to be compared.
fn fields_of(secret: &Secret) -> Option<serde_json::Value> {
    serde_json::from_str(secret.expose()).ok()
}

fn is_type_alone(config: &serde_json::Value) -> bool {
    config.as_object().is_some_and(|fields| fields.keys().all(|name| name == "type"))
}

/// Opens the sealed value of a credential; none where nothing is sealed.
///
/// # Errors
/// `seal_broken`; problems of the store.
pub(crate) async fn open(engine: &Engine, mut tx: patchbay_store::Secrets<'_>, credential: &Credential) -> Result<Option<Secret>, Problem> {
    let Some(envelope) = tx.sealed_credential(credential).await? else { return Ok(None) };
    let organization = credential.organization_id;
    let place = match (credential.sealed_at, credential.owner) {
        (SealedAt::Integration(integration), CredentialOwner::Integration(account, _)) => integration_place(organization, account, integration),
        (SealedAt::Shared(shared), owner) => shared_place(organization, owner.account(), shared),
        (SealedAt::Integration(_), _) | (SealedAt::Nowhere, _) => return Ok(None),
    };
    engine.open_sealed_in(&mut tx, &place, &envelope).await.map(Some)
}

/// Seals new fields where the credential's value lies, and notes it in the metadata.
pub(crate) async fn seal(engine: &Engine, tx: &mut WriteTx, credential: &mut Credential, parts: SecretParts, now: Timestamp) -> Result<(), Problem> {
    let organization = credential.organization_id;
    match (credential.sealed_at, credential.owner) {
        (SealedAt::Shared(shared), owner) => {
            let envelope = engine.seal(tx, &shared_place(organization, owner.account(), shared), &parts.secret).await?;
            tx.set_sealed_shared(shared, &envelope, now).await?;
        }
        (_, CredentialOwner::Integration(account, integration)) => {
            let envelope = engine.seal(tx, &integration_place(organization, account, integration), &parts.secret).await?;
            tx.set_sealed_integration(integration, Some(&envelope)).await?;
            credential.sealed_at = SealedAt::Integration(integration);
        }
        (_, owner) => {
            let shared = SharedCredentialId::from_uuid(engine.context().new_uuid());
            let envelope = engine.seal(tx, &shared_place(organization, owner.account(), shared), &parts.secret).await?;
            tx.insert_sealed_shared(shared, owner.account(), &envelope, now).await?;
            credential.sealed_at = SealedAt::Shared(shared);
        }
    }
    credential.public_config = parts.public;
    credential.secret_set_at = Some(now);
    Ok(())
}

/// Integrations that refer to this credential and need attention because of it.
async fn waiting(tx: &mut WriteTx, credential: &Credential) -> Result<Vec<Integration>, Problem> {
    let Some(account) = credential.owner.account() else { return Ok(Vec::new()) };
    let id = credential.id.to_string();
    let refused = |status: IntegrationStatus| {
        matches!(status, IntegrationStatus::NeedsAttention { cause: AttentionCause::CredentialRefused | AttentionCause::CredentialExpired | AttentionCause::CredentialMissing })
    };
    let all = reach::all_integrations(tx, account).await?;
    Ok(all
        .into_iter()
        .filter(|integration| refused(integration.status) && integration.config.pointer("/credential/value").and_then(serde_json::Value::as_str) == Some(id.as_str()))
        .collect())
}

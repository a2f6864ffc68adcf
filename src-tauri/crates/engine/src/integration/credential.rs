//! The credential of an integration: sealed inline, referred to, or awaited from a person.

use patchbay_model::credential::{Credential, CredentialKind, CredentialOwner, SealedAt};
use patchbay_model::deadline::ClockOwner;
use patchbay_model::integration::Integration;
use patchbay_model::{Code, CredentialId, Fullname, Name, Problem};
use patchbay_store::{ReadTx, WriteTx};
use serde_json::Value;

use super::config::{CredentialInput, reference};
use crate::Engine;
use crate::credential::update::seal;
use crate::deadline::clocks;

/// What the stored configuration says of the credential.
pub(super) struct Settled {
    /// `credential` of the stored configuration.
    pub(super) stored: Option<Value>,
    /// Whether a person has to authorize it.
    pub(super) awaits_consent: bool,
    /// What was made.
    pub(super) created: Option<Credential>,
    /// Whether the provider has not seen this credential yet.
    pub(super) changed: bool,
}

/// The stored credential that a reference names, when the integration may use it: its own, its account's, or its point's.
///
/// # Errors
/// `invalid_config` when it is not there, out of reach or of another kind.
pub(super) async fn referred(tx: &mut ReadTx, integration: &Integration, kind: CredentialKind, value: &str) -> Result<Credential, Problem> {
    const AT: &str = "/provider_config/credential/value";
    let unknown = || {
        let shown: String = value.chars().take(200).collect();
        Problem::new(Code::InvalidConfig, format!("{AT}: there is no credential `{shown}` in this account or its integration point. Create it first, or give the secret inline."))
            .at_body(AT)
    };
    let point = integration.integration_point_id.map(CredentialOwner::IntegrationPoint);
    let account = CredentialOwner::Account(integration.account_id);
    let own = CredentialOwner::Integration(integration.account_id, integration.id);
    let found = match value.parse::<CredentialId>() {
        Ok(id) => tx.credential(id).await?,
        Err(_) => tx.find_credential(account, value).await?,
    };
    let credential = found.filter(|credential| credential.owner == account || credential.owner == own || Some(credential.owner) == point).ok_or_else(unknown)?;
    if credential.kind != kind {
        return Err(Problem::new(
            Code::InvalidConfig,
            format!(
                "{AT}: credential `{}` is of type `{}`, and the provider takes `{}` here. Choose another credential.",
                credential.name,
                credential.kind.as_str(),
                kind.as_str()
            ),
        )
        .at_body(AT));
    }
    Ok(credential)
}

/// Puts the credential of a configuration where it belongs, and says what the stored configuration says of it. `own` is
/// the credential that the integration has already, if one of its own.
///
/// # Errors
/// `invalid_config`, `name_taken`; problems of the store.
pub(super) async fn settle(engine: &Engine, tx: &mut WriteTx, integration: &Integration, input: CredentialInput, own: Option<Credential>) -> Result<Settled, Problem> {
    let consented = own.as_ref().filter(|own| own.kind == CredentialKind::OAuthUser).map(|own| own.id);
    let settled = settled(engine, tx, integration, input, own).await?;
    // A consent whose credential is given up is over.
    let kept = settled.stored.as_ref().and_then(|stored| stored.get("value")).and_then(Value::as_str).and_then(|id| id.parse::<CredentialId>().ok());
    if consented.is_some() && consented != kept {
        tx.end_receipts(integration.id, engine.now()).await?;
    }
    Ok(settled)
}

async fn settled(engine: &Engine, tx: &mut WriteTx, integration: &Integration, input: CredentialInput, own: Option<Credential>) -> Result<Settled, Problem> {
    match input {
        CredentialInput::None => {
            forget(tx, integration, own).await?;
            Ok(Settled { stored: None, awaits_consent: false, created: None, changed: false })
        }
        CredentialInput::Reference { word, kind, value } => {
            let credential = referred(tx, integration, kind, &value).await?;
            let kept = own.as_ref().is_some_and(|own| own.id == credential.id);
            let stored = Some(reference(&word, credential.id));
            let changed = integration.config.get("credential") != stored.as_ref();
            if !kept {
                forget(tx, integration, own).await?;
            }
            let awaits_consent = credential.kind == CredentialKind::OAuthUser && credential.sealed_at == SealedAt::Nowhere;
            Ok(Settled { stored, awaits_consent, created: None, changed })
        }
        CredentialInput::Consent { word } => match own.filter(|own| own.kind == CredentialKind::OAuthUser) {
            // What was authorized before stays in use until a person authorizes anew.
            Some(own) => Ok(Settled { stored: Some(reference(&word, own.id)), awaits_consent: own.sealed_at == SealedAt::Nowhere, created: None, changed: false }),
            None => {
                tx.set_sealed_integration(integration.id, None).await?;
                let credential = new_credential(engine, integration, CredentialKind::OAuthUser, &word)?;
                tx.insert_credential(&credential).await?;
                Ok(Settled { stored: Some(reference(&word, credential.id)), awaits_consent: true, created: Some(credential), changed: true })
            }
        },
        CredentialInput::Inline { word, kind, parts } => {
            let now = engine.now();
            match own.filter(|own| own.kind == kind) {
                Some(mut own) => {
                    seal(engine, tx, &mut own, parts, now).await?;
                    own.updated_at = now;
                    tx.update_credential(&own).await?;
                    clocks::entered(tx, &own).await?;
                    Ok(Settled { stored: Some(reference(&word, own.id)), awaits_consent: false, created: None, changed: true })
                }
                None => {
                    let mut credential = new_credential(engine, integration, kind, &word)?;
                    seal(engine, tx, &mut credential, parts, now).await?;
                    tx.insert_credential(&credential).await?;
                    clocks::entered(tx, &credential).await?;
                    Ok(Settled { stored: Some(reference(&word, credential.id)), awaits_consent: false, created: Some(credential), changed: true })
                }
            }
        }
    }
}

fn new_credential(engine: &Engine, integration: &Integration, kind: CredentialKind, word: &str) -> Result<Credential, Problem> {
    let now = engine.now();
    let id = CredentialId::from_uuid(engine.context().new_uuid());
    Ok(Credential {
        id,
        organization_id: integration.organization_id,
        owner: CredentialOwner::Integration(integration.account_id, integration.id),
        // One integration may have had several in its time, so the kind alone would not be unique.
        name: Name::from_stored(format!("{}-{}", word.replace('_', "-"), id.to_string().rsplit('-').next().unwrap_or_default())),
        fullname: Fullname::parse(&format!("{} of {}", kind.as_str(), integration.name))?,
        kind,
        public_config: serde_json::Map::new(),
        sealed_at: SealedAt::Nowhere,
        expires: None,
        managed: true,
        secret_set_at: None,
        created_at: now,
        updated_at: now,
    })
}

/// Gives up the integration's own credential: another takes its place.
async fn forget(tx: &mut WriteTx, integration: &Integration, own: Option<Credential>) -> Result<(), Problem> {
    if let Some(own) = own {
        tx.set_sealed_integration(integration.id, None).await?;
        tx.set_clocks(ClockOwner::Credential(own.id), &[]).await?;
    }
    Ok(())
}

/// The integration's own credential that its configuration refers to.
///
/// # Errors
/// Problems of the store.
pub(super) async fn own(tx: &mut ReadTx, integration: &Integration) -> Result<Option<Credential>, Problem> {
    let Some(id) = integration.config.pointer("/credential/value").and_then(Value::as_str).and_then(|id| id.parse::<CredentialId>().ok()) else { return Ok(None) };
    Ok(tx.credential(id).await?.filter(|credential| credential.owner == CredentialOwner::Integration(integration.account_id, integration.id)))
}

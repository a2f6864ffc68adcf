//! Asking a provider whom a credential belongs to: the proof that a connection works.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchbay_model::consent::Place;
use patchbay_model::credential::{Credential, CredentialKind};
use patchbay_model::integration::{AttentionCause, Integration, IntegrationStatus};
use patchbay_model::{Code, IntegrationId, Origin, Problem, Scope, Secret};
use patchbay_providers::{CHOSEN, CredentialOption, LocateContext, Located, Provider};
use serde_json::{Map, Value};

use super::drive::{Drive, DriveState};
use super::opened::Opened;
use super::{ProbeOutcome, plan, sealed, status};
use crate::consent::LOCATED_KEY;
use crate::contention::again;
use crate::oauth::TokenSet;
use crate::{Engine, definition, refresh};

/// The name under which probes stand in the log, and by which a test of the connection is known.
pub(super) const PROBE: &str = "probe";

/// A connection that is not stored, or not stored like this, to be tested.
pub(crate) struct Draft {
    /// The integration as it would be; its configuration holds the settings alone.
    pub(crate) integration: Integration,
    /// `type` of its credential as given.
    pub(crate) word: Option<String>,
    /// The stored credential that it would use.
    pub(crate) credential: Option<Credential>,
    /// Or what was entered: kind, fields that are no secret, JSON object of those that are.
    pub(crate) entered: Option<(CredentialKind, Map<String, Value>, Secret)>,
}

/// What a probe found out.
pub(crate) struct Proof {
    /// Whom the credential belongs to, or why that could not be found out.
    pub(crate) outcome: Result<ProbeOutcome, Problem>,
    /// Where the provider's API is, if that was found.
    pub(crate) located: Option<Located>,
    /// What it means for the integration.
    pub(crate) status: IntegrationStatus,
    /// Places of which a person chooses one, and has not yet. Of several nothing was proven.
    pub(crate) places: Vec<Place>,
}

/// Probes with tokens or a credential at hand.
#[expect(clippy::too_many_arguments, reason = "each is a part of what is not stored yet")]
pub(crate) async fn prove(
    engine: &Engine,
    scope: Scope,
    lane: IntegrationId,
    provider: &Arc<Provider>,
    settings: &Map<String, Value>,
    kept: &BTreeMap<String, String>,
    word: Option<&str>,
    opened: Opened,
) -> Proof {
    let mut drive = Drive {
        engine,
        scope,
        integration: lane,
        operation: PROBE,
        provider: Arc::clone(provider),
        word: word.map(str::to_owned),
        settings: settings.clone(),
        kept: kept.clone(),
        located: BTreeMap::new(),
        opened,
        minted: None,
        covers: Vec::new(),
        recorder: None,
        state: DriveState::begin(),
    };
    let (mut found, mut places) = (None, Vec::new());
    let outcome = match chosen(&mut drive, &mut places).await {
        Ok(()) => steps(&mut drive, &mut found).await,
        Err(problem) => Err(problem),
    };
    let outcome = outcome.map_err(|problem| drive.covered(problem));
    let status = status_of(&outcome, &drive.state);
    Proof { outcome, located: found, status, places }
}

/// For which of several places tokens are that a person just gave. Where there is but one, it is that one.
async fn chosen(drive: &mut Drive<'_>, places: &mut Vec<Place>) -> Result<(), Problem> {
    if !matches!(drive.opened, Opened::Fresh(_)) || drive.kept.contains_key(CHOSEN) {
        return Ok(());
    }
    let provider = Arc::clone(&drive.provider);
    let Some(step) = provider.places(&LocateContext { config: &drive.settings, credential: drive.word.as_deref(), kept: &drive.kept }) else { return Ok(()) };
    *places = drive.run(step?).await?;
    match places.as_slice() {
        [] => Err(Problem::new(
            Code::InvalidConfig,
            format!("The person has access to no place of {} for which this could be. Connect again as somebody who has.", provider.fullname()),
        )),
        [only] => {
            drive.kept.insert(CHOSEN.to_owned(), only.id.clone());
            Ok(())
        }
        several => Err(Problem::new(Code::InvalidConfig, format!("The consent gives access to {} places of {}. Choose one of them.", several.len(), provider.fullname()))),
    }
}

async fn steps(drive: &mut Drive<'_>, found: &mut Option<Located>) -> Result<ProbeOutcome, Problem> {
    let provider = Arc::clone(&drive.provider);
    // What a token brings may say where the API is.
    drive.ready().await?;
    let step = provider.locate(&LocateContext { config: &drive.settings, credential: drive.word.as_deref(), kept: &drive.kept })?;
    let located = drive.run(step).await?;
    *found = located.base_url.is_some().then(|| located.clone());
    let context = drive.adapter_context(located);
    let identity = drive.run(provider.probe(&context)?).await?;
    Ok(ProbeOutcome { id: identity.id, name: identity.name, email: identity.email })
}

fn status_of(outcome: &Result<ProbeOutcome, Problem>, state: &DriveState) -> IntegrationStatus {
    let cause = match outcome {
        Ok(_) => return IntegrationStatus::Active,
        Err(_) if state.refused => AttentionCause::CredentialRefused,
        Err(_) if state.unreachable || state.timed_out => AttentionCause::ProviderUnreachable,
        Err(problem) => match problem.code {
            Code::ProviderUnreachable | Code::ProviderTimeout | Code::ProviderRateLimited | Code::RateLimited => AttentionCause::ProviderUnreachable,
            // What stands behind the address is not what the configuration says it is, or the credential may not even be read.
            _ => AttentionCause::ConfigRefused,
        },
    };
    IntegrationStatus::NeedsAttention { cause }
}

impl Engine {
    /// Asks the provider whom the integration's credential belongs to. Moves the integration to `active` when that works and
    /// to `needs_attention` when the credential or the configuration is refused; a paused or revoked one is only asked.
    ///
    /// # Errors
    /// Why the connection does not work.
    pub async fn probe(&self, integration: &Integration) -> Result<ProbeOutcome, Problem> {
        let scope = Scope::Account(integration.organization_id, integration.account_id);
        let plan = plan::load(self, scope, integration.id).await?;
        plan.governed()?;
        let opened = plan.open(self, scope).await?;
        let mut drive = plan.drive(self, scope, PROBE, opened, None);
        let mut found = None;
        let outcome = steps(&mut drive, &mut found).await.map_err(|problem| drive.covered(problem));
        if let (true, Opened::Tokens { credential, set }) = (drive.state.accepted, &drive.opened) {
            refresh::proven(self, scope, credential.id, set, drive.option()).await?;
            if let Some(found) = &found {
                remember(self, scope, (**credential).clone(), found, &plan.settings()).await?;
            }
        }
        let known = plan.integration.status;
        // Why tokens could not be renewed was written down by the renewal, which knows more than that there was no answer.
        let status = match status_of(&outcome, &drive.state) {
            _ if drive.state.unrenewed => known,
            // What works is not what was lost.
            IntegrationStatus::Active if known == status::TOKEN_LOST => known,
            status => status,
        };
        let movable = !matches!(known, IntegrationStatus::Paused | IntegrationStatus::Revoked);
        let connects = outcome.is_ok() && self.usage().connects(plan.integration.id, self.now());
        if movable && (known != status || connects) {
            let from = [known];
            again!(self, {
                let mut tx = self.store().write(scope, Origin::Background).await?;
                tx.set_integration_status(plan.integration.id, &from, status, self.now(), outcome.is_ok()).await?;
                tx.commit().await?;
                Ok(())
            });
        }
        outcome
    }

    /// Asks the provider whom a credential belongs to, without storing anything.
    ///
    /// # Errors
    /// Why the connection does not work.
    pub(crate) async fn probe_draft(&self, draft: Draft) -> Result<ProbeOutcome, Problem> {
        let Draft { integration, word, credential, entered } = draft;
        let scope = Scope::Account(integration.organization_id, integration.account_id);
        let definitions = definition::of_ids(self, &[integration.definition]).await?;
        let provider = definitions.get(&integration.definition).and_then(|definition| self.provider_of(definition));
        let provider = provider.ok_or_else(|| Problem::internal("the provider of an integration is not in the catalog"))?;
        let kept = credential.as_ref().map(|credential| plan::kept_of(&credential.public_config)).unwrap_or_default();
        let opened = match (entered, credential) {
            (Some((kind, public, secret)), _) => Opened::of(kind, &public, &secret)?,
            (None, Some(credential)) => open_stored(self, scope, credential, word.as_deref().and_then(|word| provider.way(word))).await?,
            (None, None) => Opened::Nothing,
        };
        prove(self, scope, integration.id, &provider, &plan::settings_of(&integration.config), &kept, word.as_deref(), opened).await.outcome
    }
}

async fn open_stored(engine: &Engine, scope: Scope, credential: Credential, way: Option<&CredentialOption>) -> Result<Opened, Problem> {
    let mut tx = engine.store().read_secrets(scope).await?;
    let missing = || {
        Problem::new(Code::NeedsReconnect, format!("The credential `{}` holds no secret. Enter one, or connect first.", credential.name)).with_resource(
            "credential",
            credential.id,
            "cause",
        )
    };
    let envelope = tx.secrets().sealed_credential(&credential).await?.ok_or_else(missing)?;
    drop(tx);
    let plain = sealed::open(engine, &credential, &envelope).await?;
    match credential.kind {
        CredentialKind::OAuthUser => refresh::current(engine, scope, credential, TokenSet::from_secret(&plain)?, way).await,
        kind => Opened::of(kind, &credential.public_config, &plain),
    }
}

/// Keeps where the provider's API was found, together with the configuration for which it was: calls need not ask again.
async fn remember(engine: &Engine, scope: Scope, mut credential: Credential, found: &Located, settings: &Map<String, Value>) -> Result<(), Problem> {
    let located = located(found, settings);
    if credential.public_config.get(LOCATED_KEY) == Some(&located) {
        return Ok(());
    }
    credential.public_config.insert(LOCATED_KEY.to_owned(), located);
    credential.updated_at = engine.now();
    again!(engine, {
        let mut tx = engine.store().write(scope, Origin::Background).await?;
        tx.update_credential(&credential).await?;
        tx.commit().await?;
        Ok(())
    });
    Ok(())
}

/// The value of [`LOCATED_KEY`].
pub(crate) fn located(found: &Located, settings: &Map<String, Value>) -> Value {
    let mut value = serde_json::json!({ "for": settings, "base_url": found.base_url.as_ref().map(url::Url::as_str) });
    if let (Some(members), false) = (value.as_object_mut(), found.values.is_empty()) {
        members.insert("values".to_owned(), serde_json::json!(found.values));
    }
    value
}

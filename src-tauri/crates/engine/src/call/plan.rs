//! What a call needs to know before anything is sent: one look into the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchbay_model::account::Account;
use patchbay_model::credential::{Credential, CredentialKind, CredentialOwner, Envelope};
use patchbay_model::definition::Definition;
use patchbay_model::integration::{AttentionCause, Integration, IntegrationStatus, RUNTIME_MEMBERS};
use patchbay_model::point::IntegrationPoint;
use patchbay_model::{Code, CredentialId, IntegrationId, Problem, Scope};
use patchbay_providers::{CredentialOption, LocateContext, Located, Provider, Step};
use serde_json::{Map, Value};
use url::Url;

use super::drive::{Drive, DriveState};
use super::opened::Opened;
use super::{sealed, status};
use crate::consent::{KEPT_KEY, LOCATED_KEY};
use crate::governance::{self, Subject};
use crate::http::Recorder;
use crate::oauth::TokenSet;
use crate::{Engine, definition, refresh};

/// The integration with all that governs it.
pub(crate) struct Plan {
    pub(crate) integration: Integration,
    pub(crate) provider: Arc<Provider>,
    account: Account,
    definition: Arc<Definition>,
    point: Option<Option<IntegrationPoint>>,
    stored: Stored,
    /// `type` of the credential in the configuration.
    pub(crate) word: Option<String>,
}

/// The credential as it lies in the store.
enum Stored {
    /// The provider needs none.
    NotNeeded,
    /// A person has yet to authorize.
    Awaited,
    /// What the configuration refers to is gone.
    Missing,
    /// Sealed.
    Sealed(Box<Credential>, Envelope),
}

/// Reads everything in one transaction.
///
/// # Errors
/// `not_found` when the integration is gone, and problems of the store.
pub(crate) async fn load(engine: &Engine, scope: Scope, id: IntegrationId) -> Result<Plan, Problem> {
    let mut tx = engine.store().read_secrets(scope).await?;
    let gone = || Problem::not_found("integration", id);
    let integration = tx.integration(id).await?.ok_or_else(gone)?;
    let account = tx.account(integration.account_id).await?.ok_or_else(gone)?;
    let point = match integration.integration_point_id {
        Some(point) => Some(tx.point(point).await?),
        None => None,
    };
    let definition = definition::pinned(engine, &mut tx, integration.definition).await?;
    let provider = engine.provider_of(&definition).ok_or_else(|| {
        Problem::new(
            Code::InvalidConfig,
            format!("This Patchbay does not know the provider `{}` of integration `{}`. Use a version that does.", integration.provider, integration.name),
        )
    })?;
    let said = integration.config.get("credential").filter(|credential| !credential.is_null());
    let word = said.and_then(|credential| credential.get("type")).and_then(Value::as_str);
    let option: Option<&CredentialOption> = word.and_then(|word| provider.way(word));
    let value = said.and_then(|credential| credential.get("value")).and_then(Value::as_str);
    let stored = match (said, value.map(str::parse::<CredentialId>)) {
        (None, _) if provider.manifest().credential.is_empty() => Stored::NotNeeded,
        (None, _) => Stored::Missing,
        (Some(_), None) if option.is_some_and(|option| option.kind == CredentialKind::OAuthUser) => Stored::Awaited,
        (Some(_), None | Some(Err(_))) => Stored::Missing,
        (Some(_), Some(Ok(reference))) => match tx.credential(reference).await?.filter(|credential| within_reach(credential, &integration)) {
            None => Stored::Missing,
            Some(credential) => match tx.secrets().sealed_credential(&credential).await? {
                Some(envelope) => Stored::Sealed(Box::new(credential), envelope),
                None if credential.kind == CredentialKind::OAuthUser => Stored::Awaited,
                None => Stored::Missing,
            },
        },
    };
    let word = word.map(str::to_owned);
    Ok(Plan { integration, provider, account, definition, point, stored, word })
}

/// A credential serves its owner: an account's integrations, one integration, or those under a point.
fn within_reach(credential: &Credential, integration: &Integration) -> bool {
    match credential.owner {
        CredentialOwner::Account(account) => account == integration.account_id,
        CredentialOwner::Integration(account, owner) => account == integration.account_id && owner == integration.id,
        CredentialOwner::IntegrationPoint(point) => integration.integration_point_id == Some(point),
        CredentialOwner::OrganizationWebhook(_) => false,
    }
}

impl Plan {
    /// Whether the integration's point allows it as it is now: the rules may have changed since it was made.
    ///
    /// # Errors
    /// `provider_not_allowed`.
    pub(crate) fn governed(&self) -> Result<(), Problem> {
        match &self.point {
            None => Ok(()),
            Some(Some(point)) => {
                let subject = Subject { environment: self.account.environment, definition: &self.definition, config: &self.integration.config };
                match governance::violations(point, &subject).first() {
                    None => Ok(()),
                    Some(violation) => Err(governance::refusal(&self.integration, point, violation)),
                }
            }
            Some(None) => Err(Problem::new(
                Code::ProviderNotAllowed,
                format!("The integration point of integration `{}` was deleted. Put the integration under another one.", self.integration.name),
            )
            .with_resource("integration", self.integration.id, "affected")),
        }
    }

    /// Opens the credential, and renews it first where that is due.
    ///
    /// # Errors
    /// `needs_reconnect` or `integration_not_active` when there is none that could serve; `seal_broken`; trouble with a renewal.
    pub(crate) async fn open(&self, engine: &Engine, scope: Scope) -> Result<Opened, Problem> {
        let (credential, envelope) = match &self.stored {
            Stored::NotNeeded => return Ok(Opened::Nothing),
            Stored::Awaited => {
                return Err(self
                    .integration
                    .clone()
                    .into_status(IntegrationStatus::AwaitingConsent, engine.now())
                    .callable()
                    .err()
                    .unwrap_or_else(|| Problem::internal("a consent is awaited")));
            }
            Stored::Missing => return Err(self.attention(engine, scope, AttentionCause::CredentialMissing).await),
            Stored::Sealed(credential, envelope) => (credential, envelope),
        };
        let plain = sealed::open(engine, credential, envelope).await?;
        if credential.kind == CredentialKind::OAuthUser {
            return refresh::current(engine, scope, (**credential).clone(), TokenSet::from_secret(&plain)?, self.word.as_deref().and_then(|word| self.provider.way(word))).await;
        }
        if credential.expires.is_some_and(|expires| expires <= engine.now()) {
            return Err(self.attention(engine, scope, AttentionCause::CredentialExpired).await);
        }
        Opened::of(credential.kind, &credential.public_config, &plain)
    }

    async fn attention(&self, engine: &Engine, scope: Scope, cause: AttentionCause) -> Problem {
        let to = IntegrationStatus::NeedsAttention { cause };
        if self.integration.status != to
            && let Err(problem) = status::write(engine, scope, &self.integration, to).await
        {
            return problem;
        }
        self.integration.clone().into_status(to, engine.now()).callable().err().unwrap_or_else(|| Problem::new(Code::NeedsReconnect, cause.words()))
    }

    /// A call with this credential.
    pub(crate) fn drive<'a>(&self, engine: &'a Engine, scope: Scope, operation: &'static str, opened: Opened, recorder: Option<Recorder>) -> Drive<'a> {
        Drive {
            engine,
            scope,
            integration: self.integration.id,
            operation,
            provider: Arc::clone(&self.provider),
            word: self.word.clone(),
            settings: self.settings(),
            kept: self.kept(),
            located: BTreeMap::new(),
            opened,
            minted: None,
            covers: Vec::new(),
            recorder,
            state: DriveState::begin(),
        }
    }

    /// Where the provider's API is: remembered with the credential where a consent found it, else asked for.
    ///
    /// # Errors
    /// Why it cannot be found.
    pub(crate) async fn locate(&self, drive: &mut Drive<'_>) -> Result<Located, Problem> {
        let settings = self.settings();
        // What a token brings may say where the API is.
        drive.ready().await?;
        let step = self.provider.locate(&LocateContext { config: &settings, credential: self.word.as_deref(), kept: &drive.kept })?;
        // Mostly the configuration says it. Where the provider has to be asked, that is done once.
        let (Step::Send { .. }, Stored::Sealed(credential, _)) = (&step, &self.stored) else {
            return drive.run(step).await;
        };
        if let Some(located) = remembered(&credential.public_config, &settings) {
            return Ok(located);
        }
        let places = &drive.engine.outbound().places;
        if let Some(located) = places.find(credential, &settings) {
            return Ok(located);
        }
        let found = drive.run(step).await?;
        places.keep(credential, settings, found.clone());
        Ok(found)
    }

    /// The configuration as adapters see it.
    pub(crate) fn settings(&self) -> Map<String, Value> {
        settings_of(&self.integration.config)
    }

    /// What answers and callbacks brought beside the tokens, secrets aside.
    fn kept(&self) -> BTreeMap<String, String> {
        match &self.stored {
            Stored::Sealed(credential, _) => kept_of(&credential.public_config),
            _ => BTreeMap::new(),
        }
    }
}

/// The configuration as adapters see it: without `type` and `credential`, and without the knobs that are none of the provider.
pub(crate) fn settings_of(config: &Value) -> Map<String, Value> {
    let mut settings = whole_settings(config);
    for member in RUNTIME_MEMBERS {
        settings.remove(member);
    }
    settings
}

/// The configuration without `type` and `credential`: what the definition's schema describes.
pub(crate) fn whole_settings(config: &Value) -> Map<String, Value> {
    let mut settings = config.as_object().cloned().unwrap_or_default();
    settings.remove("type");
    settings.remove("credential");
    settings
}

/// What answers and callbacks brought beside a credential's tokens, secrets aside.
pub(crate) fn kept_of(public: &Map<String, Value>) -> BTreeMap<String, String> {
    texts(public.get(KEPT_KEY))
}

fn texts(members: Option<&Value>) -> BTreeMap<String, String> {
    members.and_then(Value::as_object).into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// What a consent found, as long as the configuration is the one for which it was found.
fn remembered(public: &Map<String, Value>, settings: &Map<String, Value>) -> Option<Located> {
    let located = public.get(LOCATED_KEY)?;
    if located.get("for")?.as_object()? != settings {
        return None;
    }
    let base_url: Url = located.get("base_url")?.as_str()?.parse().ok()?;
    Some(Located { base_url: Some(base_url), values: texts(located.get("values")) })
}

//! Tests a connection.

use patchbay_model::change::ChangeKind;
use patchbay_model::credential::{Credential, CredentialKind};
use patchbay_model::integration::Integration;
use patchbay_model::{Code, Operation, Problem, Secret};
use patchbay_store::ReadTx;
use serde_json::{Map, Value};

use super::config::{self, CredentialInput, ParsedConfig, Rules, parse};
use super::create::{fresh, newest};
use super::credential::referred;
use super::update::planned;
use super::{CreateIntegration, UpdateIntegration, governed};
use crate::audit::record::{Done, record};
use crate::call::Draft;
use crate::contention::again;
use crate::{Engine, ManagementGrant, reach};

/// Tests a connection that is not made yet; the problems found, none when it works. Nothing is stored.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_config`, `provider_not_allowed`, `definition_withdrawn`; problems of the store.
pub async fn verify(engine: &Engine, grant: &ManagementGrant, account: &str, new: CreateIntegration) -> Result<Vec<Problem>, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let account = reach::account(&mut tx, grant, account).await?;
    grant.require(Operation::IntegrationsVerify, Some(&account))?;
    let provider = config::provider(&*engine.catalog_of(&mut tx).await?, &new.provider_config)?;
    grant.require_new_in(Operation::IntegrationsVerify, &account, provider.connector())?;
    let point = governed::point(&mut tx, &account, &provider, new.integration_point.as_deref()).await?;
    let definition = newest(engine, &mut tx, &provider).await?;
    let rules = Rules { definition: &definition, point: point.as_ref(), new: true };
    let ParsedConfig { provider, settings, credential } = parse(&provider, new.provider_config, new.runtime, &rules)?;
    let parsed = ParsedConfig { provider, settings, credential: CredentialInput::None };
    let integration = fresh(engine, &account, &parsed, &definition, point.as_ref(), new.name.as_deref(), new.fullname.as_deref())?;
    let opened = opened(engine, &mut tx, &integration, credential).await?;
    drop(tx);
    let problems = draft(engine, integration, opened).await;
    noted(engine, grant, Done::changed(Operation::IntegrationsVerify).in_account(account.id)).await?;
    Ok(problems)
}

/// Tests an integration, with changes that are not made where given; the problems found, none when it works. Without
/// changes the integration's status follows what was found.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_config`, `provider_not_allowed`; problems of the store.
pub async fn verify_existing(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str, change: Option<UpdateIntegration>) -> Result<Vec<Problem>, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let (account, before) = reach::permitted(&mut tx, grant, Operation::IntegrationsVerifyExisting, account, integration).await?;
    let id = before.id;
    let problems = match change {
        None => {
            drop(tx);
            engine.probe(&before).await.err().into_iter().collect()
        }
        Some(change) => {
            let (parsed, credential, mut after) = planned(engine, &mut tx, &account, &before, change).await?;
            let opened = opened(engine, &mut tx, &after, credential).await?;
            drop(tx);
            after.config = parsed.stored(None);
            draft(engine, after, opened).await
        }
    };
    noted(engine, grant, Done::changed(Operation::IntegrationsVerifyExisting).in_account(account.id).on_integration(id).object(ChangeKind::Integration, id.uuid())).await?;
    Ok(problems)
}

async fn noted(engine: &Engine, grant: &ManagementGrant, done: Done) -> Result<(), Problem> {
    again!(engine, {
        let mut tx = reach::writing(engine, grant).await?;
        record(engine, &mut tx, grant, done.clone()).await?;
        tx.commit().await?;
        Ok(())
    });
    Ok(())
}

/// A credential for a test.
enum Opened {
    /// The provider needs none.
    None,
    /// `type` as given, kind, fields that are no secret, and the JSON of those that are.
    Fields(String, CredentialKind, Map<String, Value>, Secret),
    /// `type` as given, and a stored one, which is opened on the way.
    Stored(String, Box<Credential>),
    /// Nobody has authorized it yet.
    Awaited,
}

async fn opened(_engine: &Engine, tx: &mut ReadTx, integration: &Integration, input: CredentialInput) -> Result<Opened, Problem> {
    Ok(match input {
        CredentialInput::None => Opened::None,
        CredentialInput::Inline { word, kind, parts } => Opened::Fields(word, kind, parts.public, parts.secret),
        CredentialInput::Consent { .. } => Opened::Awaited,
        CredentialInput::Reference { word, kind, value } => Opened::Stored(word, Box::new(referred(tx, integration, kind, &value).await?)),
    })
}

async fn draft(engine: &Engine, integration: Integration, opened: Opened) -> Vec<Problem> {
    let draft = match opened {
        Opened::None => Draft { integration, word: None, credential: None, entered: None },
        Opened::Fields(word, kind, public, secret) => Draft { integration, word: Some(word), credential: None, entered: Some((kind, public, secret)) },
        Opened::Stored(word, credential) => Draft { integration, word: Some(word), credential: Some(*credential), entered: None },
        Opened::Awaited => {
            return vec![Problem::new(
                Code::IntegrationNotActive,
                "The configuration is good, and a person has to authorize it before it can be tested. Create the integration and connect it.",
            )];
        }
    };
    engine.probe_draft(draft).await.err().into_iter().collect()
}

//! Makes an integration.

use std::sync::Arc;

use patchbay_model::account::Account;
use patchbay_model::definition::{Definition, DefinitionStatus};
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_model::name::name_and_fullname;
use patchbay_model::point::IntegrationPoint;
use patchbay_model::token::{Authority, TokenOwner, TokenType};
use patchbay_model::{Code, IntegrationId, Operation, Problem, Scope, TokenId};
use patchbay_providers::Provider;
use patchbay_store::{ReadTx, WriteTx};
use serde_json::Value;

use super::config::{self, ParsedConfig, Rules, parse};
use super::credential::settle;
use super::governed;
use super::{CreateIntegration, IntegrationOutcome};
use crate::audit::record::{Done, record};
use crate::token::issue::{NewContainer, issue_as};
use crate::token::lifetime;
use crate::{Engine, ManagementGrant, definition, reach};

/// Makes an integration with the container of its tokens. Trouble with the provider does not fail it: it is told in `problems`.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_config`, `invalid_field`, `provider_not_allowed`, `definition_withdrawn`, `name_taken`; problems of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, account: &str, new: CreateIntegration) -> Result<IntegrationOutcome, Problem> {
    let mut tx = reach::writing(engine, grant).await?;
    let account = reach::account(&mut tx, grant, account).await?;
    let made = insert(engine, &mut tx, grant, &account, new).await?;
    tx.commit().await?;
    let (integration, problems) = tested(engine, made.integration).await?;
    Ok(IntegrationOutcome { integration, problems, ..made })
}

/// Writes the integration with its credential, the container of its tokens and its audit row. The provider is not asked.
///
/// # Errors
/// As [`create`].
pub(crate) async fn insert(engine: &Engine, tx: &mut WriteTx, grant: &ManagementGrant, account: &Account, new: CreateIntegration) -> Result<IntegrationOutcome, Problem> {
    refuse_webhooks(new.webhook_config.as_ref())?;
    grant.require(Operation::IntegrationsCreate, Some(account))?;
    let provider = config::provider(&*engine.catalog_of(tx).await?, &new.provider_config)?;
    grant.require_new_in(Operation::IntegrationsCreate, account, provider.connector())?;
    let point = governed::point(tx, account, &provider, new.integration_point.as_deref()).await?;
    let definition = newest(engine, tx, &provider).await?;
    let rules = Rules { definition: &definition, point: point.as_ref(), new: true };
    let ParsedConfig { provider, settings, credential } = parse(&provider, new.provider_config, new.runtime, &rules)?;
    let parsed = ParsedConfig { provider, settings, credential: super::config::CredentialInput::None };
    let mut integration = fresh(engine, account, &parsed, &definition, point.as_ref(), new.name.as_deref(), new.fullname.as_deref())?;

    tx.insert_integration(&integration).await?;
    let settled = settle(engine, tx, &integration, credential, None).await?;
    let config = parsed.stored(settled.stored);
    let status = if settled.awaits_consent { IntegrationStatus::AwaitingConsent } else { integration.status };
    if config != integration.config || status != integration.status {
        (integration.config, integration.status) = (config, status);
        tx.update_integration(&integration).await?;
    }
    let container = NewContainer {
        owner: TokenOwner::Integration(account.id, integration.id),
        member: grant.member(),
        name: Some("default".to_owned()),
        fullname: Some(format!("First token of {}", integration.name)),
        fullname_given: false,
        token_type: TokenType::Default,
        authority: Authority::Roles(Vec::new()),
        access_ttl: lifetime::INTEGRATION,
        refresh_ttl: Some(lifetime::REFRESH),
    };
    let token = issue_as(engine, tx, grant.organization(), integration.refresh_token_id, container).await?;
    let done =
        Done::created(Operation::IntegrationsCreate).in_account(account.id).on_integration(integration.id).after(&integration).giving(integration.id, integration.name.as_str());
    record(engine, tx, grant, done).await?;
    Ok(IntegrationOutcome { integration, token: Some(token), credentials_created: settled.created.into_iter().collect(), problems: Vec::new() })
}

/// The definition that new integrations of a provider pin.
///
/// # Errors
/// `definition_withdrawn` with the manifest's reason; problems of the store.
pub(super) async fn newest(engine: &Engine, tx: &mut ReadTx, provider: &Provider) -> Result<Arc<Definition>, Problem> {
    if let Some(active) = tx.active_definition_id(provider.id()).await? {
        return definition::pinned(engine, tx, active).await;
    }
    if tx.definitions_of(provider.id()).await?.iter().any(|definition| definition.status == DefinitionStatus::Withdrawn) {
        let reason = provider.manifest().version_sunset().map_or("It must not be used any more.", |sunset| sunset.reason.as_str());
        return Err(Problem::new(Code::DefinitionWithdrawn, format!("{} cannot be used for new integrations. {reason}", provider.fullname())).at_body("/provider_config/type"));
    }
    Err(Problem::internal(format!("the provider {} has no active definition in the store; opening the store anew adds it", provider.id())))
}

/// An integration as it stands before its credential is settled.
pub(super) fn fresh(
    engine: &Engine,
    account: &Account,
    parsed: &ParsedConfig,
    definition: &Definition,
    point: Option<&IntegrationPoint>,
    name: Option<&str>,
    fullname: Option<&str>,
) -> Result<Integration, Problem> {
    let now = engine.now();
    let id = IntegrationId::from_uuid(engine.context().new_uuid());
    let (name, fullname) = name_and_fullname(name, fullname, id.uuid())?;
    Ok(Integration {
        id,
        organization_id: account.organization_id,
        account_id: account.id,
        name,
        fullname,
        definition: definition.id,
        provider: parsed.provider.id().clone(),
        connector: parsed.provider.connector(),
        integration_point_id: point.map(|point| point.id),
        config: parsed.stored(None),
        webhook_config: None,
        status: IntegrationStatus::Active,
        status_since: now,
        refresh_token_id: TokenId::from_uuid(engine.context().new_uuid()),
        last_used_at: None,
        last_connected_at: None,
        created_at: now,
        updated_at: now,
    })
}

/// Asks the provider, where there is something to ask; gives the integration as it is afterwards, and the trouble.
pub(crate) async fn tested(engine: &Engine, integration: Integration) -> Result<(Integration, Vec<Problem>), Problem> {
    // A provider inside Patchbay has nobody to ask.
    let pinned = definition::of_ids(engine, &[integration.definition]).await?;
    let local = pinned.get(&integration.definition).and_then(|definition| engine.provider_of(definition)).is_some_and(|provider| provider.is_local());
    if local || !matches!(integration.status, IntegrationStatus::Active | IntegrationStatus::NeedsAttention { .. }) {
        return Ok((integration, Vec::new()));
    }
    let problems: Vec<Problem> = engine.probe(&integration).await.err().into_iter().collect();
    let mut tx = engine.store().read(Scope::Account(integration.organization_id, integration.account_id)).await?;
    // It may have been deleted while the provider was asked; then what was made is what there is to tell.
    let after = tx.integration(integration.id).await?.unwrap_or(integration);
    Ok((after, problems))
}

/// Webhooks are not sent by this version; a configuration of them is refused instead of being stored and ignored.
pub(super) fn refuse_webhooks(config: Option<&Value>) -> Result<(), Problem> {
    let wanted = config.and_then(|config| config.get("items")).and_then(Value::as_array).is_some_and(|items| !items.is_empty());
    if wanted {
        return Err(Problem::new(Code::OperationUnsupported, "This version of Patchbay does not forward provider webhooks. Leave webhook_config out.").at_body("/webhook_config"));
    }
    Ok(())
}

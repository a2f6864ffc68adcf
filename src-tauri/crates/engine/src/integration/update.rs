//! Changes an integration.

use patchbay_model::account::Account;
use patchbay_model::credential::{Credential, CredentialKind};
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_model::{Fullname, Name, Operation, Problem};
use patchbay_store::ReadTx;

use super::config::{self, CredentialInput, ParsedConfig, Rules, parse};
use super::create::{refuse_webhooks, tested};
use super::credential::{own, settle};
use super::{IntegrationOutcome, UpdateIntegration, disconnect, governed};
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, definition, reach};

/// Changes an integration. When its configuration or credential changed it is tested; trouble is told in `problems`.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_config`, `invalid_field`, `provider_not_allowed`, `name_taken`, `update_conflict`;
/// problems of the store.
pub async fn update(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str, change: UpdateIntegration) -> Result<IntegrationOutcome, Problem> {
    refuse_webhooks(change.webhook_config.as_ref())?;
    let mut tx = reach::writing_secrets(engine, grant).await?;
    let (account, before) = reach::permitted(&mut tx, grant, Operation::IntegrationsUpdate, account, integration).await?;
    reach::unchanged(change.expected, before.updated_at, "integration", before.id)?;
    let (parsed, credential, mut after) = planned(engine, &mut tx, &account, &before, change).await?;
    let own = own(&mut tx, &before).await?;
    let replaced = own.clone();
    let entered_over = replaced.is_some() && matches!(credential, CredentialInput::Inline { .. });
    // Of a consent that another credential takes the place of, the access is ended at the provider.
    if let Some(own) = &own
        && gives_up(own, &credential)
    {
        disconnect::give_up(engine, &mut tx, &before, own).await?;
    }
    let settled = settle(engine, &mut tx, &after, credential, own).await?;
    after.config = parsed.stored(settled.stored);
    let retest = settled.changed || after.config != before.config;
    after = match (before.status, settled.awaits_consent) {
        (IntegrationStatus::Paused, _) => after,
        (_, true) => after.into_status(IntegrationStatus::AwaitingConsent, engine.now()),
        // Whatever was wrong may be mended now; the test tells. What was disconnected is connected again by another credential alone.
        (status, false) if retest && (status != IntegrationStatus::Revoked || settled.changed) => after.into_status(IntegrationStatus::Active, engine.now()),
        (_, false) => after,
    };
    tx.update_integration(&after).await?;
    // The integration's own credential goes when the configuration refers to another one.
    let given_up = replaced.filter(|gone| after.config.pointer("/credential/value").and_then(serde_json::Value::as_str) != Some(gone.id.to_string().as_str()));
    if let Some(gone) = &given_up {
        let deletion = patchbay_model::DeletionId::from_uuid(engine.context().new_uuid());
        tx.delete_credential(gone.id, deletion, engine.now()).await?;
    }
    let done = Done::changed(Operation::IntegrationsUpdate).in_account(account.id).on_integration(after.id).before(&before).after(&after);
    let done = done.secret_replaced(entered_over || given_up.is_some()).giving(after.id, after.name.as_str());
    record(engine, &mut tx, grant, done).await?;
    tx.commit().await?;
    let (integration, problems) = if retest { tested(engine, after).await? } else { (after, Vec::new()) };
    Ok(IntegrationOutcome { integration, token: None, credentials_created: settled.created.into_iter().collect(), problems })
}

/// Whether a consent is given up for another credential. One that is awaited anew works on until then.
fn gives_up(own: &Credential, next: &CredentialInput) -> bool {
    own.kind == CredentialKind::OAuthUser
        && match next {
            CredentialInput::Consent { .. } => false,
            CredentialInput::Reference { value, .. } => *value != own.id.to_string(),
            CredentialInput::None | CredentialInput::Inline { .. } => true,
        }
}

/// The integration as it would be, with its configuration taken apart; nothing is written.
pub(super) async fn planned(
    engine: &Engine,
    tx: &mut ReadTx,
    account: &Account,
    before: &Integration,
    change: UpdateIntegration,
) -> Result<(ParsedConfig, CredentialInput, Integration), Problem> {
    let provider = change.provider_config.get("type").and_then(serde_json::Value::as_str);
    if provider != Some(before.provider.as_str()) {
        return Err(Problem::field(
            "/provider_config/type",
            format!("The provider of an integration cannot change; `{}` is of `{}`. Make another integration.", before.name, before.provider),
        ));
    }
    let definition = definition::pinned(engine, tx, before.definition).await?;
    let provider = match engine.provider_of(&definition) {
        Some(provider) => provider,
        None => config::provider(&*engine.catalog_of(tx).await?, &change.provider_config)?,
    };
    let point = governed::point(tx, account, &provider, change.integration_point.as_deref()).await?;
    let runtime = change.runtime.unwrap_or_else(|| before.runtime_config());
    let rules = Rules { definition: &definition, point: point.as_ref(), new: false };
    let ParsedConfig { provider, settings, credential } = parse(&provider, change.provider_config, runtime, &rules)?;
    let parsed = ParsedConfig { provider, settings, credential: CredentialInput::None };
    let mut after = before.clone();
    if let Some(name) = change.name.filter(|name| *name != before.name.as_str()) {
        after.name = Name::parse(&name)?;
    }
    if let Some(fullname) = change.fullname {
        after.fullname = Fullname::parse(&fullname)?;
    }
    after.integration_point_id = point.map(|point| point.id);
    after.updated_at = engine.now();
    Ok((parsed, credential, after))
}

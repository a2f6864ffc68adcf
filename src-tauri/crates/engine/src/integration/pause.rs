//! Switches an integration off and on.

use patchbay_model::credential::{CredentialKind, SealedAt};
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_model::{Code, CredentialId, Operation, Problem};
use patchbay_store::ReadTx;

use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Switches an integration off: calls are refused until it is resumed. Pausing a paused one changes nothing.
///
/// # Errors
/// `integration_not_active` for one that was never connected; `not_found`, `permission_denied`; problems of the store.
pub async fn pause(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Integration, Problem> {
    turn(engine, grant, Operation::IntegrationsPause, account, integration).await
}

/// Switches a paused or disconnected integration on again: to `active`, or to waiting for consent where there is none. Resuming one
/// that is neither changes nothing.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn resume(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Integration, Problem> {
    turn(engine, grant, Operation::IntegrationsResume, account, integration).await
}

async fn turn(engine: &Engine, grant: &ManagementGrant, operation: Operation, account: &str, integration: &str) -> Result<Integration, Problem> {
    let mut tx = reach::writing(engine, grant).await?;
    let (account, integration) = reach::permitted(&mut tx, grant, operation, account, integration).await?;
    let now = engine.now();
    let status = match (operation, integration.status) {
        (Operation::IntegrationsPause, IntegrationStatus::Active | IntegrationStatus::NeedsAttention { .. } | IntegrationStatus::Paused) => IntegrationStatus::Paused,
        (Operation::IntegrationsPause, _) => {
            return Err(Problem::new(
                Code::IntegrationNotActive,
                format!("Integration `{}` is not in use ({}), so there is nothing to pause.", integration.name, integration.status.as_str()),
            )
            .with_resource("integration", integration.id, "cause"));
        }
        (_, IntegrationStatus::Paused | IntegrationStatus::Revoked) => resumed(&mut tx, &integration).await?,
        (_, unchanged) => unchanged,
    };
    if status == integration.status {
        return Ok(integration);
    }
    let before = integration.clone();
    let mut integration = integration.into_status(status, now);
    integration.updated_at = now;
    tx.update_integration(&integration).await?;
    let done = Done::changed(operation).in_account(account.id).on_integration(integration.id).before(&before).after(&integration);
    record(engine, &mut tx, grant, done.giving(integration.id, integration.name.as_str())).await?;
    tx.commit().await?;
    Ok(integration)
}

/// What a paused integration becomes.
async fn resumed(tx: &mut ReadTx, integration: &Integration) -> Result<IntegrationStatus, Problem> {
    let Some(id) = integration.config.pointer("/credential/value").and_then(serde_json::Value::as_str).and_then(|id| id.parse::<CredentialId>().ok()) else {
        return Ok(IntegrationStatus::Active);
    };
    Ok(match tx.credential(id).await? {
        Some(credential) if credential.kind == CredentialKind::OAuthUser && credential.sealed_at == SealedAt::Nowhere => IntegrationStatus::AwaitingConsent,
        // What was entered was given back.
        Some(credential) if credential.sealed_at == SealedAt::Nowhere => {
            IntegrationStatus::NeedsAttention { cause: patchbay_model::integration::AttentionCause::CredentialMissing }
        }
        Some(_) => IntegrationStatus::Active,
        None => IntegrationStatus::NeedsAttention { cause: patchbay_model::integration::AttentionCause::CredentialMissing },
    })
}

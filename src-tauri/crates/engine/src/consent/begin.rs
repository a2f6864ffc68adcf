//! Begins a consent.

use std::time::Duration;

use patchbay_model::account::Account;
use patchbay_model::change::ChangeKind;
use patchbay_model::consent::{ConnectSession, ConnectState};
use patchbay_model::definition::Definition;
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_model::{Code, ConnectSessionId, EndUserId, Operation, Problem};
use patchbay_providers::{Provider, Server};
use patchbay_store::ReadTx;
use serde_json::Value;

use super::{BeginConsent, Begun, choice, client, leg, route};
use crate::audit::record::{Done, record};
use crate::governance::{self, Subject};
use crate::oauth::{Authority, authority, random};
use crate::{Engine, ManagementGrant, definition};

/// How long a person has for the provider's pages, from the last way that was chosen.
pub(super) const LIFE: Duration = Duration::from_secs(600);

/// The purpose under which states are hashed.
pub(super) const STATE: &str = "consent state";

/// Begins a consent, on its first way. Consents of the same integration that are still under way end: only the newest link works.
///
/// # Errors
/// `provider_not_allowed` by the integration's point, `provider_app_missing`, `consent_route_unavailable`, a redirect URI that is
/// not registered, trouble with the provider's metadata, and problems of permission.
pub async fn begin(engine: &Engine, grant: &ManagementGrant, begin: BeginConsent) -> Result<Begun, Problem> {
    let missing = || Problem::not_found("integration", begin.integration);
    let mut tx = engine.store().read(grant.scope()).await?;
    let integration = tx.integration(begin.integration).await?.ok_or_else(missing)?;
    let account = tx.account(integration.account_id).await?.filter(|account| grant.reaches_category(account, integration.connector)).ok_or_else(missing)?;
    grant.require_in(Operation::ConnectBegin, &account, integration.connector)?;
    let definition = definition::pinned(engine, &mut tx, integration.definition).await?;
    let provider = engine.provider_of(&definition).ok_or_else(|| Problem::internal("the provider of an integration is not in the catalog"))?;
    let server = awaited(&integration, &provider)?;
    let prescribed = prescribed(&mut tx, &integration, &account, &definition).await?;
    let app = client::app_for(&mut tx, &provider, server, &integration).await?;
    let end_user = match begin.end_user.as_deref().filter(|reference| !reference.is_empty()) {
        Some(reference) => {
            let unknown = || Problem::not_found(EndUserId::NOUN, reference).at_body("/end_user_id");
            Some(tx.find_end_user(account.id, reference).await?.ok_or_else(unknown)?.id)
        }
        None => None,
    };
    drop(tx);
    let (route, redirect_uri) = route::chosen(engine, &provider, &integration, &app, begin.platform, begin.route, begin.redirect_uri.as_deref())?;
    let config = integration.config.as_object().cloned().unwrap_or_default();
    let authority = authority(engine.http(), &engine.outbound().metadata, &provider, server, &config).await?;

    let now = engine.now();
    let mut session = ConnectSession {
        id: ConnectSessionId::from_uuid(engine.context().new_uuid()),
        organization_id: integration.organization_id,
        account_id: account.id,
        integration_id: integration.id,
        provider_app_id: Some(app.id),
        member_id: grant.member(),
        end_user_id: end_user,
        route,
        redirect_uri,
        issuer: authority.issuer.clone(),
        scopes: scopes(&prescribed, &app.scopes, server, &authority),
        state: ConnectState::Begun,
        message: None,
        explanation: None,
        places: Vec::new(),
        expires: now.plus(LIFE),
        created_at: now,
        updated_at: now,
    };
    let new = leg::NewLeg::of(engine, &session, 1, &authority, &app).await?;
    session.expires = new.expires();
    let mut tx = engine.store().write_secrets(grant.scope(), grant.caller().origin).await?;
    if let Some(before) = tx.latest_connect_session(integration.id).await?.filter(|before| before.state == ConnectState::Choosing) {
        choice::abandon(engine, &mut tx, &before, ConnectState::Cancelled, "A newer consent was begun for this integration.").await?;
    }
    // What an older server would look for; a leg that is opened at once puts its own there.
    let nobody = random(engine.context().entropy());
    tx.insert_connect_session(&session, &engine.vault().keyed_hash(STATE, nobody.expose().as_bytes()), None).await?;
    new.write(engine, &mut tx, &session).await?;
    let done = Done::created(Operation::ConnectBegin)
        .in_account(account.id)
        .on_integration(integration.id)
        .object(ChangeKind::ConnectSession, session.id.uuid())
        .giving(session.id, integration.name.as_str());
    record(engine, &mut tx, grant, done).await?;
    tx.commit().await?;
    Ok(new.begun(session))
}

/// `type` of the credential of an integration.
pub(super) fn word(integration: &Integration) -> &str {
    integration.config.pointer("/credential/type").and_then(Value::as_str).unwrap_or_default()
}

/// Whether a person can authorize this integration now.
pub(super) fn awaited<'a>(integration: &Integration, provider: &'a Provider) -> Result<&'a Server, Problem> {
    let Some(server) = provider.consent(word(integration)) else {
        return Err(Problem::new(
            Code::InvalidRequest,
            format!(
                "Integration `{}` is not connected by consent: its credential is of another type. Set the credential's type to `o_auth_user` first, where {} offers that.",
                integration.name,
                provider.fullname()
            ),
        )
        .with_resource("integration", integration.id, "cause"));
    };
    if integration.status == IntegrationStatus::Paused {
        return Err(Problem::new(Code::IntegrationNotActive, format!("Integration `{}` is paused. Resume it, then connect.", integration.name)).with_resource(
            "integration",
            integration.id,
            "cause",
        ));
    }
    Ok(server)
}

/// The scopes that the integration's point prescribes, which must allow the integration.
///
/// # Errors
/// `provider_not_allowed`: nobody shall be asked to authorize what may not be used.
async fn prescribed(tx: &mut ReadTx, integration: &Integration, account: &Account, definition: &Definition) -> Result<Vec<String>, Problem> {
    let Some(point) = (match integration.integration_point_id {
        Some(id) => tx.point(id).await?,
        None => None,
    }) else {
        return Ok(Vec::new());
    };
    let subject = Subject { environment: account.environment, definition, config: &integration.config };
    if let Some(violation) = governance::violations(&point, &subject).first() {
        return Err(governance::refusal(integration, &point, violation));
    }
    Ok(point.policy_of(&integration.provider).map(|policy| policy.scopes.clone()).unwrap_or_default())
}

/// What to ask for: what the point prescribes, else the app's scopes, else the manifest's as far as the provider knows them.
fn scopes(prescribed: &[String], of_app: &[String], server: &Server, authority: &Authority) -> Vec<String> {
    if !prescribed.is_empty() {
        return prescribed.to_vec();
    }
    if !of_app.is_empty() {
        return of_app.to_vec();
    }
    let known = |scope: &&String| authority.scopes_known.as_ref().is_none_or(|known| known.is_empty() || known.contains(scope));
    server.scopes.default.iter().filter(known).cloned().collect()
}

//! Goes on with a consent on another way. Account, person and scopes stay; what was sent on the ways before stays good until
//! one of them is answered.

use patchbay_model::change::ChangeKind;
use patchbay_model::consent::{ConnectSession, ConnectState, ConsentRoute, MOST_LEGS};
use patchbay_model::{Code, ConnectSessionId, Operation, Problem};

use super::begin::{LIFE, awaited};
use super::{Begun, finish, leg, route};
use crate::audit::record::{Done, record};
use crate::background::surely;
use crate::consent::Platform;
use crate::oauth::authority;
use crate::{Engine, ManagementGrant, definition};

/// On which way to go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SwitchConsent {
    /// The way; none takes the first that can be gone.
    pub route: Option<ConsentRoute>,
    /// Where the answer comes, as at its begin.
    pub redirect_uri: Option<String>,
    /// What the program can do that asks.
    pub platform: Platform,
}

/// Goes on with a consent that is under way on another way.
///
/// # Errors
/// `consent_replayed` or `consent_expired` when it is over, `consent_route_unavailable` for a way that cannot be gone or after too
/// many, a redirect URI that is not registered, and problems of permission.
pub async fn switch(engine: &Engine, grant: &ManagementGrant, session: ConnectSessionId, switch: SwitchConsent) -> Result<Begun, Problem> {
    let mut tx = engine.store().read(grant.scope()).await?;
    let before = super::reachable(&mut tx, grant, Operation::ConnectSwitch, session).await?;
    open(&before)?;
    if before.expires <= surely(engine, &mut tx).await? {
        return Err(finish::late());
    }
    let integration = tx.integration(before.integration_id).await?.ok_or_else(|| Problem::not_found("integration", before.integration_id))?;
    let definition = definition::pinned(engine, &mut tx, integration.definition).await?;
    let provider = engine.provider_of(&definition).ok_or_else(|| Problem::internal("the provider of an integration is not in the catalog"))?;
    let server = awaited(&integration, &provider)?;
    let app = match before.provider_app_id {
        Some(app) => tx.provider_app(app).await?,
        None => None,
    };
    let app = app.ok_or_else(leg::app_gone)?;
    drop(tx);
    let (route, redirect_uri) = route::chosen(engine, &provider, &integration, &app, switch.platform, switch.route, switch.redirect_uri.as_deref())?;
    let config = integration.config.as_object().cloned().unwrap_or_default();
    let authority = authority(engine.http(), &engine.outbound().metadata, &provider, server, &config).await?;
    finish::same_authority(&before, &authority)?;

    let mut tx = engine.store().write(grant.scope(), grant.caller().origin).await?;
    let before = tx.connect_session(session).await?.ok_or_else(|| Problem::not_found("connect session", session))?;
    open(&before)?;
    let legs = tx.connect_legs(session).await?;
    let number = legs.last().map_or(1, |leg| leg.number + 1);
    if number > MOST_LEGS {
        return Err(Problem::new(Code::ConsentRouteUnavailable, format!("This consent was tried on {MOST_LEGS} ways. Cancel it and begin anew.")));
    }
    let now = engine.now();
    let mut session = ConnectSession { route, redirect_uri, expires: now.plus(LIFE), updated_at: now, ..before };
    let new = leg::NewLeg::of(engine, &session, number, &authority, &app).await?;
    session.expires = new.expires();
    new.write(engine, &mut tx, &session).await?;
    let done = Done::changed(Operation::ConnectSwitch)
        .in_account(session.account_id)
        .on_integration(session.integration_id)
        .object(ChangeKind::ConnectSession, session.id.uuid())
        .giving(session.id, integration.name.as_str());
    record(engine, &mut tx, grant, done).await?;
    tx.commit().await?;
    Ok(new.begun(session))
}

/// That an answer is still awaited.
fn open(session: &ConnectSession) -> Result<(), Problem> {
    if session.state == ConnectState::Begun { Ok(()) } else { Err(finish::over(session)) }
}

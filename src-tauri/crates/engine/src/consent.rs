//! Consent: a person authorizes a provider for an integration (authorization code grant with PKCE, RFC 6749 section 4.1,
//! RFC 7636, RFC 9700). The process that has the store open begins and finishes every consent: verifier, client secret
//! and tokens never leave it.

mod begin;
mod callback;
mod cancel;
mod choice;
mod client;
mod device;
mod exchange;
pub(crate) mod explain;
mod finish;
mod flight;
pub mod hosted;
mod leg;
pub mod loopback;
mod receipt;
mod redirect;
mod route;
mod signed;
mod switch;

use std::time::Duration;

use patchbay_model::consent::{ConnectLeg, ConnectSession, ConnectState, ConsentRoute, DevicePrompt};
use patchbay_model::{ConnectSessionId, IntegrationId, Operation, Origin, Problem, Scope, Secret};
use patchbay_store::ReadTx;
use url::Url;

pub use begin::begin;
pub use cancel::cancel;
pub(crate) use choice::abandon;
pub use choice::choose;
pub(crate) use client::client_of;
pub use device::prompt;
pub use explain::explain_page;
pub use finish::{answer, finish, finish_callback};
pub use flight::{flight, record};
pub use leg::{BrowserNonce, open_leg};
pub use patchbay_providers::Offer;
pub use route::{Platform, routes, start_url};
pub use switch::{SwitchConsent, switch};

use crate::background::surely;
use crate::contention::again;
use crate::{Engine, ManagementGrant, reach};

/// In the metadata of a credential that a consent gave: where the provider's API was found, and for which configuration.
pub(crate) const LOCATED_KEY: &str = "located";

/// In the metadata of a credential that a consent gave: the redirect URI that it came back to.
pub(crate) const REDIRECT_KEY: &str = "redirect_uri";

/// The member of `public_config` of a credential that holds what answers and callbacks brought beside its tokens, secrets aside.
pub(crate) const KEPT_KEY: &str = "kept";

/// What to begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BeginConsent {
    /// For which integration.
    pub integration: IntegrationId,
    /// How the person goes to the provider's page; none takes the first way that can be gone.
    pub route: Option<ConsentRoute>,
    /// What the program can do that asks.
    pub platform: Platform,
    /// Where the answer comes: the server's callback address for a link, a loopback address for a browser or window. Without
    /// one, the first loopback address registered with the provider app is taken.
    pub redirect_uri: Option<String>,
    /// Id or name of the end user who is asked to agree, where that is known before.
    pub end_user: Option<String>,
}

/// A consent that has begun, or goes on, on one way.
pub struct Begun {
    /// The session, with the exact redirect URI.
    pub session: ConnectSession,
    /// The way.
    pub leg: ConnectLeg,
    /// The provider's page, where the leg is open already.
    pub authorize_url: Option<Url>,
    /// The ticket of the start address at which it is opened otherwise.
    pub start: Option<Secret>,
    /// What the person enters where, by way of a device.
    pub device: Option<DevicePrompt>,
    /// The host of the provider's page, for the person to know.
    pub host: String,
}

/// Reads a consent. Where a person enters a code at another device, whoever reads asks the provider for them, when it is time.
///
/// # Errors
/// `not_found` and problems of permission.
pub async fn get(engine: &Engine, grant: &ManagementGrant, session: ConnectSessionId) -> Result<ConnectSession, Problem> {
    let mut tx = engine.store().read(grant.scope()).await?;
    let mut session = reachable(&mut tx, grant, Operation::ConnectGet, session).await?;
    if session.state == ConnectState::Begun && tx.connect_legs(session.id).await?.iter().any(|leg| leg.device.is_some()) {
        drop(tx);
        device::look(engine, grant.caller(), &session).await?;
        tx = engine.store().read(grant.scope()).await?;
        session = reachable(&mut tx, grant, Operation::ConnectGet, session.id).await?;
    }
    // The row follows when the next look at old consents is taken.
    if matches!(session.state, ConnectState::Begun | ConnectState::Choosing) && session.expires <= surely(engine, &mut tx).await? {
        let late = finish::late();
        session.state = ConnectState::Failed { code: late.code };
        session.message = Some(late.message);
    }
    Ok(session)
}

/// The newest consent of an integration, where there was one.
///
/// # Errors
/// `not_found` and problems of permission.
pub async fn latest(engine: &Engine, grant: &ManagementGrant, account: &str, integration: &str) -> Result<Option<ConnectSession>, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    let (_, integration) = reach::permitted(&mut tx, grant, Operation::ConnectLatest, account, integration).await?;
    Ok(tx.latest_connect_session(integration.id).await?)
}

/// How long after its end a consent is left alone: its answer may be being exchanged at this moment.
const LEEWAY: Duration = Duration::from_secs(120);

/// Ends the consents that nobody finished, and those whose exchange was left by a process that died.
///
/// # Errors
/// Problems of the store.
pub(crate) async fn end_stale(engine: &Engine) -> Result<(), Problem> {
    for organization in engine.organizations().await? {
        again!(engine, {
            let mut tx = engine.store().write(Scope::Organization(organization.id), Origin::Background).await?;
            let before = surely(engine, &mut tx).await?.minus(LEEWAY);
            tx.expire_connect_sessions(before).await?;
            tx.commit().await?;
            Ok(())
        });
        let scope = Scope::Organization(organization.id);
        let mut tx = engine.store().read(scope).await?;
        let before = surely(engine, &mut tx).await?.minus(LEEWAY);
        let abandoned = tx.abandoned_choices(before).await?;
        drop(tx);
        for session in abandoned {
            let late = finish::late();
            again!(engine, {
                let mut tx = engine.store().write_secrets(Scope::Account(session.organization_id, session.account_id), Origin::Background).await?;
                abandon(engine, &mut tx, &session, ConnectState::Failed { code: late.code }, &late.message).await?;
                tx.commit().await?;
                Ok(())
            });
        }
    }
    Ok(())
}

/// A session within the caller's reach.
///
/// # Errors
/// `not_found`, `permission_denied`, and problems of the store.
async fn reachable(tx: &mut ReadTx, grant: &ManagementGrant, operation: Operation, id: ConnectSessionId) -> Result<ConnectSession, Problem> {
    let missing = || Problem::not_found("connect session", id);
    let session = tx.connect_session(id).await?.ok_or_else(missing)?;
    let account = tx.account(session.account_id).await?.ok_or_else(missing)?;
    let integration = tx.integration(session.integration_id).await?.filter(|integration| grant.reaches_category(&account, integration.connector)).ok_or_else(missing)?;
    grant.require_in(operation, &account, integration.connector)?;
    Ok(session)
}

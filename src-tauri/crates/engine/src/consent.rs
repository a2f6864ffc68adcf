//! Consent: a person authorizes a provider for an integration (authorization code grant with PKCE, RFC 6749 section 4.1,
//! RFC 7636, RFC 9700). The process that has the store open begins and finishes every consent: verifier, client secret
//! and tokens never leave it.

pub mod loopback;

use patchbay_model::consent::{ConnectSession, ConsentRoute};
use patchbay_model::{ConnectSessionId, IntegrationId, Problem};
use url::Url;

use crate::{Engine, ManagementGrant};

/// What to begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BeginConsent {
    /// For which integration.
    pub integration: IntegrationId,
    /// How the person goes to the provider's page.
    pub route: ConsentRoute,
    /// Where the answer comes: the server's callback address for a link, a loopback address for a browser or window. Without
    /// one, the first loopback address registered with the provider app is taken.
    pub redirect_uri: Option<String>,
}

/// A consent that has begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The session, with the exact redirect URI.
    pub session: ConnectSession,
    /// The provider's page.
    pub authorize_url: Url,
    /// Whether the provider's page works inside a window of the application.
    pub embedded_window: bool,
}

/// Begins a consent.
///
/// # Errors
/// `provider_app_missing`, a redirect URI that is not registered, trouble with the provider's metadata, and problems of permission.
pub async fn begin(engine: &Engine, grant: &ManagementGrant, begin: BeginConsent) -> Result<Begun, Problem> {
    let _ = (grant, begin);
    Err(crate::pending(engine))
}

/// Reads a consent.
///
/// # Errors
/// `not_found` and problems of permission.
pub async fn get(engine: &Engine, grant: &ManagementGrant, session: ConnectSessionId) -> Result<ConnectSession, Problem> {
    let _ = (grant, session);
    Err(crate::pending(engine))
}

/// Finishes a consent with the URL at which the provider's answer arrived.
///
/// # Errors
/// The `consent_...` codes; the session then says the same.
pub async fn finish(engine: &Engine, grant: &ManagementGrant, session: ConnectSessionId, callback_url: &str) -> Result<ConnectSession, Problem> {
    let _ = (grant, session, callback_url);
    Err(crate::pending(engine))
}

/// Finishes a consent whose answer came to the server's own callback address. Nobody is signed in there: the `state`,
/// which only the person's browser was given, says which consent it is.
///
/// # Errors
/// As [`finish`].
pub async fn finish_callback(engine: &Engine, callback_url: &str) -> Result<ConnectSession, Problem> {
    let _ = callback_url;
    Err(crate::pending(engine))
}

/// Ends a consent that the person gave up.
///
/// # Errors
/// `not_found` and problems of permission. One that is over already stays as it is.
pub async fn cancel(engine: &Engine, grant: &ManagementGrant, session: ConnectSessionId) -> Result<ConnectSession, Problem> {
    let _ = (grant, session);
    Err(crate::pending(engine))
}

//! Web sessions: handles of signed-in browsers, and the one-time link that opens the first one. They are no tokens:
//! no route takes them, the server exchanges its cookie here for a grant at every request.

use patchbay_model::{OrganizationId, Problem, Secret, Timestamp};

use crate::{CallerInfo, Engine, ManagementGrant};

/// A session just made.
#[derive(Clone)]
pub struct NewSession {
    /// The handle for the cookie, shown once.
    pub handle: Secret,
    /// When it ends.
    pub expires: Timestamp,
    /// What it may do.
    pub grant: ManagementGrant,
}

/// Opens a session for a caller that showed an organization token or signed in.
///
/// # Errors
/// Problems of the store.
pub async fn begin(engine: &Engine, grant: &ManagementGrant) -> Result<NewSession, Problem> {
    let _ = grant;
    Err(crate::pending(engine))
}

/// The grant of a session's handle. It ends with the token or member that it came from.
///
/// # Errors
/// `token_invalid` when it is not a live session.
pub async fn resume(engine: &Engine, handle: &str, caller: CallerInfo) -> Result<ManagementGrant, Problem> {
    let _ = (handle, caller);
    Err(crate::pending(engine))
}

/// Ends a session. Ending one that is not there is no error.
///
/// # Errors
/// Problems of the store.
pub async fn end(engine: &Engine, handle: &str) -> Result<(), Problem> {
    let _ = handle;
    Err(crate::pending(engine))
}

/// Makes a one-time set-up link's secret, for the holder of the key: whoever opens it within 15 minutes acts as the first
/// member.
///
/// # Errors
/// Problems of the store.
pub async fn create_setup_link(engine: &Engine, organization: OrganizationId) -> Result<(Secret, Timestamp), Problem> {
    let _ = organization;
    Err(crate::pending(engine))
}

/// Redeems a set-up link once.
///
/// # Errors
/// `token_invalid` when it is unknown, used or too old.
pub async fn redeem_setup_link(engine: &Engine, secret: &str, caller: CallerInfo) -> Result<NewSession, Problem> {
    let _ = (secret, caller);
    Err(crate::pending(engine))
}

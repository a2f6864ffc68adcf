//! Signs a member out.

use patchbay_model::Problem;

use crate::{Engine, ManagementGrant};

/// Ends the caller's own token container, if it came from a logon.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn logoff(engine: &Engine, grant: &ManagementGrant) -> Result<(), Problem> {
    let _ = (grant,);
    Err(crate::pending(engine))
}

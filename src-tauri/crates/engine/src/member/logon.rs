//! Signs a member in.

use patchbay_model::{Problem, Secret};

use super::Logon;
use crate::{CallerInfo, Engine};

/// Signs a member in by name and password. `organization` is an id or name.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn logon(engine: &Engine, organization: &str, name: &str, secret: Secret, caller: CallerInfo) -> Result<Logon, Problem> {
    let _ = (organization, name, secret, caller,);
    Err(crate::pending(engine))
}

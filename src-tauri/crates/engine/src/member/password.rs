//! Passwords.

use patchbay_model::{Problem, Secret};

use super::Logon;
use crate::{Engine, ManagementGrant};

/// Changes the caller's own password; every earlier token of its logons dies, and it is signed in anew.
///
/// # Errors
/// Problems of permission, of the input, and of the store.
pub async fn change_password(engine: &Engine, grant: &ManagementGrant, old: Secret, new: Secret) -> Result<Logon, Problem> {
    let _ = (grant, old, new,);
    Err(crate::pending(engine))
}

//! Tells what a secret is good for.

use patchbay_model::Problem;

use crate::{CallerInfo, Engine, Grant};

impl Engine {
    /// Tells what a bearer secret is good for.
    ///
    /// # Errors
    /// `token_invalid` for anything that is not a live secret of a live container, without telling which of these it is.
    pub async fn verify(&self, secret: &str, caller: CallerInfo) -> Result<Grant, Problem> {
        let _ = (secret, caller);
        Err(crate::pending(self))
    }
}

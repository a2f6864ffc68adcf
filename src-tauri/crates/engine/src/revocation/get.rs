//! Reads a revocation.

use patchbay_model::revocation::Revocation;
use patchbay_model::{Operation, Problem};

use super::permitted;
use crate::{Engine, ManagementGrant, reach};

/// Reads a revocation.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn get(engine: &Engine, grant: &ManagementGrant, revocation: &str) -> Result<Revocation, Problem> {
    let mut tx = reach::reading(engine, grant).await?;
    permitted(&mut tx, grant, Operation::RevocationsGet, revocation).await
}

//! What a delete of a token container takes along.

use patchbay_model::{Operation, Problem, Scope};
use patchbay_store::Affected;

use super::governed;
use crate::deletion::{Impact, today};
use crate::{Engine, ManagementGrant};

/// What a delete of a container takes along: its secrets, which nothing brings back, and whether they were used today.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub async fn impact(engine: &Engine, grant: &ManagementGrant, token: &str) -> Result<Impact, Problem> {
    let mut tx = engine.store().read(Scope::Organization(grant.organization())).await?;
    let container = governed::container(&mut tx, grant, Operation::TokensImpact, token).await?;
    Ok(Impact { used_today: tx.used_since(Affected::Token(container.id), today(engine)).await?, ..Impact::default() })
}

//! Lists revocations.

use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::revocation::Revocation;
use patchbay_model::{Operation, Problem};

use crate::{Engine, ManagementGrant, reach};

/// One page of the revocations within the caller's reach.
///
/// # Errors
/// `permission_denied`, `invalid_filter`, `invalid_order`, `invalid_cursor`; problems of the store.
pub async fn list(engine: &Engine, grant: &ManagementGrant, query: ListQuery) -> Result<Listed<Revocation>, Problem> {
    let mut tx = reach::paging(engine, grant, Operation::RevocationsList, &query).await?;
    Ok(tx.revocations(&query).await?)
}

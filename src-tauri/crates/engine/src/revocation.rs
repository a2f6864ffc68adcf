//! Access that is taken back at the provider. It is taken out of the integration and sealed into a row of its own in one
//! transaction; a worker in every process asks the provider to end it, and asks again whether it has ended. At the end, whichever
//! it is, nothing of it is kept. Where a provider cannot be asked, the row says what a person does there.

mod ask;
mod attempt;
mod begin;
mod confirm;
mod facts;
mod get;
mod kept;
mod list;
mod release;
mod retry;
pub(crate) mod worker;

pub(crate) use begin::{Taking, begin};
pub use confirm::confirm;
pub(crate) use facts::{Facts, proof_of};
pub use get::get;
pub use list::list;
pub(crate) use release::release;
pub use retry::retry;
pub use worker::revoke_due;

use patchbay_model::revocation::Revocation;
use patchbay_model::{Operation, Problem, RevocationId};
use patchbay_providers::Provider;
use patchbay_providers::manifest::Source;
use patchbay_providers::manifest::revoke::Ends;
use patchbay_store::ReadTx;

use crate::ManagementGrant;

/// Whether a revocation surely ends what was given to one integration alone, so that a newer consent of the same person lives on. What
/// nobody has verified of a provider is not relied upon: the newer consent would be what is lost.
pub(crate) fn ends_token_alone(provider: &Provider, word: Option<&str>) -> bool {
    let server = word.and_then(|word| provider.way(word)).and_then(|way| way.auth.server());
    let Some(server) = server.filter(|_| Facts::of(provider, word).ends() == Some(Ends::Token)) else { return false };
    provider.manifest().source_of(&format!("server.{server}.revocation.how.rfc7009.ends")).is_some_and(Source::is_verified)
}

/// The revocation of this id, for an operation that the caller may run in its account. Those of integrations that are gone are
/// reached by whoever reaches the account.
///
/// # Errors
/// `not_found` when there is none within reach; `permission_denied`.
async fn permitted(tx: &mut ReadTx, grant: &ManagementGrant, operation: Operation, reference: &str) -> Result<Revocation, Problem> {
    let missing = || Problem::not_found(RevocationId::NOUN, reference);
    let found = match reference.parse::<RevocationId>() {
        Ok(id) => tx.revocation(id).await?,
        Err(_) => None,
    };
    let revocation = found.ok_or_else(missing)?;
    let account = tx.account_even_deleted(revocation.account_id).await?.filter(|account| grant.reaches(account)).ok_or_else(missing)?;
    match tx.integration_even_deleted(revocation.integration_id).await? {
        Some(integration) if grant.reaches_category(&account, integration.connector) => grant.require_in(operation, &account, integration.connector)?,
        Some(_) => return Err(missing()),
        None => grant.require(operation, Some(&account))?,
    }
    Ok(revocation)
}

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

use patchbay_model::revocation::{Revocation, RevocationHow};
use patchbay_model::{Operation, Problem, RevocationId};
use patchbay_providers::Provider;
use patchbay_providers::manifest::Source;
use patchbay_providers::manifest::revoke::Ends;
use patchbay_store::ReadTx;

use crate::ManagementGrant;
use crate::oauth::TokenSet;

/// What becomes at the provider of tokens that others take the place of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// They are ended there, and surely they alone.
    Ended,
    /// They are the same as the new ones, or some of them are.
    Shared,
    /// Ending them would end the new ones too.
    OneGrant,
    /// Nobody has verified that ending them would leave the new ones alive.
    Unverified,
    /// The provider has nothing that a program could ask.
    NoWay,
}

impl Fate {
    /// Judges it. What nobody has verified of a provider is not relied upon: the newer consent would be what is lost.
    pub(crate) fn of(provider: &Provider, word: Option<&str>, before: &TokenSet, now: &TokenSet) -> Self {
        let facts = Facts::of(provider, word);
        let fact = match facts.how() {
            RevocationHow::Endpoint => "revocation.how.rfc7009.ends",
            RevocationHow::Call => "revocation.ends",
            RevocationHow::Manual => return Self::NoWay,
        };
        if before.shares(now) {
            return Self::Shared;
        }
        match facts.ends() {
            Some(Ends::Grant) => return Self::OneGrant,
            Some(Ends::Set | Ends::Token) => {}
            None => return Self::Unverified,
        }
        // By a source of its own: the page that names an endpoint seldom says what else ends with a token.
        let server = word.and_then(|word| provider.way(word)).and_then(|way| way.auth.server());
        let source = server.and_then(|server| provider.manifest().sources.get(&format!("server.{server}.{fact}")));
        if source.is_some_and(Source::is_verified) { Self::Ended } else { Self::Unverified }
    }

    /// The same for people.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Ended => "The tokens before are ended at the provider, which ends them alone.",
            Self::Shared => "The provider gave some of the tokens before once more, so nothing is ended there.",
            Self::OneGrant => "The tokens before are left to end by themselves: ended at the provider, they would take the new ones along.",
            Self::Unverified => "The tokens before are left to end by themselves: nobody has verified that the new ones would live on if they were ended at the provider.",
            Self::NoWay => "The tokens before are left to end by themselves: this provider has nothing that a program could ask to end them.",
        }
    }
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

#[cfg(test)]
mod tests;

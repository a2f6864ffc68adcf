//! Which containers a caller governs.

use patchbay_model::token::{Authority, TokenContainer, TokenOwner};
use patchbay_model::{Code, Operation, Problem, TokenId};
use patchbay_store::ReadTx;

use super::narrow;
use crate::grant::{ManagementGrant, Permit};

/// The container of this id or name, when the caller may run the operation on it. An integration's container is governed by
/// whoever reaches its account; an organization's by its own maker's like, by whoever has at least its authority, so that
/// nobody gets a wider token by refreshing one.
///
/// # Errors
/// `not_found`, `permission_denied`; problems of the store.
pub(super) async fn container(tx: &mut ReadTx, grant: &ManagementGrant, operation: Operation, reference: &str) -> Result<TokenContainer, Problem> {
    let container = tx.find_token(reference).await?.ok_or_else(|| Problem::not_found(TokenId::NOUN, reference))?;
    match container.owner {
        TokenOwner::Integration(account, integration) => {
            let unknown = || Problem::not_found(TokenId::NOUN, reference);
            let account = tx.account(account).await?.ok_or_else(unknown)?;
            let integration = tx.integration(integration).await?.filter(|integration| grant.reaches_category(&account, integration.connector)).ok_or_else(unknown)?;
            grant.require_in(operation, &account, integration.connector)?;
        }
        TokenOwner::Organization(_) => {
            // What is out of reach is not there, whatever the caller may do elsewhere.
            if !reaches(grant, &container, |_| true) {
                return Err(Problem::not_found(TokenId::NOUN, reference));
            }
            grant.require(operation, None)?;
            // Reading shows no secret, so it takes reach alone; whatever makes or ends secrets needs their authority.
            if matches!(operation, Operation::TokensGet | Operation::TokensImpact) && reaches(grant, &container, |permit| permit.allows(operation)) {
                return Ok(container);
            }
            within_reach(grant, operation, &container)?;
        }
    }
    Ok(container)
}

/// Whether an organization's container is within the reach of a permit: any where it is not narrowed, else those over objects
/// that it reaches, whatever they allow there. The list is narrowed by the same rule, in the store.
fn reaches(grant: &ManagementGrant, container: &TokenContainer, counts: impl Fn(&Permit) -> bool) -> bool {
    let own = grant.container() == Some(container.id);
    own || grant.permits().iter().filter(|permit| counts(permit)).any(|permit| match &container.authority {
        _ if !permit.narrowed() => true,
        Authority::Adhoc { resources, .. } => narrow::covers(resources, &permit.resources),
        Authority::Roles(_) => false,
    })
}

/// Whether a caller may hold what an organization's container gives.
pub(super) fn within_reach(grant: &ManagementGrant, operation: Operation, container: &TokenContainer) -> Result<(), Problem> {
    if grant.permits().iter().any(|permit| !permit.narrowed() && permit.permission_set == patchbay_model::permission::PermissionSet::Administrator) {
        return Ok(());
    }
    match &container.authority {
        Authority::Adhoc { resources, permission_set } => {
            let wanted = Permit { permission_set: *permission_set, resources: resources.clone() };
            let narrowed = narrow::narrowed(grant, operation, wanted.clone())?;
            // What had to be narrowed is wider than the caller.
            if narrowed == wanted { Ok(()) } else { Err(Problem::new(Code::PermissionDenied, "The token is wider than its caller. Use a token or member with a wider role.")) }
        }
        // A member's own logons are its own.
        Authority::Roles(_) if container.member_id == grant.member() && grant.container() == Some(container.id) => Ok(()),
        Authority::Roles(_) => Err(Problem::new(Code::PermissionDenied, "The token acts by the roles of its member. That member, or an administrator, can do this.")),
    }
}

/// Whether the owner in a path is the container's: the id of its organization or integration.
///
/// # Errors
/// `not_found` when it is another's.
pub(super) fn owned_by(container: &TokenContainer, owner: &str) -> Result<(), Problem> {
    let id = match container.owner {
        TokenOwner::Organization(organization) => organization.to_string(),
        TokenOwner::Integration(_, integration) => integration.to_string(),
    };
    if id.eq_ignore_ascii_case(owner) { Ok(()) } else { Err(Problem::not_found(TokenId::NOUN, container.id)) }
}

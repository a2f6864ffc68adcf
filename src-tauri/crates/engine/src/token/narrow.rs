//! A minted token never exceeds its minter.

use patchbay_model::permission::{AccountSelector, IdOrAll, IntegrationSelector, OrganizationSelector, PermissionSet, ResourceScope};
use patchbay_model::{Code, Operation, Problem};

use crate::grant::{ManagementGrant, Permit};
use crate::permission;

/// The widest authority of what is asked for that one of the caller's permits with the operation covers: its operations are among the
/// permit's, and its objects too. Parts of the choice of objects that are left out are taken from the permit.
///
/// # Errors
/// `permission_denied` when no permit covers it.
pub(crate) fn narrowed(grant: &ManagementGrant, operation: Operation, wanted: Permit) -> Result<Permit, Problem> {
    grant
        .permits()
        .iter()
        .filter(|permit| permit.allows(operation) && permission::within(wanted.permission_set, permit.permission_set))
        .find_map(|permit| within(&wanted.resources, &permit.resources))
        .map(|resources| Permit { permission_set: wanted.permission_set, resources })
        .ok_or_else(|| exceeds(wanted.permission_set))
}

/// The refusal of a token that would exceed its maker.
pub(crate) fn exceeds(wanted: PermissionSet) -> Problem {
    Problem::new(
        Code::PermissionDenied,
        format!("A token cannot be given more than its maker has: `{}` over these resources exceeds the caller's permissions. Ask for a narrower token.", wanted.as_str()),
    )
    .at_body("/permission_set")
}

/// Whether `outer` covers everything that `inner` does, without looking at any object.
pub(crate) fn covers(inner: &ResourceScope, outer: &ResourceScope) -> bool {
    // What had to be narrowed is wider.
    within(inner, outer).as_ref() == Some(inner)
}

/// `wanted` within `outer`, part by part.
pub(crate) fn within(wanted: &ResourceScope, outer: &ResourceScope) -> Option<ResourceScope> {
    Some(ResourceScope {
        organizations: part(wanted.organizations.as_ref().map(|part| &part.ids), outer.organizations.as_ref().map(|part| &part.ids))?.map(|ids| OrganizationSelector { ids }),
        accounts: accounts(wanted.accounts.as_ref(), outer.accounts.as_ref())?,
        integrations: part(wanted.integrations.as_ref().map(|part| &part.categories), outer.integrations.as_ref().map(|part| &part.categories))?
            .map(|categories| IntegrationSelector { categories }),
    })
}

#[expect(clippy::option_option, reason = "the outer option says whether it fits, the inner one whether it is narrowed")]
fn accounts(wanted: Option<&AccountSelector>, outer: Option<&AccountSelector>) -> Option<Option<AccountSelector>> {
    let Some(outer) = outer.filter(|outer| !outer.is_everything()) else {
        return Some(wanted.cloned());
    };
    let wanted = wanted.cloned().unwrap_or_default();
    Some(Some(AccountSelector {
        ids: part(wanted.ids.as_ref(), outer.ids.as_ref())?,
        // An account has to have one of the labels, so fewer labels choose fewer accounts.
        labels: subset(wanted.labels, outer.labels.as_ref())?,
        environments: subset(wanted.environments, outer.environments.as_ref())?,
    }))
}

/// As [`subset`], for ids: `*` of the outer covers every one, `*` that is wished for only `*`.
#[expect(clippy::option_option, reason = "as for `subset`")]
fn part<T: PartialEq + Clone>(wanted: Option<&Vec<IdOrAll<T>>>, outer: Option<&Vec<IdOrAll<T>>>) -> Option<Option<Vec<IdOrAll<T>>>> {
    subset(wanted.cloned(), outer.filter(|outer| !outer.contains(&IdOrAll::All)))
}

/// `wanted` if all of it is in `outer`, `outer` where nothing is wanted; outer none: not narrowed.
#[expect(clippy::option_option, reason = "the outer option says whether it fits, the inner one whether it is narrowed")]
fn subset<T: PartialEq + Clone>(wanted: Option<Vec<T>>, outer: Option<&Vec<T>>) -> Option<Option<Vec<T>>> {
    match (wanted, outer) {
        (wanted, None) => Some(wanted),
        (None, Some(outer)) => Some(Some(outer.clone())),
        (Some(wanted), Some(outer)) => wanted.iter().all(|item| outer.contains(item)).then_some(Some(wanted)),
    }
}

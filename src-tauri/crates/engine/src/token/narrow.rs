//! A minted token never exceeds its minter.

use patchbay_model::permission::{AccountSelector, IdOrAll, ResourceScope};
use patchbay_model::{Code, Problem};

use crate::grant::{Everything, ManagementGrant, Permit};
use crate::permission;

/// The widest authority of what is asked for that one of the caller's permits covers: its operations are among the
/// permit's, and its accounts too. Parts of the choice of accounts that are left out are taken from the permit.
///
/// # Errors
/// `permission_denied` when no permit covers it.
pub(crate) fn narrowed(grant: &ManagementGrant, wanted: Permit) -> Result<Permit, Problem> {
    grant
        .permits()
        .iter()
        .filter(|permit| permission::within(wanted.permission_set, permit.permission_set))
        .find_map(|permit| within(&wanted.resources, &permit.resources))
        .map(|resources| Permit { permission_set: wanted.permission_set, resources })
        .ok_or_else(|| {
            Problem::new(
                Code::PermissionDenied,
                format!(
                    "A token cannot be given more than its maker has: `{}` over these resources exceeds the caller's permissions. Ask for a narrower token.",
                    wanted.permission_set.as_str()
                ),
            )
            .at_body("/permission_set")
        })
}

fn within(wanted: &ResourceScope, outer: &ResourceScope) -> Option<ResourceScope> {
    let Some(outer) = outer.accounts.as_ref().filter(|outer| !outer.is_everything()) else {
        return Some(wanted.clone());
    };
    let wanted = wanted.accounts.clone().unwrap_or_default();
    Some(ResourceScope {
        accounts: Some(AccountSelector {
            // `*` of the permit covers every id, `*` that is wished for only `*`.
            ids: subset(wanted.ids, outer.ids.as_ref().filter(|ids| !ids.contains(&IdOrAll::All)))?,
            // An account has to have one of the labels, so fewer labels choose fewer accounts.
            labels: subset(wanted.labels, outer.labels.as_ref())?,
            environments: subset(wanted.environments, outer.environments.as_ref())?,
        }),
    })
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

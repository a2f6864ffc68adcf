//! Users by name: Jira takes account ids only.

use patchbay_model::{Code, Problem};
use serde_json::Value;

use super::{Next, adf, get, path};
use crate::reading::{cut, text};
use crate::step::AdapterContext;

/// Users that one search gives.
const FOUND: u32 = 50;

/// Gives the account id of each user named: an account id stands for itself, a name or e-mail address is searched and must belong
/// to one active user. `code` and `pointer` are those of the problem if not.
pub(super) fn resolve(context: &AdapterContext, names: Vec<String>, code: Code, pointer: &'static str, then: impl FnOnce(Vec<String>) -> Next + Send + 'static) -> Next {
    next(context, names, Vec::new(), code, pointer, then)
}

fn next(
    context: &AdapterContext,
    mut names: Vec<String>,
    mut found: Vec<String>,
    code: Code,
    pointer: &'static str,
    then: impl FnOnce(Vec<String>) -> Next + Send + 'static,
) -> Next {
    if names.is_empty() {
        return then(found);
    }
    let name = names.remove(0);
    if adf::is_account(&name) {
        found.push(name);
        return next(context, names, found, code, pointer, then);
    }
    let mut url = path(context, &["user", "search"])?;
    url.query_pairs_mut().append_pair("query", &name).append_pair("maxResults", &FOUND.to_string());
    let context = context.clone();
    get(url, "user", &name.clone(), move |answer| {
        let folded = name.trim().to_lowercase();
        let same = |user: &Value| ["displayName", "emailAddress"].iter().any(|key| text(user, key).is_some_and(|known| known.to_lowercase() == folded));
        let mut ids =
            answer.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter(|user| same(user)).filter_map(|user| text(user, "accountId")).filter(|id| adf::is_account(id));
        match (ids.next(), ids.next()) {
            (Some(id), None) => {
                found.push(id);
                next(&context, names, found, code, pointer, then)
            }
            (Some(_), Some(_)) => Err(refuse(code, pointer, format!("Several users of Jira are called `{}`. Give the account id.", cut(&name, 100)))),
            _ => Err(refuse(
                code,
                pointer,
                format!("No user of Jira that this credential can see is called `{}`. Give the name as Jira shows it, or the account id.", cut(&name, 100)),
            )),
        }
    })
}

fn refuse(code: Code, pointer: &str, message: String) -> Problem {
    if code == Code::InvalidFilter { Problem::new(code, message).at(patchbay_model::problem::Location::Query, "filter") } else { Problem::new(code, message).at_body(pointer) }
}

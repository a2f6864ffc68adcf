//! Names to ids: Redmine takes ids where the unified API has words.

use patchbay_model::{Code, Problem};
use serde_json::Value;

use super::{MAX_PAGE, NAME, Next, get, next_offset};
use crate::adapters::endpoint;
use crate::exchange::{Method, ProviderRequest};
use crate::reading::{self, MAX_ROWS, Pages, cut, rows, text};
use crate::refusal::refused;
use crate::step::{AdapterContext, Step};

/// Something with an id and a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Named {
    pub(super) id: String,
    pub(super) name: String,
}

/// What is looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Status,
    Tracker,
    Priority,
}

impl Kind {
    const fn path(self) -> &'static [&'static str] {
        match self {
            Self::Status => &["issue_statuses.json"],
            Self::Tracker => &["trackers.json"],
            Self::Priority => &["enumerations", "issue_priorities.json"],
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Status => "issue_statuses",
            Self::Tracker => "trackers",
            Self::Priority => "issue_priorities",
        }
    }

    /// What it is called in messages.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Tracker => "tracker",
            Self::Priority => "priority",
        }
    }
}

fn named(value: &Value) -> Option<Named> {
    Some(Named { id: text(value, "id")?, name: text(value, "name")? })
}

/// Reads every entry of a kind. These lists have no pages.
pub(super) fn load(context: &AdapterContext, kind: Kind, then: impl FnOnce(Vec<Named>) -> Next + Send + 'static) -> Next {
    let url = endpoint(context, kind.path())?;
    get(url, kind.noun(), String::new(), move |answer| {
        // Priorities that were retired cannot be set.
        then(rows(&answer, kind.key()).iter().filter(|entry| entry.get("active") != Some(&Value::Bool(false))).filter_map(named).collect())
    })
}

/// Reads entries only where they are needed.
pub(super) fn load_if(needed: bool, context: &AdapterContext, kind: Kind, then: impl FnOnce(Vec<Named>) -> Next + Send + 'static) -> Next {
    if needed { load(context, kind, then) } else { then(Vec::new()) }
}

/// The entry with this id, or with this name ignoring case.
pub(super) fn find<'a>(entries: &'a [Named], wanted: &str) -> Option<&'a Named> {
    let folded = wanted.trim().to_lowercase();
    entries.iter().find(|entry| entry.name.to_lowercase() == folded).or_else(|| entries.iter().find(|entry| entry.id == folded))
}

/// The entry that a field names, or a problem at that field which lists what there is.
pub(super) fn resolve<'a>(kind: Kind, entries: &'a [Named], wanted: &str, pointer: &str) -> Result<&'a Named, Problem> {
    find(entries, wanted)
        .ok_or_else(|| Problem::new(Code::InvalidField, format!("Redmine has no {} `{}`. It has: {}.", kind.noun(), cut(wanted, 100), names(entries))).at_body(pointer))
}

/// The names of entries, for a message.
pub(super) fn names(entries: &[Named]) -> String {
    reading::listed(entries.iter().map(|entry| &entry.name))
}

/// Finds the id of a user or group that can be assigned: a number or `me` stands for itself, anything else is looked for among
/// the members of the project.
pub(super) fn assignee(context: &AdapterContext, project: &str, wanted: String, then: impl FnOnce(String) -> Next + Send + 'static) -> Next {
    if wanted == "me" || wanted.bytes().all(|b| b.is_ascii_digit()) {
        return then(wanted);
    }
    members(context, project.to_owned(), Pages::default(), 0, Vec::new(), move |members| {
        let folded = wanted.trim().to_lowercase();
        let mut matching = members.iter().filter(|member| member.name.to_lowercase() == folded);
        match (matching.next(), matching.next()) {
            (Some(member), None) => then(member.id.clone()),
            (Some(_), Some(_)) => Err(Problem::field("/assignee", format!("Several members of the project are called `{}`. Give the id of the user.", cut(&wanted, 100)))),
            _ => Err(Problem::field(
                "/assignee",
                format!("No member of the project is called `{}`. Give the name as Redmine shows it, the id of the user, or `me`.", cut(&wanted, 100)),
            )),
        }
    })
}

fn members(context: &AdapterContext, project: String, pages: Pages, from: usize, mut so_far: Vec<Named>, then: impl FnOnce(Vec<Named>) -> Next + Send + 'static) -> Next {
    let mut url = endpoint(context, &["projects", &project, "memberships.json"])?;
    url.query_pairs_mut().append_pair("offset", &from.to_string()).append_pair("limit", &MAX_PAGE.to_string());
    let context = context.clone();
    get(url, "project", project.clone(), move |answer| {
        let given = rows(&answer, "memberships");
        for member in given.iter().filter_map(|membership| membership.get("user").or_else(|| membership.get("group")).and_then(named)) {
            if !so_far.contains(&member) {
                so_far.push(member);
            }
        }
        match next_offset(&answer, from, given.len(), MAX_PAGE as usize).parse() {
            Ok(next) => members(&context, project, pages.next(NAME)?, next, so_far, then),
            _ => then(so_far),
        }
    })
}

/// The custom fields that an issue shows; fields without a value are among them.
pub(super) fn fields_of(issue: &Value) -> Vec<Named> {
    rows(issue, "custom_fields").iter().filter_map(named).collect()
}

/// Adds fields that are not there yet.
fn merge(known: &mut Vec<Named>, more: impl IntoIterator<Item = Named>) {
    for field in more {
        if known.len() < MAX_ROWS && !known.iter().any(|seen| seen.id == field.id) {
            known.push(field);
        }
    }
}

/// The custom fields that issues of a project can have, beside those that are `known`. No one list shows all of them to
/// everybody: definitions are for administrators, a project lists those that are not for all projects, and issues show the
/// rest.
pub(super) fn custom_fields(context: &AdapterContext, project: String, mut known: Vec<Named>, then: impl FnOnce(Vec<Named>) -> Next + Send + 'static) -> Next {
    let context = context.clone();
    let url = endpoint(&context, &["custom_fields.json"])?;
    Ok(Step::send(ProviderRequest::new(Method::Get, url), move |response| {
        if response.ok() {
            let answer = reading::json(NAME, &response)?;
            merge(&mut known, rows(&answer, "custom_fields").iter().filter(|field| text(field, "customized_type").is_none_or(|kind| kind == "issue")).filter_map(named));
            return then(known);
        }
        if response.status != 403 {
            return Err(refused(NAME, &response, "custom fields", ""));
        }
        let mut url = endpoint(&context, &["projects", &format!("{project}.json")])?;
        url.query_pairs_mut().append_pair("include", "issue_custom_fields");
        get(url, "project", project.clone(), move |answer| {
            merge(&mut known, answer.get("project").map(|project| rows(project, "issue_custom_fields")).unwrap_or_default().iter().filter_map(named));
            fields_seen(&context, Some(&project), known, then)
        })
    }))
}

/// Adds the custom fields that the latest issues show, of one project or of all.
pub(super) fn fields_seen(context: &AdapterContext, project: Option<&str>, mut known: Vec<Named>, then: impl FnOnce(Vec<Named>) -> Next + Send + 'static) -> Next {
    let mut url = endpoint(context, &["issues.json"])?;
    {
        let mut pairs = url.query_pairs_mut();
        if let Some(project) = project {
            pairs.append_pair("project_id", project);
        }
        pairs.append_pair("status_id", "*").append_pair("sort", "id:desc").append_pair("limit", &MAX_PAGE.to_string());
    }
    get(url, "tickets", String::new(), move |answer| {
        for issue in rows(&answer, "issues") {
            merge(&mut known, fields_of(issue));
        }
        then(known)
    })
}

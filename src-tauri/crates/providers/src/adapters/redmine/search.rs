//! Filters and orders as Redmine's query parameters.
//!
//! A parameter holds an operator and values joined by `|`, so every value is made of what was looked up or checked here:
//! nothing that a caller wrote can become an operator. The status is always given, since Redmine leaves closed issues out
//! otherwise.

use std::collections::BTreeMap;

use patchbay_model::connector::ticketing::{PageRequest, TicketingAnswer};
use patchbay_model::list::{Direction, Filter, Operator, Order};
use patchbay_model::problem::Location;
use patchbay_model::{Code, Problem, Timestamp};

use super::lookup::{self, Kind, Named};
use super::{MAX_PAGE, NAME, Next, get, issue, next_offset};
use crate::adapters::{endpoint, offset};
use crate::priority;
use crate::reading::{cut, rows};
use crate::step::{AdapterContext, Step};

/// Sort keys that Redmine takes at once.
const MAX_ORDERS: usize = 2;

/// Starts a search.
pub(super) fn query(context: AdapterContext, page: PageRequest, filters: Vec<Filter>, orders: &[Order]) -> Next {
    let from = offset(&page)?;
    let sort = sort(orders)?;
    let needs = |field: &str| filters.iter().any(|filter| filter.field == field && !(field == "status" && word(filter).is_some()));
    let (statuses, trackers, priorities) = (needs("status"), needs("issue_type"), needs("priority"));
    lookup::load_if(statuses, &context.clone(), Kind::Status, move |statuses| {
        lookup::load_if(trackers, &context.clone(), Kind::Tracker, move |trackers| {
            lookup::load_if(priorities, &context.clone(), Kind::Priority, move |priorities| {
                let parameters = parameters(&filters, &statuses, &trackers, &priorities)?;
                send(&context, from, page.limit.clamp(1, MAX_PAGE), &sort, &parameters)
            })
        })
    })
}

fn send(context: &AdapterContext, from: usize, limit: u32, sort: &str, parameters: &BTreeMap<&'static str, String>) -> Next {
    let mut url = endpoint(context, &["issues.json"])?;
    {
        let mut pairs = url.query_pairs_mut();
        for (name, value) in parameters {
            pairs.append_pair(name, value);
        }
        pairs.append_pair("include", "attachments").append_pair("sort", sort).append_pair("offset", &from.to_string()).append_pair("limit", &limit.to_string());
    }
    let project = parameters.get("project_id").cloned();
    let noun = if project.is_some() { "project" } else { "tickets" };
    get(url, noun, project.unwrap_or_default(), move |answer| {
        let issues = rows(&answer, "issues");
        let next = next_offset(&answer, from, issues.len(), limit as usize);
        Ok(Step::Done(TicketingAnswer::Tickets(issues.iter().filter(|issue| issue.get("id").is_some()).map(issue::ticket).collect(), next)))
    })
}

fn refuse(filter: &Filter, why: &str) -> Problem {
    Problem::new(Code::InvalidFilter, format!("The filter on `{}` cannot be passed to {NAME}: {why}", filter.field)).at(Location::Query, "filter")
}

/// Redmine's own words for groups of statuses.
fn word(filter: &Filter) -> Option<&'static str> {
    match (filter.operator, filter.values.first().map(String::as_str)) {
        (Operator::Eq, Some("open")) => Some("open"),
        (Operator::Eq, Some("closed")) => Some("closed"),
        (Operator::Eq, Some("*")) => Some("*"),
        _ => None,
    }
}

/// `!` for the operators that exclude.
const fn negation(operator: Operator) -> &'static str {
    if matches!(operator, Operator::Ne | Operator::NotIn) { "!" } else { "" }
}

fn parameters(filters: &[Filter], statuses: &[Named], trackers: &[Named], priorities: &[Named]) -> Result<BTreeMap<&'static str, String>, Problem> {
    let mut parameters: BTreeMap<&'static str, String> = BTreeMap::new();
    let mut ranges: BTreeMap<&'static str, (Option<String>, Option<String>)> = BTreeMap::new();
    for filter in filters {
        let (name, value) = match filter.field.as_str() {
            "status" => (
                "status_id",
                match word(filter) {
                    Some(word) => word.to_owned(),
                    None => list(filter, |value| known(filter, Kind::Status, statuses, value))?,
                },
            ),
            "issue_type" => ("tracker_id", list(filter, |value| known(filter, Kind::Tracker, trackers, value))?),
            "priority" => (
                "priority_id",
                list(filter, |value| {
                    let wanted = priority::from_word(value).ok_or_else(|| refuse(filter, "that is no priority."))?;
                    let of_that: Vec<&str> = priorities.iter().filter(|entry| issue::read_priority(&entry.name) == Some(wanted)).map(|entry| entry.id.as_str()).collect();
                    // Id 0 belongs to nothing: a priority that Redmine does not have selects no issue, or excludes none.
                    Ok(if of_that.is_empty() { "0".to_owned() } else { of_that.join("|") })
                })?,
            ),
            "id" => ("issue_id", numbers(filter)?.join(",")),
            "parent" => ("parent_id", numbers(filter)?.join(",")),
            "project" => {
                let project = filter.values.first().map(String::as_str).unwrap_or_default();
                if project.is_empty() || project.len() > 100 || !project.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_') {
                    return Err(refuse(filter, "a project is given by its id or identifier."));
                }
                // Issues of subprojects are of another project.
                parameters.insert("subproject_id", "!*".to_owned());
                ("project_id", project.to_owned())
            }
            "assignee" => ("assigned_to_id", list(filter, |value| user(filter, value))?),
            "creator" => ("author_id", list(filter, |value| user(filter, value))?),
            "summary" => ("subject", pattern(filter)?),
            "created_at" => {
                range(&mut ranges, "created_on", filter, moment)?;
                continue;
            }
            "updated_at" => {
                range(&mut ranges, "updated_on", filter, moment)?;
                continue;
            }
            "due_date" => {
                range(&mut ranges, "due_date", filter, day)?;
                continue;
            }
            _ => return Err(refuse(filter, "the field is not known.")),
        };
        if parameters.insert(name, value).is_some() {
            return Err(refuse(filter, "it takes one condition on that field. Join the values with `in`."));
        }
    }
    for (name, bounds) in ranges {
        let value = match bounds {
            (Some(from), Some(to)) => format!("><{from}|{to}"),
            (Some(from), None) => format!(">={from}"),
            (None, Some(to)) => format!("<={to}"),
            (None, None) => continue,
        };
        parameters.insert(name, value);
    }
    parameters.entry("status_id").or_insert_with(|| "*".to_owned());
    Ok(parameters)
}

/// The values of a filter, each made into an id, with the operator before them.
fn list(filter: &Filter, id: impl Fn(&str) -> Result<String, Problem>) -> Result<String, Problem> {
    let ids = filter.values.iter().map(|value| id(value)).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("{}{}", negation(filter.operator), ids.join("|")))
}

fn known(filter: &Filter, kind: Kind, entries: &[Named], value: &str) -> Result<String, Problem> {
    let entry =
        lookup::find(entries, value).ok_or_else(|| refuse(filter, &format!("there is no {} `{}`. There are: {}.", kind.noun(), cut(value, 100), lookup::names(entries))))?;
    // Ids come from the provider and go into an expression; only numbers are harmless there.
    if entry.id.bytes().all(|b| b.is_ascii_digit()) { Ok(entry.id.clone()) } else { Err(refuse(filter, "its id is no number.")) }
}

fn is_number(value: &str) -> bool {
    (1..=18).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit())
}

fn numbers(filter: &Filter) -> Result<Vec<String>, Problem> {
    if filter.values.iter().all(|value| is_number(value)) { Ok(filter.values.clone()) } else { Err(refuse(filter, "the value must be the number of a ticket.")) }
}

fn user(filter: &Filter, value: &str) -> Result<String, Problem> {
    if value == "me" || is_number(value) { Ok(value.to_owned()) } else { Err(refuse(filter, "a user is given by id (see `unmapped.assignee_id` of a ticket), or as `me`.")) }
}

/// `%text%`, `text%` and `%text` as Redmine's contains, begins with and ends with. What contains does with several words is
/// Redmine's: all of them must occur.
fn pattern(filter: &Filter) -> Result<String, Problem> {
    let value = filter.values.first().map(String::as_str).unwrap_or_default();
    let wild = |c: char| matches!(c, '%' | '*');
    let inner = value.trim_matches(wild);
    if inner.trim().is_empty() || inner.contains(wild) || inner.contains('|') || inner.chars().any(char::is_control) {
        return Err(refuse(filter, "the pattern must be text with `%` before it, after it or both, without `|`."));
    }
    Ok(match (value.starts_with(wild), value.ends_with(wild)) {
        (true, true) => format!("~{inner}"),
        (false, true) => format!("^{inner}"),
        (true, false) => format!("${inner}"),
        (false, false) => return Err(refuse(filter, "it cannot compare the whole summary. Put `%` before or after the text.")),
    })
}

fn moment(at: Timestamp) -> String {
    at.utc().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn day(at: Timestamp) -> String {
    at.utc().format("%Y-%m-%d").to_string()
}

fn range(ranges: &mut BTreeMap<&'static str, (Option<String>, Option<String>)>, name: &'static str, filter: &Filter, write: fn(Timestamp) -> String) -> Result<(), Problem> {
    let at: Timestamp = filter.values.first().and_then(|value| value.parse().ok()).ok_or_else(|| refuse(filter, "the value must be a time."))?;
    let (from, to) = ranges.entry(name).or_default();
    let twice = match filter.operator {
        Operator::Gte => from.replace(write(at)).is_some(),
        Operator::Lte => to.replace(write(at)).is_some(),
        _ => from.replace(write(at)).is_some() | to.replace(write(at)).is_some(),
    };
    if twice { Err(refuse(filter, "it takes one lower and one upper bound.")) } else { Ok(()) }
}

/// Sort keys in Redmine's names, the id last so that pages do not overlap; by id where none is given, so that new issues come
/// at the end.
fn sort(orders: &[Order]) -> Result<String, Problem> {
    if orders.len() > MAX_ORDERS {
        return Err(Problem::new(Code::InvalidOrder, format!("{NAME} sorts by at most {MAX_ORDERS} fields. Leave out the others.")).at(Location::Query, "order"));
    }
    let mut keys = Vec::new();
    for order in orders {
        let name = match order.field.as_str() {
            "id" => "id",
            "created_at" => "created_on",
            "updated_at" => "updated_on",
            "due_date" => "due_date",
            "priority" => "priority",
            "status" => "status",
            "summary" => "subject",
            _ => return Err(Problem::new(Code::InvalidOrder, format!("{NAME} cannot sort by that field.")).at(Location::Query, "order")),
        };
        keys.push(if order.direction == Direction::Desc { format!("{name}:desc") } else { name.to_owned() });
    }
    if !orders.iter().any(|order| order.field == "id") {
        keys.push("id".to_owned());
    }
    Ok(keys.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(entries: &[(&str, &str)]) -> Vec<Named> {
        entries.iter().map(|(id, name)| Named { id: (*id).to_owned(), name: (*name).to_owned() }).collect()
    }

    fn made(filters: &[&str]) -> Result<String, Problem> {
        let filters: Vec<Filter> = filters.iter().map(|text| Filter::parse(text).unwrap()).collect();
        let (statuses, priorities) = (named(&[("1", "New"), ("2", "In Progress"), ("5", "Closed")]), named(&[("3", "Low"), ("4", "Normal"), ("7", "Immediate")]));
        parameters(&filters, &statuses, &named(&[("1", "Bug")]), &priorities)
            .map(|parameters| parameters.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"))
    }

    #[test]
    fn filters_become_parameters() {
        for (filters, expected) in [
            (&[][..], "status_id=*"),
            (&["status[eq]\"in progress\""], "status_id=2"),
            (&["status[not in]New,Closed"], "status_id=!1|5"),
            (&["status[eq]open"], "status_id=open"),
            (&["priority[eq]URGENT"], "priority_id=7&status_id=*"),
            (&["priority[eq]HIGH"], "priority_id=0&status_id=*"),
            (&["created_at[gte]2026-01-31T08:00:00.5Z", "created_at[lte]2026-02-01T00:00:00Z"], "created_on=><2026-01-31T08:00:00Z|2026-02-01T00:00:00Z&status_id=*"),
            (&["due_date[eq]2026-01-31T00:00:00Z"], "due_date=><2026-01-31|2026-01-31&status_id=*"),
            (&["project[eq]support"], "project_id=support&status_id=*&subproject_id=!*"),
            (&["summary[like]%lamp%"], "status_id=*&subject=~lamp"),
            (&["id[in]1,2,3"], "issue_id=1,2,3&status_id=*"),
            (&["assignee[eq]me"], "assigned_to_id=me&status_id=*"),
        ] {
            assert_eq!(made(filters).unwrap(), expected, "{filters:?}");
        }
    }

    #[test]
    fn nothing_becomes_an_operator() {
        for bad in [
            "assignee[eq]!*",
            "assignee[eq]1|2",
            "id[eq]>=1",
            "project[eq]!1",
            "status[eq]!*",
            "summary[like]%a|b%",
            "summary[like]exact",
            "summary[like]%a%b%",
            "parent[eq]*",
            "issue_type[eq]*",
        ] {
            assert_eq!(made(&[bad]).unwrap_err().code, Code::InvalidFilter, "{bad}");
        }
        assert_eq!(made(&["status[eq]New", "status[eq]Closed"]).unwrap_err().code, Code::InvalidFilter);
    }

    #[test]
    fn orders_end_with_the_id() {
        let sorted = |orders: &[&str]| sort(&orders.iter().map(|text| Order::parse(text).unwrap()).collect::<Vec<_>>());
        assert_eq!(sorted(&[]).unwrap(), "id");
        assert_eq!(sorted(&["updated_at[desc]"]).unwrap(), "updated_on:desc,id");
        assert_eq!(sorted(&["id[desc]"]).unwrap(), "id:desc");
        assert_eq!(sorted(&["id", "status", "summary"]).unwrap_err().code, Code::InvalidOrder);
    }
}

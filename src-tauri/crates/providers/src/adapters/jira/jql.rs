//! Searching with JQL.
//!
//! Values stand in double quotes with everything that could end them escaped, or are made here of numbers, so that a filter
//! cannot become another query. Points in time are epoch milliseconds: a written time would be read in the zone of the user.

use patchbay_model::connector::ticketing::{PageRequest, TicketingAnswer};
use patchbay_model::list::{Direction, Filter, Operator, Order};
use patchbay_model::problem::Location;
use patchbay_model::{Code, Problem, Timestamp};
use serde_json::{Map, Value, json};

use super::{MAX_PAGE, NAME, Next, get, is_issue, issue, path, user};
use crate::exchange::{Method, ProviderRequest};
use crate::priority;
use crate::reading::{self, MAX_ROWS, cut, invalid, listed, rows, text};
use crate::refusal::refused;
use crate::step::{AdapterContext, Step};

/// Longest cursor that is passed on.
const MAX_CURSOR: usize = 8_192;

/// A condition that selects everything: Jira refuses searches without one (https://developer.atlassian.com/changelog/#CHANGE-2046).
const BOUND: &str = "project is not EMPTY";

/// Starts a search.
pub(super) fn query(context: AdapterContext, page: PageRequest, filters: Vec<Filter>, orders: Vec<Order>) -> Next {
    let cursor = page.cursor.filter(|cursor| !cursor.is_empty());
    if cursor.as_ref().is_some_and(|cursor| cursor.len() > MAX_CURSOR || cursor.chars().any(char::is_control)) {
        return Err(Problem::new(Code::InvalidCursor, "The cursor is not one that this list gave out. Begin again without a cursor.").at(Location::Query, "cursor"));
    }
    let limit = page.limit.clamp(1, MAX_PAGE);
    let names: Vec<String> = filters.iter().filter(|filter| is_user(filter)).flat_map(|filter| filter.values.clone()).collect();
    let wants_priority = filters.iter().any(|filter| filter.field == "priority");
    user::resolve(&context.clone(), names, Code::InvalidFilter, "", move |users| {
        let go_on = {
            let context = context.clone();
            move |priorities: Vec<(String, String)>| {
                let jql = jql(&filters, &orders, &mut users.into_iter(), &priorities)?;
                search(&context, &jql, cursor, limit, !filters.is_empty())
            }
        };
        if wants_priority { priorities(&context, go_on) } else { go_on(Vec::new()) }
    })
}

/// Ids and names of the priorities.
pub(super) fn priorities(context: &AdapterContext, then: impl FnOnce(Vec<(String, String)>) -> Next + Send + 'static) -> Next {
    get(path(context, &["priority"])?, "priorities", "", |answer| {
        let list = answer.as_array().ok_or_else(|| invalid(NAME, "is no list of priorities"))?;
        then(list.iter().take(MAX_ROWS).filter_map(|entry| Some((text(entry, "id")?, text(entry, "name")?))).collect())
    })
}

fn search(context: &AdapterContext, jql: &str, cursor: Option<String>, limit: u32, filtered: bool) -> Next {
    let mut body = Map::new();
    body.insert("jql".to_owned(), jql.into());
    body.insert("fields".to_owned(), issue::fields(context).into());
    body.insert("maxResults".to_owned(), limit.into());
    if let Some(cursor) = &cursor {
        body.insert("nextPageToken".to_owned(), cursor.clone().into());
    }
    let mut request = ProviderRequest::new(Method::Post, path(context, &["search", "jql"])?).json(Value::Object(body));
    request.idempotent = true;
    let context = context.clone();
    Ok(Step::send(request, move |response| {
        if !response.ok() {
            let mut problem = refused(NAME, &response, "tickets", "");
            // What Jira refuses of a search is what was asked for.
            if response.status == 400 && (filtered || cursor.is_some()) {
                problem.code = if filtered { Code::InvalidFilter } else { Code::InvalidCursor };
                problem = problem.at(Location::Query, if filtered { "filter" } else { "cursor" });
            }
            return Err(problem);
        }
        let answer = reading::json(NAME, &response)?;
        let issues = rows(&answer, "issues");
        let last = answer.get("isLast").and_then(Value::as_bool) == Some(true);
        let next = text(&answer, "nextPageToken").filter(|_| !last).unwrap_or_default();
        if next.len() > MAX_CURSOR || (!next.is_empty() && cursor.as_deref() == Some(next.as_str())) {
            return Err(invalid(NAME, "leads from a page back to itself"));
        }
        let tickets = issues.iter().filter(|issue| issue.get("id").is_some()).map(|issue| issue::ticket(&context, issue)).collect();
        Ok(Step::Done(TicketingAnswer::Tickets(tickets, next)))
    }))
}

fn refuse(filter: &Filter, why: &str) -> Problem {
    let shown = filter.values.first().map(|value| cut(value, 100)).unwrap_or_default();
    Problem::new(Code::InvalidFilter, format!("The filter on `{}` with `{shown}` cannot be passed to Jira: {why}", filter.field)).at(Location::Query, "filter")
}

fn is_user(filter: &Filter) -> bool {
    matches!(filter.field.as_str(), "assignee" | "creator")
}

/// A text as a JQL string.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// An id as a number, which JQL reads as an id before anything else; any other word as a string.
fn reference(value: &str) -> String {
    if (1..=18).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit()) { value.to_owned() } else { quote(value) }
}

/// A text for the operator `~` with what its own language has as signs escaped.
fn words(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if "+-&|!(){}[]^~*?\\/:\"".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    quote(&escaped)
}

const fn excludes(operator: Operator) -> bool {
    matches!(operator, Operator::Ne | Operator::NotIn)
}

/// A condition that a field is one of the values, or none of them. Where it can be empty, empty is none of them.
fn one_of(field: &str, operator: Operator, values: &[String], may_be_empty: bool) -> String {
    let list = values.join(", ");
    match (excludes(operator), may_be_empty) {
        (false, _) => format!("{field} in ({list})"),
        (true, false) => format!("{field} not in ({list})"),
        (true, true) => format!("({field} not in ({list}) OR {field} is EMPTY)"),
    }
}

fn bound(field: &str, filter: &Filter, value: &str) -> Result<String, Problem> {
    let sign = match filter.operator {
        Operator::Eq => "=",
        Operator::Gt => ">",
        Operator::Lt => "<",
        Operator::Gte => ">=",
        Operator::Lte => "<=",
        _ => return Err(refuse(filter, "times compare with gt, lt, gte and lte.")),
    };
    Ok(format!("{field} {sign} {value}"))
}

fn moment(filter: &Filter) -> Result<Timestamp, Problem> {
    filter.values.first().and_then(|value| value.parse().ok()).ok_or_else(|| refuse(filter, "it must be a time such as 2026-01-31T08:00:00Z."))
}

/// The whole query. `users` are the account ids of the users that the filters name, in their order.
fn jql(filters: &[Filter], orders: &[Order], users: &mut impl Iterator<Item = String>, priorities: &[(String, String)]) -> Result<String, Problem> {
    let mut conditions = Vec::new();
    for filter in filters {
        let quoted = || filter.values.iter().map(|value| quote(value)).collect::<Vec<_>>();
        let issues = || {
            if filter.values.iter().all(|value| is_issue(value)) {
                Ok(filter.values.iter().map(|value| reference(value)).collect::<Vec<_>>())
            } else {
                Err(refuse(filter, "it must be a ticket's id or key."))
            }
        };
        conditions.push(match filter.field.as_str() {
            "id" | "name" => one_of("issuekey", filter.operator, &issues()?, false),
            "parent" => one_of("parent", filter.operator, &issues()?, true),
            "status" => one_of("status", filter.operator, &quoted(), false),
            "project" => one_of("project", filter.operator, &filter.values.iter().map(|value| reference(value)).collect::<Vec<_>>(), false),
            "issue_type" => one_of("issuetype", filter.operator, &quoted(), false),
            "tags" => one_of("labels", filter.operator, &quoted(), true),
            "assignee" | "creator" => {
                let ids =
                    filter.values.iter().map(|_| users.next().map(|id| quote(&id)).ok_or_else(|| refuse(filter, "the user was not found."))).collect::<Result<Vec<_>, _>>()?;
                one_of(if filter.field == "assignee" { "assignee" } else { "reporter" }, filter.operator, &ids, true)
            }
            "priority" => {
                let wanted: Vec<_> = filter.values.iter().filter_map(|value| priority::from_word(value)).collect();
                let ids: Vec<String> = priorities
                    .iter()
                    .filter(|(_, name)| priority::read(issue::PRIORITIES, name).is_some_and(|known| wanted.contains(&known)))
                    .map(|(id, _)| reference(id))
                    .collect();
                match (ids.is_empty(), excludes(filter.operator)) {
                    (false, _) => one_of("priority", filter.operator, &ids, true),
                    // No priority of this site means that: nothing has it, everything lacks it.
                    (true, false) => "(priority is EMPTY AND priority is not EMPTY)".to_owned(),
                    (true, true) => continue,
                }
            }
            "summary" => {
                let wild = |c: char| matches!(c, '%' | '*');
                let value = filter.values.first().map(String::as_str).unwrap_or_default().trim_matches(wild);
                if value.trim().is_empty() || value.contains(wild) {
                    return Err(refuse(filter, "it must be words, with `%` only before or after them."));
                }
                format!("summary {} {}", if filter.operator == Operator::NotLike { "!~" } else { "~" }, words(value))
            }
            "created_at" => bound("created", filter, &moment(filter)?.unix_millis().to_string())?,
            "updated_at" => bound("updated", filter, &moment(filter)?.unix_millis().to_string())?,
            "due_date" => bound("due", filter, &quote(&moment(filter)?.utc().format("%Y-%m-%d").to_string()))?,
            _ => return Err(refuse(filter, "the field is not known.")),
        });
    }
    if conditions.is_empty() {
        conditions.push(BOUND.to_owned());
    }
    Ok(format!("{} ORDER BY {}", conditions.join(" AND "), order(orders)?))
}

/// Sort keys, the issue key last so that the order is whole; by creation where none is given.
fn order(orders: &[Order]) -> Result<String, Problem> {
    let mut keys = Vec::new();
    for order in orders {
        let field = match order.field.as_str() {
            "created_at" => "created",
            "updated_at" => "updated",
            "due_date" => "due",
            "priority" => "priority",
            "status" => "status",
            "summary" => "summary",
            _ => return Err(Problem::new(Code::InvalidOrder, "Jira cannot sort by that field.").at(Location::Query, "order")),
        };
        keys.push(format!("{field} {}", if order.direction == Direction::Desc { "DESC" } else { "ASC" }));
    }
    if keys.is_empty() {
        keys.push("created ASC".to_owned());
    }
    keys.push("key ASC".to_owned());
    Ok(keys.join(", "))
}

/// The priority that stands for a unified one, as Jira takes it.
pub(super) fn choose(priorities: &[(String, String)], wanted: patchbay_model::connector::ticketing::Priority) -> Result<Value, Problem> {
    match priority::choose(issue::PRIORITIES, wanted, priorities, |(_, name)| name.as_str()) {
        Some((id, _)) => Ok(json!({ "id": id })),
        None => {
            let names = listed(priorities.iter().map(|(_, name)| name));
            Err(Problem::field("/priority", format!("This Jira has no priority that stands for {}. It has: {names}.", priority::word(wanted))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(filters: &[&str], users: &[&str]) -> Result<String, Problem> {
        let filters: Vec<Filter> = filters.iter().map(|text| Filter::parse(text).unwrap()).collect();
        let priorities = [("1", "Highest"), ("2", "High"), ("3", "Medium")].map(|(id, name)| (id.to_owned(), name.to_owned()));
        jql(&filters, &[], &mut users.iter().map(|&id| id.to_owned()), &priorities).map(|jql| jql.strip_suffix(" ORDER BY created ASC, key ASC").unwrap().to_owned())
    }

    #[test]
    fn filters_become_conditions() {
        for (filters, expected) in [
            (&[][..], "project is not EMPTY"),
            (&["status[eq]\"To Do\""], "status in (\"To Do\")"),
            (&["tags[not in]a,b"], "(labels not in (\"a\", \"b\") OR labels is EMPTY)"),
            (&["priority[eq]URGENT"], "priority in (1)"),
            (&["priority[in]LOW,PLANNING"], "(priority is EMPTY AND priority is not EMPTY)"),
            (&["created_at[gte]2026-01-31T08:00:00+02:00", "due_date[lt]2026-02-01T00:00:00Z"], "created >= 1769839200000 AND due < \"2026-02-01\""),
            (&["name[in]DEMO-1,10002"], "issuekey in (\"DEMO-1\", 10002)"),
            (&["summary[like]%C++ (new)%"], "summary ~ \"C\\\\+\\\\+ \\\\(new\\\\)\""),
            (&["assignee[ne]x"], "(assignee not in (\"5b10ac8d82e05b22cc7d4ef5\") OR assignee is EMPTY)"),
        ] {
            assert_eq!(made(filters, &["5b10ac8d82e05b22cc7d4ef5"]).unwrap(), expected, "{filters:?}");
        }
    }

    #[test]
    fn nothing_ends_a_string() {
        for (value, expected) in [
            ("x\" OR project = \"SECRET", r#"status in ("x\" OR project = \"SECRET")"#),
            (r#"x\"#, r#"status in ("x\\")"#),
            (r#"x\" OR 1=1 --"#, r#"status in ("x\\\" OR 1=1 --")"#),
            ("a\nORDER BY", r#"status in ("a\nORDER BY")"#),
        ] {
            let filter = Filter { field: "status".into(), operator: Operator::Eq, values: vec![value.to_owned()] };
            let jql = jql(&[filter], &[], &mut std::iter::empty(), &[]).unwrap();
            assert_eq!(jql.strip_suffix(" ORDER BY created ASC, key ASC").unwrap(), expected);
        }
        for bad in ["id[eq]1) OR (1=1", "name[eq]DEMO", "parent[eq]*", "summary[like]%", "summary[like]a%b", "assignee[eq]nobody"] {
            assert_eq!(made(&[bad], &[]).unwrap_err().code, Code::InvalidFilter, "{bad}");
        }
    }

    #[test]
    fn every_string_can_be_read_back() {
        // A reader of JQL strings: what is between the outer quotes must unescape to what went in.
        for text in ["", "\"", "\\", "\\\"", "a\"b\\c\"", "\\\\\"\\", "ü\u{2028}"] {
            let quoted = quote(text);
            let inner = quoted.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
            let (mut read, mut chars) = (String::new(), inner.chars());
            while let Some(c) = chars.next() {
                assert_ne!(c, '"', "{quoted} ends early");
                read.push(if c == '\\' { chars.next().expect("an escape is whole") } else { c });
            }
            assert_eq!(read, text);
        }
    }
}

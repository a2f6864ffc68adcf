//! The reference model of lists (synqly-wire.md section 4): all rows, filtered one by one, sorted as a whole, cut.

use std::cmp::Ordering;

use serde_json::Value;

use crate::model::{Kind, Model, Refusal, Row};
use crate::names::id_of;

/// How the values of a field compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Type {
    /// Exactly.
    Text,
    /// Ignoring case.
    Name,
    /// As text, which fixed width allows.
    Time,
    /// In any spelling of an id; without an order to filter by.
    Id,
    /// A list, of which one must match; without an order.
    Texts,
}

/// Fields that a list can be filtered and ordered by; those of an expanded part have its name in front.
pub(crate) fn fields(kind: Kind) -> Vec<(&'static str, Type)> {
    let own: &[(&str, Type)] = match kind {
        Kind::Account => &[("environment", Type::Text), ("labels", Type::Texts)],
        Kind::Point => &[("description", Type::Text), ("connector", Type::Text)],
        Kind::Integration => &[
            ("account_id", Type::Id),
            ("integration_point_id", Type::Id),
            ("provider_type", Type::Text),
            ("category", Type::Text),
            ("status", Type::Text),
            ("account.name", Type::Name),
            ("account.fullname", Type::Text),
            ("account.environment", Type::Text),
            ("account.labels", Type::Texts),
            ("integration_point.name", Type::Name),
        ],
        Kind::Credential => &[("owner_type", Type::Text), ("account_id", Type::Id), ("managed", Type::Text), ("expires", Type::Time), ("type", Type::Text)],
        Kind::Member => &[("nickname", Type::Text), ("type", Type::Text), ("state", Type::Text), ("role_binding", Type::Texts)],
        Kind::Token => &[("owner_id", Type::Id), ("owner_type", Type::Text), ("token_type", Type::Text), ("expires", Type::Time)],
        Kind::Role => &[("description", Type::Text), ("permission_set", Type::Text)],
        Kind::Webhook => &[("environment", Type::Text), ("url", Type::Text)],
        Kind::App => &[("issuer", Type::Text), ("client_id", Type::Text)],
    };
    let every = [("name", Type::Name), ("fullname", Type::Text), ("id", Type::Id), ("created_at", Type::Time), ("updated_at", Type::Time)];
    every.iter().chain(own).copied().collect()
}

/// Whether a list can be ordered by a field: of a part only by the name of what every row has, and before all else.
pub(crate) fn ordered(field: &str, of: Type, first: bool) -> bool {
    of != Type::Texts && (!field.contains('.') || (first && field == "account.name"))
}

pub(crate) const OPERATORS: [&str; 11] = ["eq", "ne", "neq", "gt", "lt", "gte", "lte", "in", "not in", "like", "not like"];

/// A filter as it was put together.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) field: &'static str,
    pub(crate) of: Type,
    pub(crate) operator: &'static str,
    pub(crate) values: Vec<String>,
}

/// A value of a row; nothing where it is missing.
pub(crate) fn value<'a>(model: &'a Model, row: &'a Row, field: &str) -> Option<&'a str> {
    let at = match (row.kind, field) {
        (Kind::Integration, "status") => &row.wire["x_patchbay"]["status"],
        (Kind::Credential, "type") => &row.wire["config"]["type"],
        _ => match field.split_once('.') {
            Some((part, field)) => return part_of(model, row, part).and_then(|row| value(model, row, field)),
            None => &row.wire[field],
        },
    };
    at.as_str()
}

fn part_of<'a>(model: &'a Model, row: &Row, part: &str) -> Option<&'a Row> {
    let id = row.text(if part == "account" { "account_id" } else { "integration_point_id" });
    model.rows.iter().find(|row| row.id == id)
}

fn texts<'a>(model: &'a Model, row: &'a Row, field: &str) -> Vec<&'a str> {
    let (row, field) = match field.split_once('.') {
        Some((part, field)) => (part_of(model, row, part).unwrap_or(row), field),
        None => (row, field),
    };
    row.wire[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// `%` and `*` stand for any text, nothing else for anything but itself; the case of a letter of A to Z is no matter.
fn like(text: &str, pattern: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('%' | '*') => text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| like(&text[at..], &pattern[1..])),
        Some(c) => text.chars().next().is_some_and(|first| first.eq_ignore_ascii_case(&c) && like(&text[first.len_utf8()..], &pattern[c.len_utf8()..])),
    }
}

impl Filter {
    fn refused(&self) -> bool {
        let (pattern, ordering) = (self.operator.ends_with("like"), ["gt", "lt", "gte", "lte"].contains(&self.operator));
        let readable = |value: &String| match self.of {
            Type::Id => id_of(value).is_some(),
            Type::Time => value.parse::<patchbay_model::Timestamp>().is_ok(),
            _ => true,
        };
        (pattern && matches!(self.of, Type::Id | Type::Time)) || (ordering && matches!(self.of, Type::Id | Type::Texts)) || !self.values.iter().all(readable)
    }

    fn holds(&self, model: &Model, row: &Row) -> bool {
        let negated = ["ne", "neq", "not in", "not like"].contains(&self.operator);
        let matches = |text: &str| {
            self.values.iter().any(|value| {
                let wanted = match self.of {
                    Type::Name => value.to_lowercase(),
                    Type::Id => id_of(value).unwrap_or_default(),
                    Type::Time => value.parse::<patchbay_model::Timestamp>().map(|at| at.to_string()).unwrap_or_default(),
                    Type::Text | Type::Texts => value.clone(),
                };
                match self.operator {
                    "gt" => *text > *wanted,
                    "lt" => *text < *wanted,
                    "gte" => *text >= *wanted,
                    "lte" => *text <= *wanted,
                    "like" | "not like" => like(text, &wanted),
                    _ => *text == *wanted,
                }
            })
        };
        // A list has one that matches; what is missing is unlike everything.
        let found = if self.of == Type::Texts { texts(model, row, self.field).into_iter().any(matches) } else { value(model, row, self.field).is_some_and(matches) };
        found != negated
    }
}

impl Model {
    /// The rows of a list in their order. Rows with equal keys stand in the order of their ids, in the direction of the last key.
    pub(crate) fn listed(&self, kind: Kind, parent: Option<&str>, filters: &[Filter], orders: &[(&str, bool)]) -> Result<Vec<&Row>, Refusal> {
        if filters.iter().any(Filter::refused) {
            return Err(vec!["invalid_filter"]);
        }
        let among = |row: &&Row| row.kind == kind && row.gone.is_none() && parent.is_none_or(|parent| row.parent == parent);
        let mut rows: Vec<&Row> = self.rows.iter().filter(among).filter(|row| filters.iter().all(|filter| filter.holds(self, row))).collect();
        let orders = if orders.is_empty() { &[("name", false)] } else { orders };
        let turned = |ordering: Ordering, descending: bool| if descending { ordering.reverse() } else { ordering };
        rows.sort_by(|a, b| {
            let keys = orders.iter().map(|(field, descending)| turned(value(self, a, field).cmp(&value(self, b, field)), *descending));
            let last = orders.last().is_some_and(|(_, descending)| *descending);
            keys.fold(Ordering::Equal, Ordering::then).then(turned(a.id.cmp(&b.id), last))
        });
        Ok(rows)
    }
}

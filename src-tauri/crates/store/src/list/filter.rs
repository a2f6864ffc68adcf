//! Conditions of a list: fields known, values in their types, and the SQL for them.

use patchbay_model::list::{Filter, Operator};
use patchbay_model::problem::Location;
use patchbay_model::{Code, Problem};

use super::{Field, Kind, Noun, Part, Value, names, push_value};
use crate::db::QueryBuilder;
use crate::error::{Result, StoreError};

/// A filter whose field is known and whose values have the field's type.
pub(super) struct Readable {
    field: Field,
    operator: Operator,
    values: Vec<Value>,
}

pub(super) fn readable(noun: &Noun, filter: &Filter) -> Result<Readable> {
    let bad = |message: String| Problem::new(Code::InvalidFilter, message).at(Location::Query, "filter");
    let field = *noun
        .fields
        .iter()
        .find(|field| field.name == filter.field)
        .ok_or_else(|| bad(format!("The list cannot be filtered by `{}`. Filter by one of: {}.", filter.field, names(noun, |_| true))))?;
    let pattern = matches!(filter.operator, Operator::Like | Operator::NotLike);
    let ordering = matches!(filter.operator, Operator::Gt | Operator::Lt | Operator::Gte | Operator::Lte);
    if (pattern && !matches!(field.kind, Kind::Text | Kind::Name | Kind::Texts)) || (ordering && matches!(field.kind, Kind::Texts | Kind::Id)) {
        return Err(bad(format!("The field `{}` cannot be compared in this way. Use eq, ne, in or not in.", field.name)).into());
    }
    let values = filter
        .values
        .iter()
        .map(|text| {
            if pattern {
                return Ok(Value::Text(if field.kind == Kind::Name { pattern_of(&text.to_lowercase()) } else { pattern_of(text) }));
            }
            let value = match field.kind {
                Kind::Text | Kind::Texts => Some(Value::Text(text.clone())),
                Kind::Name => Some(Value::Text(text.to_lowercase())),
                Kind::Time => text.parse().ok().map(Value::Time),
                Kind::Id => text.parse().ok().map(Value::Id),
                Kind::Number => text.parse().ok().map(Value::Number),
            };
            let shape = match field.kind {
                Kind::Time => "a time such as 2026-01-31T12:00:00Z",
                Kind::Id => "an id (a UUID)",
                Kind::Number => "a whole number",
                Kind::Text | Kind::Name | Kind::Texts => "text",
            };
            value.ok_or_else(|| StoreError::from(bad(format!("The filter on `{}` needs {shape}.", field.name))))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Readable { field, operator: filter.operator, values })
}

/// A LIKE pattern, in which only `%` and `*` are wild; slugs are full of `_`, which LIKE would take for any character. Only
/// the letters A to Z are folded, as the database folds no others: what is written like a value must match it.
fn pattern_of(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        match c {
            '*' | '%' => {
                if !pattern.ends_with('%') {
                    pattern.push('%');
                }
            }
            '_' | '\\' => {
                pattern.push('\\');
                pattern.push(c);
            }
            c => pattern.push(c.to_ascii_lowercase()),
        }
    }
    pattern
}

impl Readable {
    /// What the field is of, where that is not the row itself.
    pub(super) fn part(&self) -> Option<&'static Part> {
        self.field.part
    }

    /// Whether it holds for what is missing.
    pub(super) fn negated(&self) -> bool {
        matches!(self.operator, Operator::Ne | Operator::NotIn | Operator::NotLike)
    }

    pub(super) fn push(&self, sql: &mut QueryBuilder) {
        if self.field.kind == Kind::Texts {
            let negated = self.negated();
            let elements = sql.dialect().json_elements(self.field.sql);
            sql.push(if negated { "NOT EXISTS (SELECT 1 FROM " } else { "EXISTS (SELECT 1 FROM " }).push(elements).push(" WHERE ");
            let operator = match self.operator {
                Operator::Like | Operator::NotLike => Operator::Like,
                _ => Operator::In,
            };
            compare(sql, "each.value", operator, &self.values, false, false);
            sql.push(")");
            return;
        }
        // Names are stored in lower case. An expression over them would be none that an index of names answers, and on
        // PostgreSQL none that may be looked for before row-level security was asked.
        compare(sql, self.field.sql, self.operator, &self.values, self.field.nullable, self.field.kind == Kind::Name);
    }
}

/// Pushes one comparison. A missing value is unlike everything: `ne`, `not in` and `not like` hold for it.
fn compare(sql: &mut QueryBuilder, column: &str, operator: Operator, values: &[Value], nullable: bool, folded: bool) {
    let (symbol, negated) = match operator {
        Operator::Eq => (" = ", false),
        Operator::Ne => (" <> ", true),
        Operator::Gt => (" > ", false),
        Operator::Lt => (" < ", false),
        Operator::Gte => (" >= ", false),
        Operator::Lte => (" <= ", false),
        Operator::In => (" IN (", false),
        Operator::NotIn => (" NOT IN (", true),
        Operator::Like => (" LIKE ", false),
        Operator::NotLike => (" NOT LIKE ", true),
    };
    let or_missing = nullable && negated;
    if or_missing {
        sql.push("(").push(column).push(" IS NULL OR ");
    }
    match operator {
        Operator::In | Operator::NotIn => {
            sql.push(column).push(symbol);
            for (number, value) in values.iter().enumerate() {
                if number > 0 {
                    sql.push(", ");
                }
                push_value(sql, value);
            }
            sql.push(")");
        }
        Operator::Like | Operator::NotLike => {
            let left = if folded { column.to_owned() } else { format!("lower({column})") };
            sql.push(left).push(symbol);
            if let Some(value) = values.first() {
                push_value(sql, value);
            }
            sql.push(" ESCAPE '\\'");
        }
        _ => {
            sql.push(column).push(symbol);
            if let Some(value) = values.first() {
                push_value(sql, value);
            }
        }
    }
    if or_missing {
        sql.push(")");
    }
}

#[cfg(test)]
mod tests {
    use super::pattern_of;

    #[test]
    fn patterns_know_two_wild_characters() {
        assert_eq!(pattern_of("Demo_*-%x**\\"), "demo\\_%-%x%\\\\");
        assert_eq!(pattern_of("Äcme*"), "Äcme%", "as lower() leaves it");
    }
}

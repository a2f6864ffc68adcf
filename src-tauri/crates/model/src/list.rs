//! Lists of the Management API: `limit`, `start_after`, `order`, `filter`, `total` (synqly-wire.md section 4).

use crate::problem::Location;
use crate::{Code, Problem};

/// How a filter compares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal; `ne` and `neq` on the wire.
    Ne,
    /// Greater.
    Gt,
    /// Less.
    Lt,
    /// Greater or equal.
    Gte,
    /// Less or equal.
    Lte,
    /// One of a comma list.
    In,
    /// None of a comma list.
    NotIn,
    /// Matches a pattern with `%` or `*` for any text.
    Like,
    /// Does not match a pattern.
    NotLike,
}

impl Operator {
    fn parse(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "eq" => Self::Eq,
            "ne" | "neq" => Self::Ne,
            "gt" => Self::Gt,
            "lt" => Self::Lt,
            "gte" => Self::Gte,
            "lte" => Self::Lte,
            "in" => Self::In,
            "not in" => Self::NotIn,
            "like" => Self::Like,
            "not like" => Self::NotLike,
            _ => return None,
        })
    }
}

/// One condition, `field[op]value`. Several are joined by AND.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    /// The field's name on the wire.
    pub field: String,
    /// How it compares.
    pub operator: Operator,
    /// With what; more than one only for `In` and `NotIn`.
    pub values: Vec<String>,
}

impl Filter {
    /// Reads `field[op]value`. A value may stand in double quotes, between which a comma is a part of it.
    ///
    /// # Errors
    /// `invalid_filter` when it has another shape or an unknown operator.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let bad = |why: &str| {
            let shown: String = text.chars().take(80).collect();
            Problem::new(Code::InvalidFilter, format!("The filter `{shown}` cannot be read: {why} Write it as field[operator]value, for example name[eq]acme."))
                .at(Location::Query, "filter")
        };
        let (field, rest) = text.split_once('[').ok_or_else(|| bad("there is no `[`."))?;
        let (operator, value) = rest.split_once(']').ok_or_else(|| bad("there is no `]`."))?;
        let operator = Operator::parse(operator).ok_or_else(|| bad("the operator must be eq, ne, gt, lt, gte, lte, in, not in, like or not like."))?;
        let field = field.trim();
        if field.is_empty() || field.len() > 100 {
            return Err(bad("the field is missing or too long."));
        }
        if value.len() > 4000 || value.contains('\0') {
            return Err(bad("the value is longer than 4000 bytes or has a null character."));
        }
        let unquote = |value: &str| value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value).to_owned();
        let values = match operator {
            Operator::In | Operator::NotIn => listed(value).map(|value| unquote(value.trim())).collect(),
            _ => vec![unquote(value)],
        };
        Ok(Self { field: field.to_owned(), operator, values })
    }
}

/// The parts of a comma list. A comma between double quotes does not part anything; a quote counts where a part begins with it.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let begin = text.len() - text.trim_start().len();
        let closing = text[begin..].strip_prefix('"').and_then(|quoted| quoted.find("\",").or(quoted.ends_with('"').then(|| quoted.len() - 1)));
        let end = match closing {
            Some(at) => begin + 1 + at + 1,
            None => text.find(',').unwrap_or(text.len()),
        };
        rest = text[end..].strip_prefix(',');
        Some(&text[..end])
    })
}

/// Up or down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

/// One sort key, `field[asc]`, `field[desc]` or `field`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// The field's name on the wire.
    pub field: String,
    /// Up or down.
    pub direction: Direction,
}

impl Order {
    /// Reads one sort key.
    ///
    /// # Errors
    /// `invalid_order` when it has another shape.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let bad = || {
            let shown: String = text.chars().take(80).collect();
            Problem::new(Code::InvalidOrder, format!("The order `{shown}` cannot be read. Write it as field[asc] or field[desc].")).at(Location::Query, "order")
        };
        let (field, direction) = match text.split_once('[') {
            None => (text, Direction::Asc),
            Some((field, rest)) => match rest.strip_suffix(']').map(str::to_ascii_lowercase).as_deref() {
                Some("asc") => (field, Direction::Asc),
                Some("desc") => (field, Direction::Desc),
                _ => return Err(bad()),
            },
        };
        if field.is_empty() || field.len() > 100 {
            return Err(bad());
        }
        Ok(Self { field: field.to_owned(), direction })
    }
}

/// How a field of a list compares, as descriptions of the list tell it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldKind {
    /// Text.
    Text,
    /// A point in time.
    Time,
    /// A UUID.
    Id,
    /// A whole number.
    Number,
    /// Several texts, of which one must match; it cannot be ordered by.
    Texts,
}

/// A field that a list can be filtered by and, unless it holds several texts, ordered by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListField {
    /// Its name on the wire.
    pub name: &'static str,
    /// How it compares.
    pub kind: FieldKind,
    /// Whether lists can be ordered by it.
    pub ordered: bool,
}

/// What a list is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ListQuery {
    /// Conditions, all of which must hold.
    pub filters: Vec<Filter>,
    /// Sort keys; the noun's default where empty.
    pub orders: Vec<Order>,
    /// The sort key of the last row seen, or `key,id` as given in `X-Next-Start-After`.
    pub start_after: Option<String>,
    /// Most rows; [`ListQuery::DEFAULT_LIMIT`] where not given.
    pub limit: Option<u32>,
    /// Whether to count all rows that pass the filters.
    pub total: bool,
}

impl ListQuery {
    /// Rows of a page when no limit is given.
    pub const DEFAULT_LIMIT: u32 = 100;
    /// Most rows of a page.
    pub const MAX_LIMIT: u32 = 1000;

    /// Rows of this page.
    pub fn page_size(&self) -> u32 {
        self.limit.unwrap_or(Self::DEFAULT_LIMIT)
    }
}

/// One page of a list.
#[derive(Clone, PartialEq, Debug)]
pub struct Listed<T> {
    /// The rows.
    pub items: Vec<T>,
    /// All rows that pass the filters, when asked for.
    pub total: Option<u64>,
    /// `key,id` of the last row when more may follow: the value for the next `start_after`.
    pub next: Option<String>,
}

impl<T> Listed<T> {
    /// The same page with each row made into something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Listed<U> {
        Listed { items: self.items.into_iter().map(f).collect(), total: self.total, next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_read_all_operators() {
        let filter = Filter::parse("name[in]t-beta,\"t-alpha\"").unwrap();
        assert_eq!((filter.operator, filter.values), (Operator::In, vec!["t-beta".to_owned(), "t-alpha".to_owned()]));
        let values = |text: &str| Filter::parse(text).unwrap().values;
        assert_eq!(values("a[in]\"Smith, John\", b,\"c\""), ["Smith, John", "b", "c"], "a comma in quotes parts nothing");
        assert_eq!(values("a[in]"), [""]);
        assert_eq!(values("a[in],\"\",x\"y,\"open"), ["", "", "x\"y", "\"open"], "a quote counts where a part begins with it");
        assert_eq!(Filter::parse("a[neq]x").unwrap().operator, Operator::Ne);
        assert_eq!(Filter::parse("a[not like]x%").unwrap().operator, Operator::NotLike);
        assert_eq!(Filter::parse("status[eq]\"To Do\"").unwrap().values, ["To Do"]);
        for bad in ["", "a", "a[eq", "[eq]x", "a[is]x"] {
            assert_eq!(Filter::parse(bad).unwrap_err().code, Code::InvalidFilter, "{bad:?} must be refused");
        }
    }

    #[test]
    fn orders_default_to_ascending() {
        assert_eq!(Order::parse("name").unwrap().direction, Direction::Asc);
        assert_eq!(Order::parse("name[desc]").unwrap().direction, Direction::Desc);
        for bad in ["", "[asc]", "name[up]", "name[asc"] {
            assert!(Order::parse(bad).is_err(), "{bad:?} must be refused");
        }
    }
}

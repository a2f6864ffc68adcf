//! Filters and orders on unified tickets, for providers that live inside Patchbay.

use std::cmp::Ordering;

use patchbay_model::Timestamp;
use patchbay_model::connector::ticketing::Ticket;
use patchbay_model::list::{Direction, Filter, Operator, Order};
use serde_json::Value;

/// Whether a ticket passes all filters. Fields that are points in time compare as such, all others as text.
pub(crate) fn passes(ticket: &Value, filters: &[Filter]) -> bool {
    filters.iter().all(|filter| {
        let held = ticket.get(&filter.field).and_then(Value::as_str);
        let is = |wanted: &String| held.is_some_and(|held| compare(held, wanted) == Ordering::Equal);
        let against = |test: fn(Ordering) -> bool| held.is_some_and(|held| filter.values.first().is_some_and(|wanted| test(compare(held, wanted))));
        let like = || held.is_some_and(|held| filter.values.first().is_some_and(|pattern| matches(pattern, held)));
        match filter.operator {
            Operator::Eq | Operator::In => filter.values.iter().any(is),
            Operator::Ne | Operator::NotIn => !filter.values.iter().any(is),
            Operator::Gt => against(Ordering::is_gt),
            Operator::Lt => against(Ordering::is_lt),
            Operator::Gte => against(Ordering::is_ge),
            Operator::Lte => against(Ordering::is_le),
            Operator::Like => like(),
            Operator::NotLike => !like(),
        }
    })
}

fn compare(a: &str, b: &str) -> Ordering {
    match (a.parse::<Timestamp>(), b.parse::<Timestamp>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

/// Whether a text matches a pattern in which `%` and `*` stand for any text, ignoring case. Linear in both (no recursion).
fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('%' | '*') => {
                p += 1;
                retry = Some((p, t));
            }
            Some(c) if text.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| matches!(c, '%' | '*'))
}

/// Sorts tickets by the given keys, then by id, so that pages do not overlap.
pub(crate) fn sort(tickets: &mut [(Value, Ticket)], orders: &[Order]) {
    tickets.sort_by(|(a, first), (b, second)| {
        orders
            .iter()
            .map(|order| {
                let ordering = match (a.get(&order.field).and_then(Value::as_str), b.get(&order.field).and_then(Value::as_str)) {
                    (Some(a), Some(b)) => compare(a, b),
                    (a, b) => a.is_some().cmp(&b.is_some()),
                };
                if order.direction == Direction::Desc { ordering.reverse() } else { ordering }
            })
            .find(|ordering| ordering.is_ne())
            .unwrap_or_else(|| first.id.cmp(&second.id))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_take_both_wildcards() {
        for (pattern, text, expected) in [
            ("demo-%", "demo-tenant", true),
            ("*DEMO*", "a demo", true),
            ("a%b*c", "axxbyyc", true),
            ("a%b", "axxbyy", false),
            ("", "", true),
            ("", "x", false),
            ("%", "", true),
            ("%%%%%%%%%%%%%%%%%%%%%%%%%%%%a", &"b".repeat(5000), false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern:?} on {text:.20?}");
        }
    }
}

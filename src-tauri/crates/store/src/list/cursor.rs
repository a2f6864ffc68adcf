//! Where a page begins: reading `start_after`, and the condition that a row comes behind it.

use patchbay_model::list::Direction;
use patchbay_model::problem::Location;
use patchbay_model::{Code, Problem};
use uuid::Uuid;

use super::{Field, Kind, Value, last_direction, push_value};
use crate::db::{AnyRow, QueryBuilder};
use crate::dialect::{self, At};
use crate::error::Result;

/// Where a page begins: behind these keys and this id, or behind the first key alone when a client gives no more.
pub(super) struct After {
    keys: Vec<Value>,
    id: Option<Uuid>,
}

/// Reads `start_after`: what we gave out as next, which is the keys and the id with commas between, or a bare value of the
/// first sort key, which is what the wire's own clients send.
pub(super) fn start_after(text: &str, orders: &[(Field, Direction)]) -> Result<After> {
    let given_out = text.rsplit_once(',').and_then(|(keys, id)| {
        let id = id.parse::<Uuid>().ok()?;
        let texts: Vec<String> = if orders.len() == 1 { vec![keys.to_owned()] } else { keys.split(',').map(unescaped).collect() };
        if texts.len() != orders.len() {
            return None;
        }
        let keys = texts.iter().zip(orders).map(|(text, (field, _))| key_value(*field, text)).collect::<Option<Vec<_>>>()?;
        Some(After { keys, id: Some(id) })
    });
    if let Some(after) = given_out {
        return Ok(after);
    }
    let bare = orders.first().and_then(|(field, _)| key_value(*field, text));
    match bare {
        Some(key) => Ok(After { keys: vec![key], id: None }),
        None => Err(Problem::new(
            Code::InvalidCursor,
            "The start_after is not a value of the field by which the list is ordered. Take it from the last row of the page before, or from the X-Next-Start-After header.",
        )
        .at(Location::Query, "start_after")
        .into()),
    }
}

fn key_value(field: Field, text: &str) -> Option<Value> {
    match field.kind {
        Kind::Text | Kind::Name | Kind::Texts => Some(Value::Text(text.to_owned())),
        Kind::Time if text.is_empty() => Some(Value::LeastTime),
        Kind::Time => text.parse().ok().map(Value::Time),
        Kind::Id if text.is_empty() => Some(Value::LeastId),
        Kind::Id => text.parse().ok().map(Value::Id),
        Kind::Number => text.parse().ok().map(Value::Number),
    }
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace(',', "%2C")
}

fn unescaped(text: &str) -> String {
    text.replace("%2C", ",").replace("%25", "%")
}

/// The condition that a row comes behind the keys. With one direction it is a comparison of rows, which an index answers;
/// mixed directions are spelled out, behind a bound on the first key that keeps the index useful.
pub(super) fn push_after(sql: &mut QueryBuilder, orders: &[(Field, Direction)], after: &After) {
    let Some(id) = after.id else {
        if let (Some((field, direction)), Some(key)) = (orders.first(), after.keys.first()) {
            sql.push(field.key(sql.dialect())).push(beyond(*direction));
            push_value(sql, key);
        }
        return;
    };
    let last = last_direction(orders);
    if orders.iter().all(|(_, direction)| *direction == last) {
        // A comparison of rows over two tables seeks in neither index.
        if let (Some((field, direction)), Some(key), true) = (orders.first(), after.keys.first(), orders.iter().any(|(field, _)| field.part.is_some())) {
            push_bound(sql, *field, *direction, key);
        }
        sql.push("(");
        for (field, _) in orders {
            sql.push(field.key(sql.dialect())).push(", ");
        }
        sql.push("id)").push(beyond(last)).push("(");
        for key in &after.keys {
            push_value(sql, key);
            sql.push(", ");
        }
        sql.push_bind(id);
        sql.push(")");
        return;
    }
    if let (Some((field, direction)), Some(key)) = (orders.first(), after.keys.first()) {
        push_bound(sql, *field, *direction, key);
    }
    sql.push("(");
    for depth in 0..=orders.len() {
        if depth > 0 {
            sql.push(" OR ");
        }
        sql.push("(");
        for ((field, _), key) in orders.iter().zip(&after.keys).take(depth) {
            sql.push(field.key(sql.dialect())).push(" = ");
            push_value(sql, key);
            sql.push(" AND ");
        }
        match (orders.get(depth), after.keys.get(depth)) {
            (Some((field, direction)), Some(key)) => {
                sql.push(field.key(sql.dialect())).push(beyond(*direction));
                push_value(sql, key);
            }
            _ => {
                sql.push("id").push(beyond(last));
                sql.push_bind(id);
            }
        }
        sql.push(")");
    }
    sql.push(")");
}

/// The first key does not come before that of the row behind which the page begins.
fn push_bound(sql: &mut QueryBuilder, field: Field, direction: Direction, key: &Value) {
    sql.push(field.key(sql.dialect())).push(match direction {
        Direction::Asc => " >= ",
        Direction::Desc => " <= ",
    });
    push_value(sql, key);
    sql.push(" AND ");
}

const fn beyond(direction: Direction) -> &'static str {
    match direction {
        Direction::Asc => " > ",
        Direction::Desc => " < ",
    }
}

/// The value for the next page's `start_after`.
pub(super) fn next_key(row: &AnyRow, orders: &[(Field, Direction)]) -> Result<String> {
    let mut parts = Vec::with_capacity(orders.len() + 1);
    for (number, (field, _)) in orders.iter().enumerate() {
        let column = format!("sort_key_{number}");
        let column = column.as_str();
        let text = match field.kind {
            // A missing time is empty text on SQLite and a missing id no bytes: they do not read as what they stand for.
            Kind::Time => row.try_get::<At, _>(column).ok().filter(|at| !dialect::is_no_time(*at)).map(|At(at)| at.to_string()).unwrap_or_default(),
            Kind::Id => row.try_get::<Uuid, _>(column).ok().filter(|id| !id.is_nil()).map(|id| id.to_string()).unwrap_or_default(),
            Kind::Number => row.try_get::<i64, _>(column)?.to_string(),
            Kind::Text | Kind::Name | Kind::Texts => row.try_get::<String, _>(column)?,
        };
        parts.push(if orders.len() == 1 { text } else { escaped(&text) });
    }
    parts.push(row.try_get::<Uuid, _>("id")?.to_string());
    Ok(parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::{escaped, unescaped};

    #[test]
    fn keys_may_hold_commas() {
        for text in ["", "a,b%2Cc", "100%", "%25,"] {
            assert_eq!(unescaped(&escaped(text)), text);
        }
    }
}

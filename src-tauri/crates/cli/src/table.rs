//! Rows of wire objects as columns for people.

use serde_json::Value;

/// Widest column; a longer value is cut.
const WIDEST: usize = 60;

/// A member of an object as text; empty when it is missing or null.
pub(crate) fn field(object: &Value, name: &str) -> String {
    match object.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The chosen members of each row under their names. A column that is empty in every row is left out.
pub(crate) fn table(rows: &[Value], columns: &[&str]) -> String {
    let cut = |text: String| {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if text.chars().count() > WIDEST { text.chars().take(WIDEST - 1).chain(['…']).collect() } else { text }
    };
    let filled: Vec<(&str, Vec<String>)> = columns
        .iter()
        .map(|name| (*name, rows.iter().map(|row| cut(field(row, name))).collect::<Vec<_>>()))
        .filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty()))
        .collect();
    let widths: Vec<usize> = filled.iter().map(|(name, cells)| cells.iter().map(|cell| cell.chars().count()).chain([name.len()]).max().unwrap_or_default()).collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(filled.iter().map(|(name, _)| *name).collect())];
    for row in 0..rows.len() {
        lines.push(line(filled.iter().map(|(_, cells)| cells.get(row).map_or("", String::as_str)).collect()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_are_aligned_and_empty_ones_left_out() {
        let rows = [json!({ "id": "1", "name": "ä", "x": null }), json!({ "id": "22", "name": "a\nb", "n": 3 })];
        assert_eq!(table(&rows, &["id", "name", "x", "n"]), "id  name  n\n1   ä\n22  a b   3");
    }
}

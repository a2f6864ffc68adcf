//! Atlassian Document Format to and from plain text
//! (https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/).
//!
//! Text that [`document`] made reads back as the same text. Documents made by people keep their words, not their looks.

use serde_json::{Value, json};

use crate::reading::cut;

/// Most bytes of text that are made of a document.
const MAX_TEXT: usize = 1 << 20;

/// Deepest nesting that is followed.
const MAX_DEPTH: usize = 40;

/// The plain text of a document. Anything that is no document gives no text, and a text stays what it is (older fields).
pub(super) fn text(document: &Value) -> String {
    if let Some(text) = document.as_str() {
        return cut(text, MAX_TEXT).to_owned();
    }
    let mut out = String::new();
    blocks(document, &mut out, "", MAX_DEPTH);
    let mut text = out.trim_end().to_owned();
    let kept = cut(&text, MAX_TEXT).len();
    text.truncate(kept);
    text
}

fn content(node: &Value) -> &[Value] {
    node.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn attribute<'a>(node: &'a Value, name: &str) -> &'a str {
    node.get("attrs").and_then(|attrs| attrs.get(name)).and_then(Value::as_str).unwrap_or_default()
}

/// Writes the blocks of a node, an empty line between them, every line behind `indent`.
fn blocks(node: &Value, out: &mut String, indent: &str, depth: usize) {
    let mut first = true;
    for child in content(node) {
        if depth == 0 || out.len() > MAX_TEXT {
            return;
        }
        let before = out.len();
        if !first {
            out.push('\n');
        }
        let start = out.len();
        block(child, out, indent, depth - 1);
        if out.len() == start {
            out.truncate(before);
        } else {
            first = false;
        }
    }
}

fn line(out: &mut String, indent: &str, text: &str) {
    for line in text.split('\n') {
        out.push_str(indent);
        out.push_str(line);
        out.push('\n');
    }
}

fn block(node: &Value, out: &mut String, indent: &str, depth: usize) {
    match node.get("type").and_then(Value::as_str).unwrap_or_default() {
        "paragraph" | "heading" | "caption" => {
            let text = inline(node, depth);
            if !text.is_empty() {
                line(out, indent, &text);
            }
        }
        "bulletList" | "decisionList" => items(node, out, indent, depth, |_, _| "- ".to_owned()),
        "orderedList" => {
            let from = node.get("attrs").and_then(|attrs| attrs.get("order")).and_then(Value::as_u64).unwrap_or(1);
            items(node, out, indent, depth, |index, _| format!("{}. ", from.saturating_add(index as u64)));
        }
        "taskList" => items(node, out, indent, depth, |_, item| if attribute(item, "state") == "DONE" { "- [x] " } else { "- [ ] " }.to_owned()),
        "codeBlock" => {
            line(out, indent, &format!("```{}", attribute(node, "language")));
            line(out, indent, &inline(node, depth));
            line(out, indent, "```");
        }
        "blockquote" => blocks(node, out, &format!("{indent}> "), depth),
        "rule" => line(out, indent, "---"),
        "table" => {
            for row in content(node) {
                let cells: Vec<String> = content(row).iter().map(|cell| flat(cell, depth)).collect();
                line(out, indent, &cells.join(" | "));
            }
        }
        "expand" | "nestedExpand" => {
            let title = attribute(node, "title");
            if !title.is_empty() {
                line(out, indent, title);
            }
            blocks(node, out, indent, depth);
        }
        "media" | "mediaInline" => {
            let name = [attribute(node, "alt"), attribute(node, "url"), attribute(node, "id")].into_iter().find(|name| !name.is_empty()).unwrap_or("file");
            line(out, indent, &format!("[{name}]"));
        }
        "blockCard" | "embedCard" => line(out, indent, attribute(node, "url")),
        "text" | "hardBreak" | "mention" | "emoji" | "inlineCard" | "date" | "status" | "placeholder" => {
            let mut text = String::new();
            span(node, &mut text);
            line(out, indent, &text);
        }
        // Panels, layouts, media groups and whatever comes later: what is in them.
        _ => blocks(node, out, indent, depth),
    }
}

/// Writes list items: the first block behind its mark, the others below it.
fn items(list: &Value, out: &mut String, indent: &str, depth: usize, mark: impl Fn(usize, &Value) -> String) {
    let mut number = 0;
    for item in content(list) {
        if depth == 0 || out.len() > MAX_TEXT {
            return;
        }
        let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
        // A list straight within a list belongs to the item before it.
        if matches!(kind, "taskList" | "bulletList" | "orderedList") {
            block(item, out, &format!("{indent}  "), depth - 1);
            continue;
        }
        let mark = mark(number, item);
        number += 1;
        let inner = " ".repeat(mark.chars().count());
        let mut body = String::new();
        if matches!(kind, "taskItem" | "decisionItem") {
            line(&mut body, "", &inline(item, depth));
        } else {
            for child in content(item) {
                block(child, &mut body, "", depth - 1);
            }
        }
        for (index, text) in body.trim_end_matches('\n').split('\n').enumerate() {
            out.push_str(indent);
            out.push_str(if index == 0 { &mark } else { &inner });
            out.push_str(text);
            out.push('\n');
        }
    }
}

/// The text of a cell on one line.
fn flat(node: &Value, depth: usize) -> String {
    let mut text = String::new();
    blocks(node, &mut text, "", depth);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn inline(node: &Value, depth: usize) -> String {
    let mut text = String::new();
    for child in content(node) {
        if text.len() > MAX_TEXT {
            break;
        }
        if content(child).is_empty() {
            span(child, &mut text);
        } else if depth > 0 {
            text.push_str(&inline(child, depth - 1));
        }
    }
    text
}

fn span(node: &Value, out: &mut String) {
    match node.get("type").and_then(Value::as_str).unwrap_or_default() {
        "text" => {
            let text = node.get("text").and_then(Value::as_str).unwrap_or_default();
            out.push_str(text);
            let marks = node.get("marks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let link = marks.iter().find(|mark| mark.get("type").and_then(Value::as_str) == Some("link")).map(|mark| attribute(mark, "href"));
            if let Some(href) = link.filter(|href| !href.is_empty() && *href != text) {
                out.push_str(" (");
                out.push_str(href);
                out.push(')');
            }
        }
        "hardBreak" => out.push('\n'),
        "mention" => {
            // The account id is what makes it a mention again, the name is only shown.
            let (name, id) = (attribute(node, "text").trim_start_matches('@'), attribute(node, "id"));
            match (name.is_empty(), is_account(id)) {
                (false, true) => out.push_str(&format!("@[{name}]({id})")),
                (true, true) => out.push_str(&format!("@[{id}]({id})")),
                _ => out.push_str(&format!("@{name}")),
            }
        }
        "emoji" => out.push_str([attribute(node, "text"), attribute(node, "shortName")].into_iter().find(|text| !text.is_empty()).unwrap_or_default()),
        "inlineCard" => out.push_str(attribute(node, "url")),
        "date" => {
            // Milliseconds as text.
            let millis = attribute(node, "timestamp").parse::<i64>().ok();
            if let Some(date) = millis.and_then(chrono::DateTime::from_timestamp_millis) {
                out.push_str(&date.format("%Y-%m-%d").to_string());
            }
        }
        "status" | "placeholder" => out.push_str(attribute(node, "text")),
        "media" | "mediaInline" => {
            out.push('[');
            out.push_str([attribute(node, "alt"), attribute(node, "id")].into_iter().find(|name| !name.is_empty()).unwrap_or("file"));
            out.push(']');
        }
        _ => {}
    }
}

/// Whether a text can be an Atlassian account id.
pub(super) fn is_account(id: &str) -> bool {
    (20..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'-' | b'_'))
}

/// A document of plain text: paragraphs between empty lines, lists of lines that begin with `- `, `* ` or a number, code between
/// lines of three backticks, and mentions written `@[Name](account id)`.
pub(super) fn document(text: &str) -> Value {
    let text = text.replace("\r\n", "\n");
    let lines: Vec<&str> = text.split('\n').map(str::trim_end).collect();
    json!({ "type": "doc", "version": 1, "content": parse(&lines, MAX_DEPTH / 4) })
}

/// The mark at the beginning of a line, its kind and its width.
fn mark(line: &str) -> Option<(bool, u64, usize)> {
    let rest = line.trim_start();
    let indent = line.len() - rest.len();
    if rest.strip_prefix("- ").or_else(|| rest.strip_prefix("* ")).is_some_and(|text| !text.trim().is_empty()) {
        return Some((false, 0, indent + 2));
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let text = rest.get(digits..)?.strip_prefix(". ")?;
    ((1..=6).contains(&digits) && !text.trim().is_empty()).then(|| Some((true, rest.get(..digits)?.parse().ok()?, indent + digits + 2))).flatten()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn parse(lines: &[&str], depth: usize) -> Vec<Value> {
    let mut nodes = Vec::new();
    let mut at = 0;
    while let Some(&line) = lines.get(at) {
        if line.trim().is_empty() {
            at += 1;
        } else if let Some(language) = line.trim_start().strip_prefix("```") {
            let body: Vec<&str> = lines.iter().skip(at + 1).take_while(|line| line.trim() != "```").copied().collect();
            at += body.len() + 2;
            nodes.push(code(language.trim(), &body.join("\n")));
        } else if depth > 0
            && let Some((ordered, from, _)) = mark(line)
        {
            let (items, used) = list(lines.get(at..).unwrap_or_default(), ordered, depth);
            at += used;
            nodes.push(if ordered { json!({ "type": "orderedList", "attrs": { "order": from }, "content": items }) } else { json!({ "type": "bulletList", "content": items }) });
        } else {
            let mut body = vec![line];
            at += 1;
            while let Some(&next) = lines.get(at)
                && !next.trim().is_empty()
                && !next.trim_start().starts_with("```")
                && (depth == 0 || mark(next).is_none())
            {
                body.push(next);
                at += 1;
            }
            nodes.push(json!({ "type": "paragraph", "content": spans(&body) }));
        }
    }
    nodes
}

fn code(language: &str, body: &str) -> Value {
    let mut node = json!({ "type": "codeBlock" });
    if let Some(members) = node.as_object_mut() {
        if !language.is_empty() {
            members.insert("attrs".to_owned(), json!({ "language": language }));
        }
        if !body.is_empty() {
            members.insert("content".to_owned(), json!([{ "type": "text", "text": body }]));
        }
    }
    node
}

/// The items of the list that begins here, and how many lines they take. Lines that are indented at least as far as an item's
/// text belong to it.
fn list(lines: &[&str], ordered: bool, depth: usize) -> (Vec<Value>, usize) {
    let mut items = Vec::new();
    let mut at = 0;
    let outer = lines.first().map_or(0, |line| indent(line));
    while let Some(&line) = lines.get(at) {
        let Some((kind, _, width)) = mark(line) else { break };
        if kind != ordered || indent(line) != outer {
            break;
        }
        let mut body = vec![line.get(width..).unwrap_or_default()];
        at += 1;
        while let Some(&next) = lines.get(at)
            && !next.trim().is_empty()
            && indent(next) > outer
        {
            body.push(next.get(indent(next).min(width)..).unwrap_or_default());
            at += 1;
        }
        items.push(json!({ "type": "listItem", "content": parse(&body, depth - 1) }));
    }
    (items, at.max(1))
}

/// The lines of a paragraph, joined by line breaks. A text node is never empty.
fn spans(lines: &[&str]) -> Vec<Value> {
    let mut nodes = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            nodes.push(json!({ "type": "hardBreak" }));
        }
        let mut rest = *line;
        while let Some((before, name, id, after)) = mention(rest) {
            if !before.is_empty() {
                nodes.push(json!({ "type": "text", "text": before }));
            }
            nodes.push(json!({ "type": "mention", "attrs": { "id": id, "text": format!("@{name}") } }));
            rest = after;
        }
        if !rest.is_empty() {
            nodes.push(json!({ "type": "text", "text": rest }));
        }
    }
    nodes
}

/// The first mention in a line: what stands before it, its name, its account id, and what stands after it.
fn mention(line: &str) -> Option<(&str, &str, &str, &str)> {
    let mut from = 0;
    while let Some(at) = line.get(from..)?.find("@[").map(|at| at + from) {
        let inner = line.get(at + 2..)?;
        if let Some((name, rest)) = inner.split_once("](")
            && let Some((id, after)) = rest.split_once(')')
            && is_account(id)
            && !name.contains("@[")
        {
            return Some((line.get(..at)?, name, id, after));
        }
        from = at + 2;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_there_and_back() {
        for plain in [
            "",
            "One line",
            "First\nsecond line\n\nAnother paragraph",
            "- a\n- b\n  - b1\n  - b2\n- c",
            "1. one\n2. two\n   - inner",
            "7. seven\n8. eight",
            "Before\n\n```rust\nfn main() {\n    x();\n}\n```\n\nafter",
            "Ask @[Ada Lovelace](5b10ac8d82e05b22cc7d4ef5) about it",
            "Ünïcödé 💡\n\n- ✓",
            "a - b, 3.5, -5, *bold*, 1.2",
        ] {
            assert_eq!(text(&document(plain)), plain);
        }
    }

    #[test]
    fn what_people_write_keeps_its_words() {
        let written = json!({ "type": "doc", "version": 1, "content": [
            { "type": "heading", "attrs": { "level": 2 }, "content": [{ "type": "text", "text": "Title" }] },
            { "type": "paragraph", "content": [{ "type": "text", "text": "see", "marks": [{ "type": "link", "attrs": { "href": "https://x.example" } }, { "type": "strong" }] }, { "type": "hardBreak" }, { "type": "emoji", "attrs": { "shortName": ":smile:", "text": "😄" } }] },
            { "type": "panel", "attrs": { "panelType": "info" }, "content": [{ "type": "paragraph", "content": [{ "type": "status", "attrs": { "text": "OPEN", "color": "blue" } }, { "type": "text", "text": " since " }, { "type": "date", "attrs": { "timestamp": "1769817600000" } }] }] },
            { "type": "taskList", "content": [{ "type": "taskItem", "attrs": { "state": "DONE" }, "content": [{ "type": "text", "text": "done" }] }, { "type": "taskItem", "attrs": { "state": "TODO" }, "content": [{ "type": "text", "text": "to do" }] }] },
            { "type": "table", "content": [{ "type": "tableRow", "content": [{ "type": "tableHeader", "content": [{ "type": "paragraph", "content": [{ "type": "text", "text": "a" }] }] }, { "type": "tableCell", "content": [{ "type": "paragraph", "content": [{ "type": "text", "text": "b" }] }] }] }] },
            { "type": "mediaSingle", "content": [{ "type": "media", "attrs": { "type": "file", "id": "abc", "alt": "shot.png" } }] },
            { "type": "blockquote", "content": [{ "type": "paragraph", "content": [{ "type": "text", "text": "quoted" }] }] },
            { "type": "rule" },
            { "type": "paragraph" },
            { "type": "frobnicate", "content": [{ "type": "paragraph", "content": [{ "type": "text", "text": "new kind" }] }] },
        ]});
        assert_eq!(
            text(&written),
            "Title\n\nsee (https://x.example)\n😄\n\nOPEN since 2026-01-31\n\n- [x] done\n- [ ] to do\n\na | b\n\n[shot.png]\n\n> quoted\n\n---\n\nnew kind"
        );
    }

    #[test]
    fn documents_hold_no_empty_text() {
        fn check(node: &Value) {
            assert_ne!(node.get("text"), Some(&json!("")), "{node}");
            for child in content(node) {
                check(child);
            }
        }
        for plain in ["", "\n\n", "-", "- ", "```", "```\n```", "@[x](y)", "@[](5b10ac8d82e05b22cc7d4ef5)", "1. \n2. ", "    indented", "- a\n\n\n  b", "@[@[@["] {
            check(&document(plain));
        }
    }

    #[test]
    fn nonsense_gives_text_or_nothing() {
        for nonsense in [
            json!(null),
            json!(5),
            json!([]),
            json!({ "content": 7 }),
            json!({ "content": [1, null, { "type": 3 }, { "type": "text" }, { "type": "mention" }, { "type": "date", "attrs": { "timestamp": "99999999999999999999" } }] }),
        ] {
            text(&nonsense);
        }
        let mut deep = json!({ "type": "paragraph", "content": [{ "type": "text", "text": "x" }] });
        for _ in 0..5_000 {
            // Put together by hand: the macro would copy what is inside, one frame per level.
            deep = Value::Object([("type".to_owned(), "panel".into()), ("content".to_owned(), Value::Array(vec![deep]))].into_iter().collect());
        }
        assert_eq!(text(&deep), "");
        std::mem::forget(deep);
        let many: String = "  ".repeat(3_000) + "- a";
        document(&many);
        document(&"- a\n  ".repeat(2_000));
        let nested: String = (0..500).map(|n| format!("{}- x\n", "  ".repeat(n))).collect();
        document(&nested);
    }
}

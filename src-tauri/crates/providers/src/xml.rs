//! XML as the values that pointers of manifests look into: elements are members, those of one name a list, text is text. Attributes and
//! namespaces tell nothing that is asked for.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use serde_json::{Map, Value};

use crate::exchange::ProviderResponse;

/// Deepest nesting that is followed.
const DEEPEST: usize = 64;

/// Reads a document. None for what is not well-formed, or is a page.
pub fn read(text: &str) -> Option<Value> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if open.len() <= DEEPEST => open.push(Element { name: start.local_name().as_ref().to_owned(), ..Element::default() }),
            Event::Start(_) => return None,
            Event::Empty(empty) => {
                let name = empty.local_name().as_ref().to_owned();
                open.last_mut()?.add(name, Value::String(String::new()));
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let element = open.last_mut()?;
                match reference.resolve_char_ref().ok()? {
                    Some(character) => element.text.push(character),
                    // No document type is read, so that nobody else could have named one.
                    None => element.text.push_str(resolve_predefined_entity(&reference)?),
                }
            }
            Event::End(_) => {
                let element = open.pop()?;
                let name = element.name.clone();
                open.last_mut()?.add(name, element.value());
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    let (document, whole) = (open.pop()?, open.is_empty());
    let page = document.members.keys().any(|name| name.eq_ignore_ascii_case("html"));
    (whole && !page && document.members.len() == 1).then_some(Value::Object(document.members))
}

/// Reads an answer that says of itself that it is XML.
pub(crate) fn of(response: &ProviderResponse) -> Option<Value> {
    let kind = response.header("content-type").and_then(|kind| kind.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    // Some name no media type, or that of pages.
    let said = matches!(kind.as_str(), "application/xml" | "text/xml") || (!kind.ends_with("json") && response.body.trim_ascii_start().starts_with(b"<?xml"));
    if !said {
        return None;
    }
    // Some write a mark in front that is no part of the document.
    read(std::str::from_utf8(&response.body).ok()?.trim_start_matches('\u{feff}'))
}

/// An element that is not closed yet.
#[derive(Default)]
struct Element {
    name: String,
    members: Map<String, Value>,
    text: String,
}

impl Element {
    fn add(&mut self, name: String, value: Value) {
        match self.members.get_mut(&name) {
            Some(Value::Array(list)) => list.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
            None => {
                self.members.insert(name, value);
            }
        }
    }

    fn value(self) -> Value {
        if self.members.is_empty() { Value::String(self.text.trim().to_owned()) } else { Value::Object(self.members) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn elements_are_members_and_several_are_a_list() {
        let text = r#"<?xml version="1.0"?><r xmlns="urn:x"><a b="c"> one &amp; two&#33; </a><n:i>1</n:i><n:i>2</n:i><e/><d><![CDATA[<x>]]></d></r>"#;
        assert_eq!(read(text), Some(json!({ "r": { "a": "one & two!", "i": ["1", "2"], "e": "", "d": "<x>" } })));
    }

    #[test]
    fn what_is_no_document_is_none() {
        let deep = "<a>".repeat(100);
        for bad in ["", "text", "<a>", "<a></b>", "<html><body/></html>", "<a>&own;</a>", "<a/><b/>", deep.as_str()] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_answer_says_itself_that_it_is_one() {
        let answer = |kind: &str, body: &str| ProviderResponse { status: 200, headers: vec![("content-type".to_owned(), kind.to_owned())], body: body.as_bytes().to_vec() };
        assert_eq!(of(&answer("text/xml; charset=utf-8", "\u{feff}<a>1</a>")), Some(json!({ "a": "1" })));
        assert_eq!(of(&answer("text/html", "<a>1</a>")), None);
        assert_eq!(of(&answer("application/json", "<?xml version=\"1.0\"?><a>1</a>")), None);
    }
}

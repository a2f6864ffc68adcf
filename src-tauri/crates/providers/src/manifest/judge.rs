//! Judging the text of a manifest for whoever writes it: what is wrong, and on which line.

use std::fmt;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{Families, Manifest, family};

/// Something wrong in the text of a manifest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The line, from 1.
    pub line: usize,
    /// The column in it, in characters from 1.
    pub column: usize,
    /// The dotted name of where, if it is about a key.
    pub key: Option<String>,
    /// What, and what to do.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Reads the text of a manifest.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines. What its types refuse is told alone, since the rest cannot be read then.
pub fn judge(text: &str, families: &Families) -> Result<Manifest, Vec<Finding>> {
    let manifest = read(text, families).map_err(|finding| vec![finding])?;
    let faults = manifest.check();
    if faults.is_empty() {
        return Ok(manifest);
    }
    let tree = DeTable::parse(text).ok();
    let mut found: Vec<Finding> = faults
        .into_iter()
        .map(|fault| {
            let span = tree.as_ref().and_then(|tree| place_of(tree.get_ref(), &fault.key));
            at(text, span, Some(fault.key), fault.message)
        })
        .collect();
    found.sort_by_key(|finding| (finding.line, finding.column));
    Err(found)
}

fn read(text: &str, families: &Families) -> Result<Manifest, Finding> {
    let told = |error: toml::de::Error| at(text, error.span(), None, error.message().to_owned());
    let table: toml::Table = toml::from_str(text).map_err(told)?;
    let Some(name) = table.get("family").and_then(toml::Value::as_str) else {
        return toml::from_str(text).map_err(told);
    };
    let tree = DeTable::parse(text).ok();
    let place = |key: &str| tree.as_ref().and_then(|tree| place_of(tree.get_ref(), key));
    let Some(family) = families.get(name) else {
        let known = families.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(at(text, place("family"), Some("family".to_owned()), format!("there is no family `{name}`; known are {known}")));
    };
    // What is laid over a family has no lines any more; the parser names the key.
    let laid: Result<Manifest, toml::de::Error> = family::laid_over(table, family).try_into();
    match laid {
        Err(error) => {
            let key = error.message().lines().find_map(|line| line.trim().strip_prefix("in `").and_then(|rest| rest.strip_suffix('`'))).map(str::to_owned);
            let span = key.as_deref().and_then(place);
            Err(at(text, span, key, error.message().lines().next().unwrap_or_default().to_owned()))
        }
        Ok(_) => Manifest::read(text, families).map_err(|message| at(text, None, None, message)),
    }
}

fn at(text: &str, span: Option<Range<usize>>, key: Option<String>, message: String) -> Finding {
    let before = text.get(..span.map_or(0, |span| span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Finding { line, column, key, message }
}

/// Where a dotted name stands, or the nearest thing around it that does.
fn place_of(table: &DeTable<'_>, key: &str) -> Option<Range<usize>> {
    let (first, rest) = key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
    let (name, value) = table.iter().find(|(name, _)| name.get_ref().as_ref() == first)?;
    Some(rest.and_then(|rest| within(value.get_ref(), rest)).unwrap_or_else(|| name.span()))
}

fn within(value: &DeValue<'_>, key: &str) -> Option<Range<usize>> {
    match value {
        DeValue::Table(table) => place_of(table, key),
        DeValue::Array(list) => {
            let (first, rest) = key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
            let named = |item: &DeValue<'_>| match item {
                DeValue::Table(table) => {
                    ["type", "name"].iter().any(|member| table.iter().any(|(name, value)| name.get_ref().as_ref() == *member && value.get_ref().as_str() == Some(first)))
                }
                _ => false,
            };
            let number = first.parse::<usize>().ok();
            let item = list.iter().enumerate().find(|(at, item)| Some(*at) == number || named(item.get_ref())).map(|(_, item)| item)?;
            Some(rest.and_then(|rest| within(item.get_ref(), rest)).unwrap_or_else(|| item.span()))
        }
        _ => None,
    }
}

//! Families: what several providers of one vendor share, and how a manifest is laid over it.

use std::collections::BTreeMap;

use toml::{Table, Value};

/// Keys whose value is one of several kinds: such a value stands whole, it is never mixed with the family's.
const WHOLE: &[&str] = &["endpoints", "pkce", "rotation", "silent", "how", "window", "base", "auth", "place", "probe", "body", "expires", "pick"];

/// The parts of a preflight that are one of several kinds.
const WHOLE_IN_PREFLIGHT: &[&str] = &["token", "authorize"];

/// A family as read: tables of a manifest (`server`, `credential`, `config`, `base`, `probe`, `limits`, `error`, `sources`, ...), laid
/// under those of its members.
#[derive(Clone, PartialEq, Debug)]
pub struct Family {
    tables: Table,
}

impl Family {
    /// Reads a family.
    ///
    /// # Errors
    /// When it is no TOML, or says what only a manifest can say.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut tables: Table = toml::from_str(text).map_err(|error| error.to_string())?;
        match tables.remove("format") {
            None => {}
            Some(Value::Integer(format)) if format == i64::from(super::FORMAT) => {}
            _ => return Err(format!("`format` must be {}", super::FORMAT)),
        }
        match ["id", "version", "connector", "family", "operation", "fullname"].iter().find(|key| tables.contains_key(**key)) {
            Some(key) => Err(format!("`{key}` belongs to a provider, not to a family; move it into the manifests")),
            None => Ok(Self { tables }),
        }
    }
}

/// Every family, by its id.
pub type Families = BTreeMap<String, Family>;

/// Lays a manifest over its family. Tables are laid over one another key by key; credentials and properties by their names. A manifest that
/// lists credentials has those, in its order, each over the family's of that `type`; one that lists none has all of the family.
pub(crate) fn laid_over(own: Table, family: &Family) -> Table {
    let mut whole = family.tables.clone();
    for (key, value) in own {
        let below = whole.remove(&key);
        let laid = match (key.as_str(), value, below) {
            ("credential", Value::Array(own), Some(Value::Array(below))) => Value::Array(listed(own, &below)),
            ("config", Value::Array(own), Some(Value::Array(below))) => Value::Array(joined(own, below)),
            ("error" | "sunset", Value::Array(mut own), Some(Value::Array(below))) => {
                own.extend(below);
                Value::Array(own)
            }
            (key, value, Some(below)) => over(key, value, below, ""),
            (_, value, None) => value,
        };
        whole.insert(key, laid);
    }
    whole
}

fn over(key: &str, own: Value, below: Value, parent: &str) -> Value {
    let one_of_kinds = WHOLE.contains(&key) || (parent == "preflight" && WHOLE_IN_PREFLIGHT.contains(&key));
    match (own, below) {
        (Value::Table(own), Value::Table(mut below)) if !one_of_kinds => {
            for (name, value) in own {
                let laid = match below.remove(&name) {
                    Some(under) => over(&name, value, under, key),
                    None => value,
                };
                below.insert(name, laid);
            }
            Value::Table(below)
        }
        (own, _) => own,
    }
}

fn name_of<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.as_table()?.get(key)?.as_str()
}

fn listed(own: Vec<Value>, below: &[Value]) -> Vec<Value> {
    own.into_iter()
        .map(|mine| match below.iter().find(|under| name_of(under, "type").is_some() && name_of(under, "type") == name_of(&mine, "type")) {
            Some(under) => over("credential", mine, under.clone(), ""),
            None => mine,
        })
        .collect()
}

fn joined(own: Vec<Value>, below: Vec<Value>) -> Vec<Value> {
    let mut all: Vec<Value> = below
        .into_iter()
        .map(|under| match own.iter().find(|mine| name_of(mine, "name").is_some() && name_of(mine, "name") == name_of(&under, "name")) {
            Some(mine) => over("config", mine.clone(), under, ""),
            None => under,
        })
        .collect();
    let added: Vec<Value> = own.into_iter().filter(|mine| !all.iter().any(|known| name_of(known, "name") == name_of(mine, "name"))).collect();
    all.extend(added);
    all
}

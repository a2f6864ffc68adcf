//! What types cannot say of an operation: sentences, examples, and the statuses beyond those of its shape.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What is said of one operation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Prose {
    /// One line, an imperative without a full stop.
    pub(super) summary: String,
    /// Sentences, where the line does not say it all.
    #[serde(default)]
    pub(super) description: String,
    /// Statuses of Problems beyond those of its shape.
    #[serde(default)]
    pub(super) also: BTreeSet<u16>,
    /// Statuses of its shape that it never has.
    #[serde(default)]
    pub(super) never: BTreeSet<u16>,
    /// Bodies, by name.
    #[serde(default)]
    pub(super) examples: Map<String, Value>,
}

#[derive(Default, Deserialize)]
struct Table {
    tag: BTreeMap<String, String>,
    operation: BTreeMap<String, Prose>,
}

const TABLE: &str = include_str!("operations.toml");

/// A table that cannot be read says nothing; a test reads it.
static PROSE: LazyLock<Table> = LazyLock::new(|| toml::from_str(TABLE).unwrap_or_default());

/// What is said of an operation.
pub(super) fn of(operation: &str) -> Prose {
    PROSE.operation.get(operation).cloned().unwrap_or_default()
}

/// The tags of the operations of these paths, in the order in which they come, each with its sentence.
pub(super) fn tags(paths: &Map<String, Value>) -> Value {
    let mut seen = BTreeSet::new();
    let tags = paths.values().filter_map(Value::as_object).flat_map(Map::values).filter_map(|operation| operation["tags"][0].as_str());
    tags.filter(|tag| seen.insert(*tag)).map(|tag| json!({ "name": tag, "description": PROSE.tag.get(tag) })).collect()
}

#[cfg(test)]
mod tests {
    use patchbay_model::Operation;

    use super::*;
    use crate::ticketing;

    #[test]
    fn every_operation_has_its_sentences_and_none_is_left_over() {
        let table: Table = toml::from_str(TABLE).unwrap();
        let ids: BTreeSet<String> = Operation::ALL
            .iter()
            .map(|operation| operation.id().to_owned())
            .chain(ticketing::ROUTES.iter().filter(|route| route.answer.is_some()).map(|route| format!("ticketing.{}", route.name)))
            .collect();
        for id in &ids {
            let prose = table.operation.get(id).unwrap_or_else(|| panic!("operations.toml says nothing of {id}"));
            assert!(!prose.summary.is_empty() && !prose.summary.ends_with('.'), "{id}: a summary is one line without a full stop");
            assert!(prose.description.is_empty() || prose.description.trim_end().ends_with('.'), "{id}: a description is sentences");
            assert!(table.tag.contains_key(id.split('.').next().unwrap()), "the tag of {id} has no sentence");
        }
        let left: Vec<_> = table.operation.keys().filter(|id| !ids.contains(*id)).collect();
        assert!(left.is_empty(), "operations.toml speaks of operations that are not there: {left:?}");
    }
}

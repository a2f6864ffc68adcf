//! What two manifests say differently.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Manifest;

/// Something that another manifest says otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Its dotted name, such as `server.main.pkce`.
    pub path: String,
    /// What the one says; none: nothing.
    pub before: Option<Value>,
    /// What the other says.
    pub after: Option<Value>,
}

/// What names an item of a list, so that an item in between does not shift those behind it.
const NAMES: &[&str] = &["type", "name"];

impl Manifest {
    /// What `after` says otherwise than this one, by name. Sources are left out: they change nothing.
    pub fn differences(&self, after: &Self) -> Vec<Difference> {
        let (mut before, after) = (self.leaves(), after.leaves());
        let mut all: Vec<Difference> = after
            .into_iter()
            .filter_map(|(path, after)| {
                let before = before.remove(&path);
                (before.as_ref() != Some(&after)).then_some(Difference { path, before, after: Some(after) })
            })
            .collect();
        all.extend(before.into_iter().map(|(path, before)| Difference { path, before: Some(before), after: None }));
        all.sort_by(|one, other| one.path.cmp(&other.path));
        all
    }

    /// What stands under a dotted name, as [`Self::facts`] names it.
    pub fn stated(&self, path: &str) -> Option<Value> {
        let whole = serde_json::to_value(self).unwrap_or_default();
        let mut at = &whole;
        for part in path.split('.') {
            at = match at {
                Value::Array(items) => items.iter().find(|item| named(item) == Some(part))?,
                other => other.get(part)?,
            };
        }
        Some(at.clone())
    }

    fn leaves(&self) -> BTreeMap<String, Value> {
        let mut leaves = BTreeMap::new();
        if let Ok(Value::Object(whole)) = serde_json::to_value(self) {
            for (name, value) in whole.into_iter().filter(|(name, _)| !matches!(name.as_str(), "sources" | "format")) {
                walk(name, value, &mut leaves);
            }
        }
        leaves
    }
}

fn named(item: &Value) -> Option<&str> {
    NAMES.iter().find_map(|name| item.get(name)?.as_str())
}

fn walk(path: String, value: Value, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, inner) in members {
                walk(format!("{path}.{name}"), inner, leaves);
            }
        }
        Value::Array(items) if !items.is_empty() && items.iter().all(|item| named(item).is_some()) => {
            for item in items {
                let name = named(&item).unwrap_or_default().to_owned();
                walk(format!("{path}.{name}"), item, leaves);
            }
        }
        leaf => {
            leaves.insert(path, leaf);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Catalog;

    #[test]
    fn a_manifest_differs_in_what_was_changed_alone() {
        let catalog = Catalog::builtin().unwrap();
        let before = catalog.find("ticketing_redmine").unwrap().manifest();
        assert_eq!(before.differences(before), []);
        let mut after = before.clone();
        after.docs_url = "https://docs.example.com".to_owned();
        after.credential.remove(0);
        after.vendor = "Another".to_owned();
        let found = before.differences(&after);
        let of = |path: &str| found.iter().find(|one| one.path == path);
        assert_eq!(of("docs_url").unwrap().after, Some("https://docs.example.com".into()));
        assert!(found.iter().any(|one| one.path.starts_with("credential.") && one.after.is_none()), "{found:?}");
        assert!(found.iter().all(|one| one.path.starts_with("credential.") || matches!(one.path.as_str(), "docs_url" | "vendor")), "{found:?}");
    }

    #[test]
    fn a_fact_can_be_looked_up_by_its_name() {
        let catalog = Catalog::builtin().unwrap();
        let mut told = 0;
        for provider in catalog.providers() {
            for fact in provider.facts().into_iter().filter(|fact| !fact.path.starts_with("error.")) {
                assert!(provider.manifest().stated(&fact.path).is_some(), "{}: {}", provider.id(), fact.path);
                told += 1;
            }
        }
        assert!(told > 1000, "{told}");
    }
}

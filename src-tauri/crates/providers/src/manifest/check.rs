//! What the types of a manifest cannot say: names that refer to one another, templates in their places, hosts that nobody may choose.

mod places;
mod templates;

use std::collections::BTreeSet;
use std::fmt;

use patchbay_model::integration::RUNTIME_MEMBERS;

use super::{ConfigProperty, Manifest};
use crate::capability;

/// Something wrong in a manifest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The dotted name of where.
    pub key: String,
    /// What, and what to do.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

/// Gathers what is wrong.
pub(crate) struct Faults<'a> {
    pub(crate) manifest: &'a Manifest,
    found: Vec<Fault>,
}

impl Faults<'_> {
    pub(crate) fn add(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.found.push(Fault { key: key.into(), message: message.into() });
    }
}

impl Manifest {
    /// Everything that is wrong with it, beyond what its types refuse.
    pub fn check(&self) -> Vec<Fault> {
        let mut faults = Faults { manifest: self, found: Vec::new() };
        if self.format != super::FORMAT {
            faults.add("format", format!("this build reads format {}; convert the manifest", super::FORMAT));
        }
        if !self.docs_url.starts_with("https://") {
            faults.add("docs_url", "must be an https address");
        }
        properties("config", &self.config, &mut faults);
        names(&mut faults);
        operations(&mut faults);
        sunsets(&mut faults);
        places::check(&mut faults);
        templates::check(&mut faults);
        faults.found
    }

    /// Facts without a source, which a manifest of the catalog must not have, and sources of nothing.
    pub fn check_sources(&self) -> Vec<Fault> {
        let facts = self.facts();
        let missing = facts
            .iter()
            .filter(|fact| fact.source.is_none())
            .map(|fact| Fault { key: fact.path.clone(), message: "has no source; name one in [sources] (an https address, `observed: ...` or `unverified`)".to_owned() });
        missing.collect()
    }
}

fn names(faults: &mut Faults<'_>) {
    let manifest = faults.manifest;
    if !manifest.id.as_str().starts_with(&format!("{}_", manifest.connector.as_str())) && manifest.connector.as_str() != "custom" {
        faults.add("id", format!("begins with its connector: `{}_...`", manifest.connector.as_str()));
    }
    let mut seen = BTreeSet::new();
    for option in &manifest.credential {
        let key = format!("credential.{}", option.word);
        if !seen.insert(option.word.as_str()) {
            faults.add(&key, "stands twice; each `type` can stand once");
        }
        if option.word.ends_with("_id") {
            faults.add(&key, "a `type` must not end in `_id`, which names references");
        }
        properties(&format!("{key}.config"), &option.config, faults);
    }
}

fn properties(key: &str, list: &[ConfigProperty], faults: &mut Faults<'_>) {
    let mut seen = BTreeSet::new();
    for property in list {
        let key = format!("{key}.{}", property.name);
        if property.name == "type" || property.name == "credential" || RUNTIME_MEMBERS.contains(&property.name.as_str()) {
            faults.add(&key, "the name is reserved; choose another");
        }
        if !seen.insert(property.name.as_str()) {
            faults.add(&key, "stands twice");
        }
        // One in the schema is the form's proposal, and what a move to this version fills in.
        if property.required && property.default.is_some() {
            faults.add(&key, "a required property has no default; drop one of the two");
        }
        if !property.means.is_empty() {
            let allowed: Option<BTreeSet<&str>> =
                property.schema.get("enum").and_then(|values| values.as_array()).map(|values| values.iter().filter_map(|value| value.as_str()).collect());
            if allowed.is_none_or(|allowed| allowed != property.means.keys().map(String::as_str).collect()) {
                faults.add(&key, "`means` must name exactly the values of `schema.enum`");
            }
            let keys: BTreeSet<Vec<&String>> = property.means.values().map(|meaning| meaning.keys().collect()).collect();
            if keys.len() > 1 {
                faults.add(&key, "each value must mean the same keys");
            }
        }
    }
}

fn operations(faults: &mut Faults<'_>) {
    let manifest = faults.manifest;
    let known = capability::operations(manifest.connector);
    for facts in &manifest.operation {
        let key = format!("operation.{}", facts.name);
        if !known.iter().any(|operation| operation.name == facts.name) {
            faults.add(&key, "the connector has no such operation");
        }
        for filter in &facts.filters {
            if let Some(bad) = filter.operators.iter().find(|word| !capability::OPERATORS.contains(&word.as_str())) {
                faults.add(&key, format!("`{bad}` is no operator; known are {}", capability::OPERATORS.join(", ")));
            }
        }
    }
}

fn sunsets(faults: &mut Faults<'_>) {
    let manifest = faults.manifest;
    for (at, sunset) in manifest.sunset.iter().enumerate() {
        if sunset.from().is_none() {
            faults.add(format!("sunset.{at}.date"), format!("`{}` is no day such as 2027-01-31 and no month such as 2027-01", sunset.date));
        }
        let known = sunset.what == super::Sunset::VERSION
            || sunset.what.strip_prefix("api.").is_some_and(|name| !name.is_empty())
            || manifest.facts().iter().any(|fact| fact.path == sunset.what || fact.path.strip_prefix(&sunset.what).is_some_and(|rest| rest.starts_with('.')));
        if !known {
            faults.add(
                format!("sunset.{at}.what"),
                format!("`{}` is no fact of this manifest; write `version`, the dotted name of a fact, or `api.NAME` for a part of the API", sunset.what),
            );
        }
    }
}

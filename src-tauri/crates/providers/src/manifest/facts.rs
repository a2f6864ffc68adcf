//! What a manifest claims, and who says so.

use serde_json::Value;

use super::answer::Answer;
use super::revoke::Preflight;
use super::server::{Callback, Scopes};
use super::{Manifest, Source};

/// Something that a manifest claims of a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// Its dotted name, such as `server.main.pkce`.
    pub path: String,
    /// Who says so; none: nobody, which a manifest of the catalog must not do.
    pub source: Option<Source>,
}

/// What stands in a manifest for people, or as a choice of ours, rather than as a claim.
const WORDS: &[&str] = &["title", "description", "labels", "type", "kind", "config", "extra", "register", "app", "words", "keep_alive", "probe_days", "self_hosted"];

impl Manifest {
    /// Every fact, with its source: that of the longest dotted name with which the fact's begins. What is so by a standard and is not
    /// written here is no fact of the provider.
    pub fn facts(&self) -> Vec<Fact> {
        let mut paths = Vec::new();
        let whole = serde_json::to_value(self).unwrap_or_default();
        for part in ["server", "probe", "limits", "api_error", "bases"] {
            if let Some(value) = whole.get(part) {
                walk(part, value, &mut paths);
            }
        }
        if let Some(value) = whole.get("base").filter(|value| !matches!(value, Value::String(_)) && value.get("config").is_none()) {
            walk("base", value, &mut paths);
        }
        for (option, value) in self.credential.iter().zip(whole.get("credential").and_then(Value::as_array).into_iter().flatten()) {
            walk(&format!("credential.{}", option.word), value, &mut paths);
        }
        for rule in &self.error {
            let named = rule.code.clone().or_else(|| rule.status.map(|status| status.to_string())).or_else(|| rule.contains.clone()).unwrap_or_default();
            paths.push(format!("error.{}.{}", at_word(rule.at), named.replace([' ', '.'], "_")));
        }
        paths.into_iter().map(|path| Fact { source: self.source_of(&path).cloned(), path }).collect()
    }

    /// The source of a fact.
    pub fn source_of(&self, path: &str) -> Option<&Source> {
        let begins = |name: &str| path == name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        self.sources.iter().filter(|(name, _)| begins(name)).max_by_key(|(name, _)| name.len()).map(|(_, source)| source)
    }

    /// How many facts nobody stands behind.
    pub fn unverified(&self) -> usize {
        self.facts().iter().filter(|fact| !fact.source.as_ref().is_some_and(Source::is_verified)).count()
    }
}

const fn at_word(at: super::At) -> &'static str {
    match at {
        super::At::Authorize => "authorize",
        super::At::Page => "page",
        super::At::Callback => "callback",
        super::At::Token => "token",
        super::At::Api => "api",
    }
}

/// Names each leaf. A list is one leaf: what it lacks is as much of a claim as what it has.
fn walk(path: &str, value: &Value, paths: &mut Vec<String>) {
    let Some(object) = value.as_object() else {
        paths.push(path.to_owned());
        return;
    };
    let standard = match path.rsplit('.').next().filter(|_| path.starts_with("server.") && path.split('.').count() == 3) {
        Some("answer") => serde_json::to_value(Answer::default()).ok(),
        Some("scopes") => serde_json::to_value(Scopes::default()).ok(),
        Some("callback") => serde_json::to_value(Callback::default()).ok(),
        Some("preflight") => serde_json::to_value(Preflight::default()).ok(),
        _ => None,
    };
    for (name, inner) in object {
        let by_standard = standard.as_ref().and_then(|standard| standard.get(name)) == Some(inner);
        // "Nobody knows" claims nothing.
        let unknown = matches!((name.as_str(), inner.as_str()), ("rotation", Some("unknown")) | ("window", Some("untested")));
        if !by_standard && !unknown && !WORDS.contains(&name.as_str()) {
            walk(&format!("{path}.{name}"), inner, paths);
        }
    }
}

//! The values of templates: what an integration's configuration, its answers and its address give. Secrets are added by whoever has them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use patchbay_model::{Code, Problem, Secret};
use serde_json::{Map, Value};

use crate::manifest::{Manifest, Slot, Template, TemplateError};

/// The values that templates can have for one integration.
#[derive(Clone, Default)]
pub struct Values {
    known: BTreeMap<Slot, String>,
    /// Those that are never shown.
    secret: BTreeMap<Slot, Secret>,
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Values").field("known", &self.known).field("secret", &self.secret.keys().collect::<Vec<_>>()).finish()
    }
}

impl Values {
    /// What a configuration, what answers brought beside tokens, and what a lookup took give.
    pub fn of(manifest: &Manifest, config: &Map<String, Value>, kept: &BTreeMap<String, String>, located: &BTreeMap<String, String>) -> Self {
        let mut values = BTreeMap::new();
        for property in manifest.config.iter().chain(manifest.credential.iter().flat_map(|way| &way.config)) {
            let text = match config.get(&property.name).or(property.fallback()) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::Bool(flag)) => flag.to_string(),
                _ => continue,
            };
            for (key, meaning) in property.means.get(&text).into_iter().flatten() {
                values.insert(Slot::Meaning(property.name.clone(), key.clone()), meaning.clone());
            }
            values.insert(Slot::Config(property.name.clone()), text);
        }
        values.extend(kept.iter().map(|(key, value)| (Slot::Kept(key.clone()), value.clone())));
        values.extend(located.iter().map(|(key, value)| (Slot::Located(key.clone()), value.clone())));
        let mut values = Self { known: values, secret: BTreeMap::new() };
        for (name, template) in &manifest.bases {
            if let Ok(address) = values.fill(template) {
                values.known.insert(Slot::Base(name.clone()), address);
            }
        }
        values
    }

    /// The value of a slot, where it is known.
    pub fn get(&self, slot: &Slot) -> Option<&str> {
        self.known.get(slot).map(String::as_str)
    }

    /// Knows one more.
    pub fn set(&mut self, slot: Slot, value: impl Into<String>) {
        self.known.insert(slot, value.into());
    }

    /// Knows one more that is filled in and never shown.
    pub fn set_secret(&mut self, slot: Slot, value: Secret) {
        self.secret.insert(slot, value);
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, slot: Slot, value: impl Into<String>) -> Self {
        self.set(slot, value);
        self
    }

    /// A template with every value in its place.
    ///
    /// # Errors
    /// When a value is missing, or is not what its filter takes.
    pub fn fill(&self, template: &Template) -> Result<String, TemplateError> {
        template.fill(|slot| self.known.get(slot).map(String::as_str).or_else(|| self.secret.get(slot).map(Secret::expose)).map(Cow::Borrowed))
    }

    /// A text of a header, a parameter or a body; none where it is nothing but a property that is not given.
    ///
    /// # Errors
    /// `invalid_config` when a value is missing, or is not what its filter takes.
    pub fn text(&self, manifest: &Manifest, template: &Template) -> Result<Option<String>, Problem> {
        match self.fill(template) {
            Ok(text) => Ok(Some(text)),
            Err(TemplateError::Missing(_)) if template.parts().len() == 1 => Ok(None),
            Err(error) => Err(unfit(manifest, &error)),
        }
    }

    /// JSON with each text in it filled.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn json(&self, manifest: &Manifest, written: &Value) -> Result<Value, Problem> {
        Ok(match written {
            Value::String(written) => {
                let template = Template::parse(written).map_err(|error| unfit(manifest, &error))?;
                self.text(manifest, &template)?.map_or(Value::Null, Value::String)
            }
            Value::Array(list) => list.iter().map(|inner| self.json(manifest, inner)).collect::<Result<_, _>>()?,
            Value::Object(members) => members.iter().map(|(name, inner)| Ok((name.clone(), self.json(manifest, inner)?))).collect::<Result<Map<_, _>, Problem>>()?.into(),
            other => other.clone(),
        })
    }

    /// Texts by name, without those that are nothing but a property that is not given.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn texts(&self, manifest: &Manifest, templates: &BTreeMap<String, Template>) -> Result<BTreeMap<String, String>, Problem> {
        let filled = templates.iter().map(|(name, template)| Ok(self.text(manifest, template)?.map(|text| (name.clone(), text))));
        filled.filter_map(Result::transpose).collect()
    }
}

pub(crate) fn unfit(manifest: &Manifest, error: &TemplateError) -> Problem {
    Problem::new(Code::InvalidConfig, format!("A request to {} cannot be made of the configuration: {error}. Correct it.", manifest.fullname))
}

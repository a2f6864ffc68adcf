//! A configuration that a provider's schema takes, for rehearsals and tests.

use serde_json::{Map, Value, json};

use super::{ConfigProperty, CredentialOption, Manifest};

/// A configuration with everything that is required: the first example of each property, else its default, else what its schema names.
pub fn sample_config(manifest: &Manifest) -> Map<String, Value> {
    manifest.config.iter().filter(|property| property.required).map(|property| (property.name.clone(), sample(property))).collect()
}

/// The same with what one way to authenticate requires beside it.
pub fn sample_config_of(manifest: &Manifest, way: &CredentialOption) -> Map<String, Value> {
    let mut config = sample_config(manifest);
    config.extend(way.config.iter().filter(|property| property.required).map(|property| (property.name.clone(), sample(property))));
    config
}

/// A value that this property takes.
pub(crate) fn sample(property: &ConfigProperty) -> Value {
    let listed = property.schema.get("enum").and_then(Value::as_array).and_then(|values| values.first());
    if let Some(value) = property.examples.first().or(property.fallback()).or(property.schema.get("const")).or(listed) {
        return value.clone();
    }
    match property.schema.get("type").and_then(Value::as_str) {
        Some("boolean") => json!(false),
        Some("integer" | "number") => property.schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ if property.schema.get("format").and_then(Value::as_str) == Some("uri") => json!("https://example.com"),
        _ => json!("example"),
    }
}

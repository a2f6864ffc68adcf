//! JSON Schema (draft 2020-12) with problems in words.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use jsonschema::{Draft, Validator};
use patchbay_model::{Code, Problem};
use serde_json::Value;

/// Checks `instance` against `schema`. Values never stand in the message, since they could be secrets.
///
/// # Errors
/// `invalid_config` with the JSON Pointer of the first fault below `pointer`, and all of them as detail.
pub(crate) fn check(schema: &Value, instance: &Value, pointer: &str) -> Result<(), Problem> {
    check_at(schema, instance, &|path| format!("{pointer}{path}"))
}

/// The same, where parts of the instance came from different places of the request: `place` gives the JSON Pointer in the
/// request for one in the instance.
///
/// # Errors
/// As of [`check`].
pub(crate) fn check_at(schema: &Value, instance: &Value, place: &dyn Fn(&str) -> String) -> Result<(), Problem> {
    let validator = validator(schema)?;
    let mut faults: Vec<(String, String)> = validator.iter_errors(instance).map(|error| fault(&error, place)).collect();
    if faults.is_empty() {
        return Ok(());
    }
    let all = faults.iter().map(|(at, what)| format!("{at} {what}")).collect::<Vec<_>>().join(" ");
    let (at, what) = faults.swap_remove(0);
    let problem = Problem::new(Code::InvalidConfig, format!("{at} {what} Correct it and send the request again.")).at_body(&at);
    Err(if faults.is_empty() { problem } else { problem.with_detail(all) })
}

/// Most schemas that are kept built: those of all providers and their versions are far fewer.
const MOST: usize = 512;

/// The schemas that were used before, by their text. Building one compiles its patterns, which takes longer than all else
/// that a create does with it.
static BUILT: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

fn validator(schema: &Value) -> Result<Arc<Validator>, Problem> {
    let text = schema.to_string();
    if let Some(built) = BUILT.lock().unwrap_or_else(PoisonError::into_inner).get(&text) {
        return Ok(Arc::clone(built));
    }
    let built = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(schema)
        .map_err(|error| Problem::internal(format!("a provider's schema is not usable: {}", error.masked())))?;
    let built = Arc::new(built);
    let mut kept = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= MOST {
        kept.clear();
    }
    kept.insert(text, Arc::clone(&built));
    Ok(built)
}

fn fault(error: &ValidationError<'_>, place: &dyn Fn(&str) -> String) -> (String, String) {
    use ValidationErrorKind as Kind;
    let mut path = error.instance_path.as_str().to_owned();
    let what = match &error.kind {
        Kind::Required { property } => {
            path = format!("{path}/{}", property.as_str().unwrap_or_default().replace('~', "~0").replace('/', "~1"));
            "is missing.".to_owned()
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            format!("must not have {}; there is no such property.", unexpected.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
        Kind::Type { kind: TypeKind::Single(json_type) } => format!("must be of type {json_type}."),
        Kind::Enum { options } => format!("must be one of {options}."),
        Kind::Constant { expected_value } => format!("must be {expected_value}."),
        Kind::MinLength { limit: 1 } => "must not be empty.".to_owned(),
        Kind::MinLength { limit } => format!("must have at least {limit} characters."),
        Kind::MaxLength { limit } => format!("must have at most {limit} characters."),
        Kind::MinItems { limit } => format!("must have at least {limit} items."),
        Kind::MaxItems { limit } => format!("must have at most {limit} items."),
        Kind::Minimum { limit } => format!("must be at least {limit}."),
        Kind::Maximum { limit } => format!("must be at most {limit}."),
        Kind::Format { format } if format == "uri" => "must be a URL, such as https://example.com.".to_owned(),
        Kind::Format { format } => format!("must have the format `{format}`."),
        Kind::Pattern { .. } if path == "/polling_interval" => "must be hours, minutes and seconds of at least 5 minutes together, such as 5m or 1h30m.".to_owned(),
        Kind::Pattern { pattern } => format!("must match `{pattern}`."),
        Kind::UniqueItems => "must not have the same item twice.".to_owned(),
        _ => "does not match the provider's schema.".to_owned(),
    };
    (place(&path), what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn faults_have_pointers_and_words_and_no_values() {
        let schema = json!({ "type": "object", "required": ["url"], "additionalProperties": false,
            "properties": { "url": { "type": "string", "format": "uri" }, "n": { "type": "integer" }, "secret": { "type": "string", "maxLength": 3 } } });
        let faults = |value: Value| check(&schema, &value, "/provider_config").unwrap_err();
        let missing = faults(json!({}));
        assert_eq!(missing.context.parameter.unwrap().id, "/provider_config/url");
        assert!(missing.message.starts_with("/provider_config/url is missing."), "{}", missing.message);
        assert!(faults(json!({ "url": "not a url" })).message.contains("must be a URL"));
        assert!(faults(json!({ "url": "https://x", "n": "1" })).message.contains("must be of type integer"));
        assert!(faults(json!({ "url": "https://x", "more": 1 })).message.contains("`more`"));
        let secret = faults(json!({ "url": "https://x", "secret": "PLANTED" }));
        assert!(!format!("{secret:?}").contains("PLANTED"), "{secret:?}");
        assert!(check(&schema, &json!({ "url": "https://x" }), "").is_ok());
    }
}

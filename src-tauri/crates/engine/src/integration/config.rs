//! `provider_config` as it comes on the wire, taken apart: settings, and the credential inline or by reference.

use patchbay_model::credential::CredentialKind;
use patchbay_model::{Code, Problem};
use patchbay_providers::{Catalog, Provider};
use serde_json::{Map, Value};

use crate::credential::config::{SecretParts, split};
use crate::schema;

/// What a configuration says of its credential.
pub(crate) enum CredentialInput {
    /// The provider needs none.
    None,
    /// Fields, secrets among them, to be sealed.
    Inline {
        /// `type` as given.
        word: String,
        /// The kind to store.
        kind: CredentialKind,
        /// The fields, apart.
        parts: SecretParts,
    },
    /// A person will authorize it.
    Consent {
        /// `type` as given.
        word: String,
    },
    /// A credential that is stored.
    Reference {
        /// `type` as given, with `_id`.
        word: String,
        /// The kind that it must have.
        kind: CredentialKind,
        /// Id or name of the credential.
        value: String,
    },
}

/// A configuration that has passed its schema.
pub(crate) struct ParsedConfig<'a> {
    /// The provider of `type`.
    pub(crate) provider: &'a Provider,
    /// Everything but `type` and `credential`.
    pub(crate) settings: Map<String, Value>,
    /// The credential.
    pub(crate) credential: CredentialInput,
}

impl ParsedConfig<'_> {
    /// `provider_config` for the store: the settings with `type` first and a credential that is no secret.
    pub(crate) fn stored(&self, credential: Option<Value>) -> Value {
        let mut config = Map::new();
        config.insert("type".to_owned(), self.provider.id().as_str().into());
        if let Some(credential) = credential {
            config.insert("credential".to_owned(), credential);
        }
        config.extend(self.settings.clone());
        Value::Object(config)
    }
}

/// A reference as it stands in a stored configuration.
pub(crate) fn reference(word: &str, value: impl std::fmt::Display) -> Value {
    serde_json::json!({ "type": format!("{}_id", word.strip_suffix("_id").unwrap_or(word)), "value": value.to_string() })
}

/// Reads and checks a configuration. `pinned` is the schema of the settings that the integration pins; the provider's
/// newest where none is given.
///
/// # Errors
/// `invalid_config` with a pointer into `/provider_config`.
pub(crate) fn parse<'a>(catalog: &'a Catalog, config: Value, pinned: Option<&Value>) -> Result<ParsedConfig<'a>, Problem> {
    let Value::Object(mut settings) = config else {
        return Err(invalid("/provider_config", "must be an object with `type`."));
    };
    let word = match settings.remove("type") {
        Some(Value::String(word)) => word,
        Some(_) => return Err(invalid("/provider_config/type", "must be the id of a provider, as text.")),
        None => return Err(invalid("/provider_config/type", "is missing; it must be the id of a provider.")),
    };
    let provider = catalog.find(&word).ok_or_else(|| {
        invalid(
            "/provider_config/type",
            &format!("`{}` is not a provider that this Patchbay knows. Take one from GET /v1/capabilities/providers.", word.chars().take(80).collect::<String>()),
        )
    })?;
    let credential = settings.remove("credential");
    let settings = Value::Object(settings);
    match pinned {
        Some(schema) => schema::check(schema, &settings, "/provider_config")?,
        None => schema::check(&provider.settings_schema(), &settings, "/provider_config")?,
    }
    let Value::Object(settings) = settings else {
        return Err(invalid("/provider_config", "must be an object."));
    };
    let credential = parse_credential(provider, credential)?;
    Ok(ParsedConfig { provider, settings, credential })
}

fn parse_credential(provider: &Provider, credential: Option<Value>) -> Result<CredentialInput, Problem> {
    const AT: &str = "/provider_config/credential";
    let accepted = &provider.manifest().credential;
    let credential = match credential {
        None if accepted.is_empty() => return Ok(CredentialInput::None),
        None => return Err(invalid(AT, "is missing.")),
        Some(_) if accepted.is_empty() => return Err(invalid(AT, &format!("must not be given: {} needs no credential.", provider.fullname()))),
        Some(credential) => credential,
    };
    let words = || accepted.iter().map(|option| format!("`{0}`, `{0}_id`", option.word)).collect::<Vec<_>>().join(", ");
    let word = credential.get("type").and_then(Value::as_str).ok_or_else(|| invalid(&format!("{AT}/type"), &format!("is missing; it must be one of {}.", words())))?.to_owned();
    let option = provider.credential(&word).ok_or_else(|| invalid(&format!("{AT}/type"), &format!("must be one of {}.", words())))?;
    if word == format!("{}_id", option.word) {
        let value = credential.get("value").and_then(Value::as_str).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| invalid(&format!("{AT}/value"), "must be the id of a stored credential."))?.to_owned();
        if credential.as_object().is_some_and(|members| members.len() > 2) {
            return Err(invalid(AT, "has more than `type` and `value`, which is all that a reference has."));
        }
        return Ok(CredentialInput::Reference { word, kind: option.kind, value });
    }
    let schema = provider.credential_schema(&word).ok_or_else(|| Problem::internal("a credential of the catalog has no schema"))?;
    schema::check(&schema, &credential, AT)?;
    if option.kind == CredentialKind::OAuthUser {
        return Ok(CredentialInput::Consent { word });
    }
    let parts = split(option.kind, credential);
    Ok(CredentialInput::Inline { word, kind: option.kind, parts })
}

fn invalid(pointer: &str, what: &str) -> Problem {
    Problem::new(Code::InvalidConfig, format!("{pointer} {what}")).at_body(pointer)
}

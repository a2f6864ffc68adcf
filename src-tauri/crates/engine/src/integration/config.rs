//! `provider_config` as it comes on the wire, taken apart: settings, and the credential inline or by reference.

use std::sync::Arc;

use patchbay_model::credential::CredentialKind;
use patchbay_model::definition::Definition;
use patchbay_model::integration::RUNTIME_MEMBERS;
use patchbay_model::point::IntegrationPoint;
use patchbay_model::{Code, Problem};
use patchbay_providers::{Catalog, Provider};
use serde_json::{Map, Value};

use crate::credential::config::{SecretParts, split};
use crate::{governance, schema};

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
pub(crate) struct ParsedConfig {
    /// The provider of `type`.
    pub(crate) provider: Arc<Provider>,
    /// Everything but `type` and `credential`.
    pub(crate) settings: Map<String, Value>,
    /// The credential.
    pub(crate) credential: CredentialInput,
}

impl ParsedConfig {
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

/// What a configuration is held to.
pub(crate) struct Rules<'a> {
    /// The definition that the integration pins, or shall pin.
    pub(crate) definition: &'a Definition,
    /// The point that governs it.
    pub(crate) point: Option<&'a IntegrationPoint>,
    /// Whether it is new, so that it gets the point's defaults.
    pub(crate) new: bool,
}

/// The provider that a configuration names.
///
/// # Errors
/// `invalid_config` with a pointer into `/provider_config`.
pub(crate) fn provider(catalog: &Catalog, config: &Value) -> Result<Arc<Provider>, Problem> {
    let Value::Object(config) = config else {
        return Err(invalid("/provider_config", "must be an object with `type`."));
    };
    let word = match config.get("type") {
        Some(Value::String(word)) => word,
        Some(_) => return Err(invalid("/provider_config/type", "must be the id of a provider, as text.")),
        None => return Err(invalid("/provider_config/type", "is missing; it must be the id of a provider.")),
    };
    catalog.find(word).cloned().ok_or_else(|| {
        invalid(
            "/provider_config/type",
            &format!("`{}` is not a provider that this Patchbay knows. Take one from GET /v1/capabilities/providers.", word.chars().take(80).collect::<String>()),
        )
    })
}

/// Reads and checks a configuration: `config` is `provider_config` as on the wire, `runtime` the knobs that stand beside it.
/// What the point locks is filled in where it was left out.
///
/// # Errors
/// `invalid_config` with a pointer into `/provider_config` or `/x_patchbay/config`.
pub(crate) fn parse(provider: &Arc<Provider>, config: Value, runtime: Map<String, Value>, rules: &Rules<'_>) -> Result<ParsedConfig, Problem> {
    let Value::Object(mut settings) = config else {
        return Err(invalid("/provider_config", "must be an object with `type`."));
    };
    settings.remove("type");
    let credential = settings.remove("credential");
    for (from, members) in [("/provider_config", &settings), ("/x_patchbay/config", &runtime)] {
        let ours = from != "/provider_config";
        if let Some(member) = members.keys().find(|member| RUNTIME_MEMBERS.contains(&member.as_str()) != ours) {
            let shown = escaped(&member.chars().take(80).collect::<String>());
            let words = if ours { "is not known; there are webhook_url and polling_interval." } else { "does not belong here; it stands in x_patchbay.config." };
            return Err(invalid(&format!("{from}/{shown}"), words));
        }
    }
    settings.extend(runtime);
    govern(&mut settings, rules)?;
    let settings = Value::Object(settings);
    schema::check_at(&rules.definition.config_schema, &settings, &place)?;
    let Value::Object(settings) = settings else {
        return Err(invalid("/provider_config", "must be an object."));
    };
    let credential = parse_credential(provider, rules.definition, credential)?;
    Ok(ParsedConfig { provider: Arc::clone(provider), settings, credential })
}

/// Fills in what the point prescribes, and refuses what it forbids.
fn govern(settings: &mut Map<String, Value>, rules: &Rules<'_>) -> Result<(), Problem> {
    let Some(point) = rules.point else { return Ok(()) };
    for (member, value) in governance::locked(point, rules.definition) {
        match settings.get(member) {
            None => {
                settings.insert(member.to_owned(), value.clone());
            }
            Some(given) if given == value => {}
            Some(_) => {
                let at = place(&format!("/{}", escaped(member)));
                return Err(invalid(&at, &format!("is locked to {} by the integration point `{}`. Give that value, or leave it out.", governance::shown(value), point.name))
                    .with_resource("integration_point", point.id, "cause"));
            }
        }
    }
    if rules.new {
        let defaults = point.policy_of(&rules.definition.provider).into_iter().flat_map(|policy| &policy.defaults);
        for (member, value) in defaults.filter(|(member, _)| rules.definition.config_member(member).is_some()) {
            settings.entry(member.clone()).or_insert_with(|| value.clone());
        }
    }
    Ok(())
}

/// Where a member of the configuration stands in a request.
pub(crate) fn place(path: &str) -> String {
    let ours = RUNTIME_MEMBERS.iter().any(|member| path.strip_prefix('/').is_some_and(|path| path == *member));
    format!("{}{path}", if ours { "/x_patchbay/config" } else { "/provider_config" })
}

/// A member's name for a JSON Pointer (RFC 6901 section 3).
pub(crate) fn escaped(member: &str) -> String {
    member.replace('~', "~0").replace('/', "~1")
}

fn parse_credential(provider: &Provider, definition: &Definition, credential: Option<Value>) -> Result<CredentialInput, Problem> {
    const AT: &str = "/provider_config/credential";
    let accepted: Vec<&str> = definition.credentials().map(|(word, _)| word).collect();
    let credential = match credential {
        None if accepted.is_empty() => return Ok(CredentialInput::None),
        None => return Err(invalid(AT, "is missing.")),
        Some(_) if accepted.is_empty() => return Err(invalid(AT, &format!("must not be given: {} needs no credential.", provider.fullname()))),
        Some(credential) => credential,
    };
    let words = || accepted.iter().map(|word| format!("`{word}`, `{word}_id`")).collect::<Vec<_>>().join(", ");
    let word = credential.get("type").and_then(Value::as_str).ok_or_else(|| invalid(&format!("{AT}/type"), &format!("is missing; it must be one of {}.", words())))?.to_owned();
    let inline = word.strip_suffix("_id").unwrap_or(&word);
    // The pinned version says what may be used; how it is used stands in the catalog.
    let schema = definition.credentials().find(|(known, _)| *known == inline).map(|(_, schema)| schema);
    let (Some(schema), Some(option)) = (schema, provider.credential(&word)) else {
        return Err(invalid(&format!("{AT}/type"), &format!("must be one of {}.", words())));
    };
    if word != inline {
        let value = credential.get("value").and_then(Value::as_str).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| invalid(&format!("{AT}/value"), "must be the id of a stored credential."))?.to_owned();
        if credential.as_object().is_some_and(|members| members.len() > 2) {
            return Err(invalid(AT, "has more than `type` and `value`, which is all that a reference has."));
        }
        return Ok(CredentialInput::Reference { kind: option.kind, word, value });
    }
    schema::check(schema, &credential, AT)?;
    if option.kind == CredentialKind::OAuthUser {
        return Ok(CredentialInput::Consent { word });
    }
    let parts = split(option.kind, credential);
    Ok(CredentialInput::Inline { word, kind: option.kind, parts })
}

pub(crate) fn invalid(pointer: &str, what: &str) -> Problem {
    Problem::new(Code::InvalidConfig, format!("{pointer} {what}")).at_body(pointer)
}

//! JSON Schemas of a provider's configuration and credentials, made from its manifest.
//!
//! Properties stand in the order in which a form shows them.

use patchbay_model::credential::CredentialKind;
use patchbay_model::integration::RUNTIME_MEMBERS;
use serde_json::{Map, Value, json};
use url::Url;

use crate::manifest::{ConfigProperty, CredentialOption, Manifest};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Reads an http or https address without user information, query and fragment.
pub(crate) fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let good = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    good.then_some(url)
}

fn document(manifest: &Manifest, part: &str, title: String, mut schema: Map<String, Value>) -> Value {
    let mut whole = Map::new();
    whole.insert("$schema".to_owned(), DRAFT.into());
    whole.insert("$id".to_owned(), format!("urn:patchbay:schema:{}:{}:{part}", manifest.id, manifest.version).into());
    whole.insert("title".to_owned(), title.into());
    whole.append(&mut schema);
    Value::Object(whole)
}

fn object(properties: Map<String, Value>, required: Vec<String>) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema.insert("additionalProperties".to_owned(), false.into());
    schema
}

/// Properties that only some way needs. They are never required of all, and stand once where several ways need them.
fn ways_own(manifest: &Manifest) -> Vec<&ConfigProperty> {
    let mut own: Vec<&ConfigProperty> = Vec::new();
    for property in manifest.credential.iter().flat_map(|way| &way.config) {
        if !manifest.config.iter().chain(own.iter().copied()).any(|known| known.name == property.name) {
            own.push(property);
        }
    }
    own
}

fn config_properties(manifest: &Manifest) -> (Map<String, Value>, Vec<String>) {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for property in manifest.config.iter().chain(ways_own(manifest)) {
        let mut schema = Map::new();
        schema.insert("title".to_owned(), property.title.clone().into());
        schema.insert("description".to_owned(), property.description.clone().into());
        schema.extend(property.schema.clone());
        if let Some(default) = property.fallback() {
            schema.insert("default".to_owned(), default.clone());
        }
        if !property.examples.is_empty() {
            schema.insert("examples".to_owned(), property.examples.clone().into());
        }
        properties.insert(property.name.clone(), Value::Object(schema));
        if property.required && manifest.config.contains(property) {
            required.push(property.name.clone());
        }
    }
    (properties, required)
}

/// The schema of `provider_config` as a whole.
pub(crate) fn provider_config(manifest: &Manifest) -> Value {
    let (config, config_required) = config_properties(manifest);
    let mut properties = Map::new();
    properties.insert("type".to_owned(), json!({ "title": "Provider", "const": manifest.id.as_str() }));
    properties.extend(config);
    let mut required = vec!["type".to_owned()];
    required.extend(config_required);
    if !manifest.credential.is_empty() {
        let inline = manifest.credential.iter().map(credential);
        let references = manifest.credential.iter().map(reference);
        properties.insert(
            "credential".to_owned(),
            json!({
                "title": "Credential",
                "description": "How Patchbay signs in: a new credential, or one that exists.",
                "oneOf": inline.chain(references).collect::<Vec<_>>(),
            }),
        );
        required.push("credential".to_owned());
    }
    document(manifest, "provider_config", manifest.fullname.clone(), object(properties, required))
}

/// The schema of the configuration without `type` and `credential`: what is the provider's, and the knobs that every
/// integration has ([`RUNTIME_MEMBERS`]).
pub(crate) fn settings(manifest: &Manifest) -> Value {
    let (mut properties, required) = config_properties(manifest);
    properties.extend(RUNTIME_MEMBERS.iter().map(|member| ((*member).to_owned(), runtime_member(member))));
    document(manifest, "settings", format!("{} settings", manifest.fullname), object(properties, required))
}

/// Hours, minutes and seconds as in `1h30m`, of at least five minutes together: the wire's durations are Go's, and this
/// is the shortest interval that it knows (synqly-wire.md section 7, scheduled operations).
const AT_LEAST_FIVE_MINUTES: &str = "^([1-9][0-9]{0,3}h([0-9]{1,2}m)?([0-9]{1,2}s)?|([5-9]|[1-9][0-9]{1,5})m([0-9]{1,2}s)?|([3-9][0-9]{2}|[1-9][0-9]{3,7})s)$";

/// The schema of one of [`RUNTIME_MEMBERS`].
fn runtime_member(member: &str) -> Value {
    match member {
        "polling_interval" => json!({
            "title": "Polling interval",
            "description": "How often programs that poll through this integration shall ask, as hours, minutes and seconds; at least 5 minutes.",
            "type": "string",
            "pattern": AT_LEAST_FIVE_MINUTES,
            "examples": ["5m", "1h30m"],
        }),
        _ => json!({
            "title": "Webhook URL",
            "description": "Where programs that use this integration want its events. It is no secret: leave tokens out of it.",
            "type": "string",
            "format": "uri",
            "pattern": "^https?://[^\\s]+$",
            "maxLength": 2000,
            "examples": ["https://hooks.example.com/events"],
        }),
    }
}

/// The schema of the inline credentials.
pub(crate) fn credentials(manifest: &Manifest) -> Value {
    let mut schema = Map::new();
    if manifest.credential.is_empty() {
        schema.insert("type".to_owned(), "null".into());
    } else {
        schema.insert("oneOf".to_owned(), manifest.credential.iter().map(credential).collect());
    }
    document(manifest, "credentials", format!("{} credentials", manifest.fullname), schema)
}

/// The schema of one inline credential.
pub(crate) fn credential(option: &CredentialOption) -> Value {
    let mut properties = Map::new();
    properties.insert("type".to_owned(), json!({ "const": option.word }));
    let mut required = vec!["type".to_owned()];
    for field in fields(option.kind) {
        let mut schema = Map::new();
        let title = option.labels.get(field.name).map_or(field.title, String::as_str);
        schema.insert("title".to_owned(), title.into());
        schema.insert("type".to_owned(), if field.format == Some("extra") { "object" } else { "string" }.into());
        match field.format {
            Some("extra") if option.extra.is_empty() => {
                schema.insert("additionalProperties".to_owned(), json!({ "type": "string" }));
            }
            Some("extra") => {
                schema.append(&mut extra(option));
                if schema.contains_key("required") {
                    required.push(field.name.to_owned());
                }
            }
            Some(format) => {
                schema.insert("format".to_owned(), format.into());
            }
            None => {}
        }
        if field.secret {
            schema.insert("writeOnly".to_owned(), true.into());
        }
        if field.required {
            schema.insert("minLength".to_owned(), 1.into());
            required.push(field.name.to_owned());
        }
        if field.format != Some("extra") {
            schema.insert("maxLength".to_owned(), 16_384.into());
        }
        properties.insert(field.name.to_owned(), Value::Object(schema));
    }
    let mut schema = Map::new();
    schema.insert("title".to_owned(), option.title.clone().into());
    schema.insert("description".to_owned(), option.description.clone().into());
    schema.append(&mut object(properties, required));
    Value::Object(schema)
}

/// The further fields that a way declares.
fn extra(option: &CredentialOption) -> Map<String, Value> {
    let properties = option.extra.iter().map(|field| {
        (field.name.clone(), json!({ "title": field.title, "description": field.description, "type": "string", "minLength": u8::from(field.required), "maxLength": 16_384 }))
    });
    object(properties.collect(), option.extra.iter().filter(|field| field.required).map(|field| field.name.clone()).collect())
}

/// The schema of a reference to a credential of this kind.
fn reference(option: &CredentialOption) -> Value {
    let mut properties = Map::new();
    properties.insert("type".to_owned(), json!({ "const": format!("{}_id", option.word) }));
    properties.insert(
        "value".to_owned(),
        json!({ "title": "Credential", "description": format!("Id of a credential of type {}.", option.kind.as_str()), "type": "string", "minLength": 1, "maxLength": 200 }),
    );
    let mut schema = Map::new();
    schema.insert("title".to_owned(), format!("{} (existing)", option.title).into());
    schema.insert("description".to_owned(), "A credential that was stored before.".into());
    schema.append(&mut object(properties, vec!["type".to_owned(), "value".to_owned()]));
    Value::Object(schema)
}

struct Field {
    name: &'static str,
    title: &'static str,
    required: bool,
    secret: bool,
    /// JSON Schema `format`, or `extra` for a map of texts.
    format: Option<&'static str>,
}

const fn plain(name: &'static str, title: &'static str) -> Field {
    Field { name, title, required: true, secret: false, format: None }
}

const fn optional(name: &'static str, title: &'static str, format: Option<&'static str>) -> Field {
    Field { name, title, required: false, secret: false, format }
}

const fn secret(name: &'static str, title: &'static str) -> Field {
    Field { name, title, required: true, secret: true, format: Some("password") }
}

/// The fields of each kind of credential (synqly-wire.md section 7). What a person authorizes by consent has none: the
/// provider gives it.
const fn fields(kind: CredentialKind) -> &'static [Field] {
    match kind {
        CredentialKind::Aws => {
            const {
                &[
                    plain("access_key_id", "Access key id"),
                    secret("secret_access_key", "Secret access key"),
                    Field { name: "session", title: "Session token", required: false, secret: true, format: Some("password") },
                ]
            }
        }
        CredentialKind::AwsRole => {
            const { &[plain("role_arn", "Role ARN"), plain("external_id", "External id"), optional("role_session_name", "Session name", None), optional("duration", "Duration", None)] }
        }
        CredentialKind::Token => const { &[secret("secret", "Token")] },
        CredentialKind::Basic => const { &[plain("username", "User name"), secret("secret", "Password")] },
        CredentialKind::Secret => const { &[secret("secret", "Secret")] },
        CredentialKind::OAuthClient => {
            const {
                &[
                    plain("client_id", "Client id"),
                    secret("client_secret", "Client secret"),
                    optional("token_url", "Token URL", Some("uri")),
                    optional("extra", "Further parameters", Some("extra")),
                ]
            }
        }
        CredentialKind::TlsCertificate => {
            const { &[plain("certificate", "Certificate (PEM)"), secret("private_key", "Private key (PEM)"), optional("extra", "Further parameters", Some("extra"))] }
        }
        CredentialKind::OAuthUser => &[],
    }
}

//! A credential's `config` as it comes on the wire: which fields are secret, and which may be shown.

use patchbay_model::credential::CredentialKind;
use patchbay_model::{Problem, Secret};
use serde_json::{Map, Value};

/// A credential's fields, apart.
#[derive(Clone)]
pub(crate) struct SecretParts {
    /// Fields that may be shown.
    pub(crate) public: Map<String, Value>,
    /// JSON object of the secret fields; `{}` when there are none.
    pub(crate) secret: Secret,
}

/// The secret fields of a kind (synqly-wire.md section 7). Everything else that is given is public.
pub(crate) const fn secret_fields(kind: CredentialKind) -> &'static [&'static str] {
    match kind {
        CredentialKind::Aws => &["secret_access_key", "session"],
        CredentialKind::AwsRole => &[],
        CredentialKind::Token | CredentialKind::Basic | CredentialKind::Secret => &["secret"],
        // Values of `extra` can be anything, so they are kept as secret too.
        CredentialKind::OAuthClient => &["client_secret", "extra"],
        CredentialKind::TlsCertificate => &["private_key", "extra"],
        CredentialKind::OAuthUser => &["access_token", "refresh_token", "id_token", "secret"],
    }
}

/// The fields that must be there.
pub(crate) const fn required_fields(kind: CredentialKind) -> &'static [&'static str] {
    match kind {
        CredentialKind::Aws => &["access_key_id", "secret_access_key"],
        CredentialKind::AwsRole => &["role_arn", "external_id"],
        CredentialKind::Token | CredentialKind::Secret => &["secret"],
        CredentialKind::Basic => &["username", "secret"],
        CredentialKind::OAuthClient => &["client_id", "client_secret"],
        CredentialKind::TlsCertificate => &["certificate", "private_key"],
        CredentialKind::OAuthUser => &[],
    }
}

/// The fields that may be there.
const fn optional_fields(kind: CredentialKind) -> &'static [&'static str] {
    match kind {
        CredentialKind::Aws => &["session"],
        CredentialKind::AwsRole => &["role_session_name", "duration"],
        CredentialKind::OAuthClient => &["token_url", "extra"],
        CredentialKind::TlsCertificate => &["extra"],
        CredentialKind::Token | CredentialKind::Basic | CredentialKind::Secret | CredentialKind::OAuthUser => &[],
    }
}

/// Longest text of a field, as in the providers' schemas.
const LONGEST: usize = 16_384;

/// Takes a config apart that has passed its schema.
pub(crate) fn split(kind: CredentialKind, config: Value) -> SecretParts {
    let mut public = Map::new();
    let mut secret = Map::new();
    if let Value::Object(fields) = config {
        for (name, value) in fields {
            if name == "type" {
                continue;
            }
            if secret_fields(kind).contains(&name.as_str()) {
                secret.insert(name, value)
            } else {
                public.insert(name, value)
            };
        }
    }
    SecretParts { public, secret: Secret::new(Value::Object(secret).to_string()) }
}

/// Reads the config of a credential that is made on its own.
///
/// # Errors
/// `invalid_field` with a pointer into `/config`; values never stand in it.
pub(crate) fn parse(config: Value) -> Result<(CredentialKind, SecretParts), Problem> {
    let kind = kind_of(&config)?;
    let Value::Object(fields) = &config else {
        return Err(Problem::field("/config", "/config must be an object with `type`."));
    };
    for name in required_fields(kind) {
        if fields.get(*name).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(Problem::field(&format!("/config/{name}"), format!("/config/{name} is missing; a credential of type `{}` needs it.", kind.as_str())));
        }
    }
    check_fields(kind, fields)?;
    Ok((kind, split(kind, config)))
}

/// Reads a change of a config over what is stored: fields that are left out stay. Gives nothing when nothing but `type`
/// is given, since that is what every read answers.
///
/// # Errors
/// `invalid_field` with a pointer into `/config`.
pub(crate) fn parse_change(
    kind: CredentialKind,
    config: Value,
    public: &Map<String, Value>,
    secret: impl FnOnce() -> Result<Secret, Problem>,
) -> Result<Option<SecretParts>, Problem> {
    if kind_of(&config)? != kind {
        return Err(Problem::field("/config/type", format!("/config/type must stay `{}`. Make another credential for another type.", kind.as_str())));
    }
    let Value::Object(fields) = config else { return Ok(None) };
    if fields.keys().all(|name| name == "type") {
        return Ok(None);
    }
    check_fields(kind, &fields)?;
    let mut merged = public.clone();
    let sealed: Value = serde_json::from_str(secret()?.expose()).unwrap_or_default();
    if let Value::Object(sealed) = sealed {
        merged.extend(sealed);
    }
    merged.extend(fields);
    merged.insert("type".to_owned(), kind.as_str().into());
    parse(Value::Object(merged)).map(|(_, parts)| Some(parts))
}

fn kind_of(config: &Value) -> Result<CredentialKind, Problem> {
    let word = config.get("type").and_then(Value::as_str).unwrap_or_default();
    match CredentialKind::from_word(word) {
        Some(CredentialKind::OAuthUser) => {
            Err(Problem::field("/config/type", "A credential of type `o_auth_user` comes from consent and cannot be entered. Connect the integration instead."))
        }
        Some(kind) => Ok(kind),
        None => Err(Problem::field("/config/type", "/config/type must be one of `token`, `basic`, `secret`, `o_auth_client`, `aws`, `aws_role`, `tls_certificate`.")),
    }
}

fn check_fields(kind: CredentialKind, fields: &Map<String, Value>) -> Result<(), Problem> {
    for (name, value) in fields {
        let at = format!("/config/{name}");
        let known = name == "type" || required_fields(kind).contains(&name.as_str()) || optional_fields(kind).contains(&name.as_str());
        if !known {
            return Err(Problem::field("/config", format!("/config has a field that a credential of type `{}` does not have. Remove it.", kind.as_str())));
        }
        let good = match (name.as_str(), value) {
            ("extra", Value::Object(extra)) => extra.values().all(|value| value.as_str().is_some_and(|text| text.len() <= LONGEST)),
            ("extra", _) => false,
            (_, Value::String(text)) => text.len() <= LONGEST && !text.contains('\0'),
            _ => false,
        };
        if !good {
            return Err(Problem::field(&at, format!("{at} must be text of at most {LONGEST} bytes.")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_and_the_rest_part() {
        let (kind, parts) = parse(json!({ "type": "basic", "username": "u", "secret": "s" })).unwrap();
        assert_eq!((kind, parts.public, parts.secret.expose()), (CredentialKind::Basic, json!({ "username": "u" }).as_object().unwrap().clone(), r#"{"secret":"s"}"#));
    }

    #[test]
    fn wrong_configs_are_refused_without_their_values() {
        for bad in [
            json!({}),
            json!([]),
            json!({ "type": "basic" }),
            json!({ "type": "basic", "username": "u", "secret": "" }),
            json!({ "type": "nothing" }),
            json!({ "type": "o_auth_user" }),
            json!({ "type": "token", "secret": 5 }),
            json!({ "type": "token", "secret": "s", "more": "PLANTED" }),
        ] {
            let problem = parse(bad.clone()).err().unwrap();
            assert!(!problem.message.contains("PLANTED"), "{}", problem.message);
            assert!(problem.context.parameter.unwrap().id.starts_with("/config"), "{bad}");
        }
    }

    #[test]
    fn a_change_keeps_what_is_left_out() {
        let public = json!({ "username": "u" }).as_object().unwrap().clone();
        let sealed = || Ok(Secret::new(r#"{"secret":"old"}"#));
        assert!(parse_change(CredentialKind::Basic, json!({ "type": "basic" }), &public, sealed).unwrap().is_none());
        let parts = parse_change(CredentialKind::Basic, json!({ "type": "basic", "username": "v" }), &public, sealed).unwrap().unwrap();
        assert_eq!((parts.public["username"].as_str(), parts.secret.expose()), (Some("v"), r#"{"secret":"old"}"#));
        assert!(parse_change(CredentialKind::Basic, json!({ "type": "token", "secret": "x" }), &public, sealed).is_err());
    }
}

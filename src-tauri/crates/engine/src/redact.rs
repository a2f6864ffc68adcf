//! Takes secrets out of what the audit log keeps.

use serde_json::{Map, Value};

/// What stands where a secret was.
const MASK: &str = "[redacted]";
/// Longest text that is kept.
const TEXT: usize = 500;
/// Longest list that is kept.
const ITEMS: usize = 50;
/// Deepest nesting that is kept.
const DEPTH: usize = 12;
/// Longest body that is kept, in bytes of JSON.
const BODY: usize = 8 * 1024;

/// Words that name secrets; a key that holds one of them is masked.
const SECRET_KEYS: &[&str] =
    &["secret", "password", "passphrase", "private_key", "api_key", "apikey", "authorization", "cookie", "session", "integrator_key", "code_verifier", "callback_url", "setup"];
/// Keys that hold such a word and are no secrets.
const PLAIN_KEYS: &[&str] = &["minimum_password_length", "password_duration", "secret_set_at", "connect_session_id"];

/// Fields of a credential that may be kept; whatever else stands in one may be a secret in the wrong place.
const CREDENTIAL_FIELDS: &[&str] = &["type", "username", "client_id", "token_url", "role_arn", "external_id", "role_session_name", "duration", "access_key_id", "certificate"];

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    if PLAIN_KEYS.contains(&key.as_str()) {
        return false;
    }
    // `token` alone, `access_token`, `refresh_token`; but not `token_ttl` and `refresh_token_id`.
    SECRET_KEYS.iter().any(|word| key.contains(word)) || key == "token" || key == "credential" || key.ends_with("_token")
}

/// A credential where an object of its own is expected: inline in a provider's configuration, or the `config` of one.
fn holds_credential(key: &str, value: &Value) -> bool {
    key == "credential" || (key == "config" && value.get("type").is_some())
}

/// A credential keeps what is known to be no secret, and a reference to another credential.
fn walk_credential(credential: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    let reference = credential.get("type").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("_id"));
    let kept = |key: &str| CREDENTIAL_FIELDS.contains(&key) || (reference && key == "value");
    credential.iter().map(|(key, value)| (key.clone(), if kept(key) { walk(value, depth + 1) } else { Value::String(MASK.to_owned()) })).collect()
}

/// A body without secrets and within bounds. Keys that name secrets are masked whatever they hold, a JSON Patch by the
/// path of each of its operations, and so is every text that has the shape of a token of ours.
pub(crate) fn redacted(body: &Value) -> Value {
    let clean = walk(body, 0);
    if clean.to_string().len() > BODY { Value::String("[longer than the log keeps]".to_owned()) } else { clean }
}

fn walk(value: &Value, depth: usize) -> Value {
    if depth > DEPTH {
        return Value::String("[deeper than the log keeps]".to_owned());
    }
    match value {
        Value::Object(object) => Value::Object(walk_object(object, depth)),
        Value::Array(items) => {
            let mut kept: Vec<Value> = items.iter().take(ITEMS).map(|item| walk(item, depth + 1)).collect();
            if items.len() > ITEMS {
                kept.push(Value::String(format!("[{} more]", items.len() - ITEMS)));
            }
            Value::Array(kept)
        }
        Value::String(text) => Value::String(clean_text(text)),
        other => other.clone(),
    }
}

fn walk_object(object: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    // One operation of RFC 6902: its value belongs to the last segment of its path, or to one above it that names a secret
    // (`/secret/value`). A whole `config` or `credential` that is put in at once is walked by its own keys.
    let path = object.get("op").and(object.get("path")).and_then(Value::as_str);
    let patched = path.and_then(|path| path.split('/').find(|segment| is_secret(segment)).or_else(|| path.rsplit('/').next()));
    object
        .iter()
        .map(|(key, value)| {
            let named = if key == "value" { patched.unwrap_or(key) } else { key.as_str() };
            let kept = match value {
                // The secret of a webhook: `{value, expires?}`.
                Value::Object(secret) if named == "secret" => Value::Object(secret.keys().map(|key| (key.clone(), Value::String(MASK.to_owned()))).collect()),
                Value::Object(credential) if holds_credential(named, value) => Value::Object(walk_credential(credential, depth + 1)),
                value if is_secret(named) && (holds_text(value) || patched.is_some()) => Value::String(MASK.to_owned()),
                value => walk(value, depth + 1),
            };
            (key.clone(), kept)
        })
        .collect()
}

/// Objects under a secret's name are walked, not masked: their own keys decide (`token: {permission_set}`).
fn holds_text(value: &Value) -> bool {
    !matches!(value, Value::Object(_) | Value::Null | Value::Bool(_))
}

fn clean_text(text: &str) -> String {
    let cut: String = text.chars().take(TEXT).collect();
    if patchbay_model::token::SecretKind::is_in(&cut) {
        return MASK.to_owned();
    }
    if text.len() > cut.len() { format!("{cut}…") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let body = json!({
            "name": "a", "token_ttl": "1h", "refresh_token_id": "x",
            "token": { "permission_set": "connect-ui" },
            "provider_config": { "url": "https://x", "credential": { "type": "basic", "username": "u", "secret": "PLANTED" } },
            "options": { "minimum_password_length": 12 },
            "list": [{ "access_token": "PLANTED" }],
            "note": format!("pbo_{}", "a".repeat(49)),
        });
        let clean = redacted(&body);
        assert!(!clean.to_string().contains("PLANTED") && !clean.to_string().contains("pbo_"), "{clean}");
        assert_eq!(clean["provider_config"]["credential"]["username"], "u");
        assert_eq!(clean["token"]["permission_set"], "connect-ui");
        assert_eq!(clean["options"]["minimum_password_length"], 12);
        assert_eq!(clean["refresh_token_id"], "x");
    }

    #[test]
    fn secrets_in_the_wrong_place_of_a_credential_go_too() {
        for credential in [
            json!("PLANTED"),
            json!(["PLANTED"]),
            json!({ "type": "token", "key": "PLANTED" }),
            json!({ "type": "token", "value": "PLANTED" }),
            json!({ "type": "basic", "username": "u", "extra": { "x": "PLANTED" } }),
        ] {
            for body in
                [json!({ "provider_config": { "type": "x", "credential": credential } }), json!([{ "op": "add", "path": "/provider_config/credential", "value": credential }])]
            {
                let clean = redacted(&body);
                assert!(!clean.to_string().contains("PLANTED"), "{clean}");
            }
        }
        let clean = redacted(&json!({ "credential": { "type": "token_id", "value": "an-id" }, "config": { "type": "token", "note": "PLANTED" } }));
        assert_eq!(clean["credential"]["value"], "an-id");
        assert!(!clean.to_string().contains("PLANTED"), "{clean}");
    }

    #[test]
    fn patches_are_masked_by_their_path() {
        let clean = redacted(&json!([
            { "op": "replace", "path": "/config/secret", "value": "PLANTED" },
            { "op": "replace", "path": "/provider_config/credential", "value": { "type": "token", "secret": "PLANTED" } },
            { "op": "replace", "path": "/fullname", "value": "kept" },
        ]));
        assert!(!clean.to_string().contains("PLANTED"), "{clean}");
        assert_eq!(clean[2]["value"], "kept");
    }

    #[test]
    fn the_secret_of_a_webhook_goes_however_it_is_sent() {
        for body in [
            json!({ "name": "kept", "secret": { "value": "PLANTED", "expires": "2030-01-01T00:00:00Z" } }),
            json!({ "name": "kept", "secret": { "valeu": { "x": ["PLANTED"] } } }),
            json!([{ "op": "add", "path": "/secret/value", "value": "PLANTED" }, { "op": "replace", "path": "/name", "value": "kept" }]),
            json!([{ "op": "add", "path": "/secret", "value": { "value": "PLANTED" } }, { "op": "replace", "path": "/name", "value": "kept" }]),
        ] {
            let clean = redacted(&body).to_string();
            assert!(!clean.contains("PLANTED") && clean.contains("kept"), "{clean}");
        }
    }

    #[test]
    fn what_is_long_is_cut() {
        assert!(redacted(&json!({ "a": "x".repeat(5000) })).to_string().len() < 600);
        assert!(redacted(&json!(vec!["y"; 1000])).to_string().len() < 600);
        let wide = json!((0..40).map(|i| (format!("k{i}"), "z".repeat(499))).collect::<std::collections::BTreeMap<_, _>>());
        assert!(redacted(&wide).to_string().len() < 100);
    }
}

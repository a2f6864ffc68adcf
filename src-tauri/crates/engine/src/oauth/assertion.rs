//! JWTs that we sign: in place of a client secret, or to speak for somebody (RFC 7521, RFC 7523).

use std::time::Duration;

use patchbay_model::{Code, Context, Problem, Secret};
use patchbay_providers::Values;
use patchbay_providers::manifest::credential::Assertion;
use patchbay_providers::manifest::server::Algorithm;
use patchbay_providers::manifest::{Manifest, Slot, Template};
use patchbay_vault::{JwtAlgorithm, JwtFault, JwtKey};
use serde_json::{Map, Value};

use super::client::OAuthClient;

/// `client_assertion_type` (RFC 7523 section 2.2).
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long a client assertion may be used: the time that one request takes, and clocks that differ.
const LIFE: Duration = Duration::from_secs(120);

pub(super) const fn algorithm(of: Algorithm) -> JwtAlgorithm {
    match of {
        Algorithm::RS256 => JwtAlgorithm::RS256,
        Algorithm::PS256 => JwtAlgorithm::PS256,
        Algorithm::ES256 => JwtAlgorithm::ES256,
        Algorithm::HS256 => JwtAlgorithm::HS256,
    }
}

/// What proves a client instead of a secret.
///
/// # Errors
/// `invalid_config` when the key is none.
pub(super) fn of_client(context: &Context, client: &OAuthClient, algorithm: JwtAlgorithm, audience: &str) -> Result<Secret, Problem> {
    let now = context.now();
    let claims = Map::from_iter([
        ("iss".to_owned(), Value::from(client.id.as_str())),
        ("sub".to_owned(), client.id.as_str().into()),
        ("aud".to_owned(), audience.into()),
        ("jti".to_owned(), context.new_uuid().to_string().into()),
        ("iat".to_owned(), seconds(now.unix_millis()).into()),
        ("exp".to_owned(), seconds(now.plus(LIFE).unix_millis()).into()),
    ]);
    let secret = client.secret.as_ref().ok_or_else(|| Problem::internal("a client without a key was to sign"))?;
    JwtKey::read(secret, algorithm).and_then(|key| key.sign(&claims, None)).map_err(unusable)
}

/// The JWT that a manifest describes, signed with the key in `secret`.
///
/// # Errors
/// `invalid_config` when the key is none, or a claim cannot be made of what was entered.
pub(crate) fn written(context: &Context, manifest: &Manifest, facts: &Assertion, values: &Values, secret: &Secret) -> Result<Secret, Problem> {
    let now = context.now();
    let key = JwtKey::read(secret, algorithm(facts.algorithm)).map_err(unusable)?;
    let mut values = values.clone().with(Slot::Uuid, context.new_uuid().to_string()).with(Slot::Now, seconds(now.unix_millis()).to_string());
    if let Some(fingerprint) = key.fingerprint() {
        values.set(Slot::KeyFingerprint, fingerprint);
    }
    let text = |template: &Template| values.text(manifest, template);
    let mut claims = Map::new();
    for (name, template) in [("iss", Some(&facts.issuer)), ("sub", facts.subject.as_ref()), ("aud", facts.audience.as_ref())] {
        if let Some(value) = template.map(text).transpose()?.flatten() {
            claims.insert(name.to_owned(), value.into());
        }
    }
    claims.insert("iat".to_owned(), seconds(now.minus(Duration::from_secs(facts.backdate_seconds)).unix_millis()).into());
    claims.insert("exp".to_owned(), seconds(now.plus(Duration::from_secs(facts.lifetime_seconds)).unix_millis()).into());
    for (name, value) in &facts.claims {
        claims.insert(name.clone(), filled(manifest, &values, value)?);
    }
    let key_id = facts.key_id.as_ref().map(text).transpose()?.flatten();
    key.sign(&claims, key_id.as_deref()).map_err(unusable)
}

/// A claim with each text in it filled.
fn filled(manifest: &Manifest, values: &Values, value: &Value) -> Result<Value, Problem> {
    Ok(match value {
        Value::String(text) => {
            let template = Template::parse(text).map_err(|_| Problem::internal("a claim in a manifest is no template"))?;
            values.text(manifest, &template)?.map_or(Value::Null, Value::String)
        }
        Value::Array(list) => list.iter().map(|inner| filled(manifest, values, inner)).collect::<Result<_, _>>()?,
        Value::Object(members) => members.iter().map(|(name, inner)| Ok((name.clone(), filled(manifest, values, inner)?))).collect::<Result<Map<_, _>, Problem>>()?.into(),
        other => other.clone(),
    })
}

fn seconds(millis: i64) -> i64 {
    millis.div_euclid(1000)
}

/// A key that does not do.
fn unusable(fault: JwtFault) -> Problem {
    Problem::new(Code::InvalidConfig, format!("The private key cannot be used: {fault}."))
}

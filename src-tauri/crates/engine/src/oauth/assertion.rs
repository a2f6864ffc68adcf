//! JWTs that we sign in place of a client secret (RFC 7521, RFC 7523).

use std::time::Duration;

use patchbay_model::{Code, Context, Problem, Secret};
use patchbay_providers::manifest::server::Algorithm;
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

fn seconds(millis: i64) -> i64 {
    millis.div_euclid(1000)
}

/// A key that does not do.
fn unusable(fault: JwtFault) -> Problem {
    Problem::new(Code::InvalidConfig, format!("The private key cannot be used: {fault}."))
}

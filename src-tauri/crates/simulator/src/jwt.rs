//! Tokens in JSON (RFC 7519): assertions that clients sign, and access tokens that say their own end.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use patchbay_model::{Secret, Timestamp};
use patchbay_providers::manifest::Slot;
use patchbay_providers::manifest::credential::Assertion;
use patchbay_providers::manifest::server::Algorithm;
use patchbay_vault::{JwtAlgorithm, JwtKey, unverified_claims};
use serde_json::{Map, Value, json};

use crate::capture::{Pattern, json_fits};
use crate::keys::SampleKey;
use crate::site::Site;

/// Seconds by which clocks may differ.
const SKEW: i64 = 60;

/// A token as read, with nothing proven but its times.
pub(crate) struct Read {
    token: String,
    claims: Map<String, Value>,
    algorithm: JwtAlgorithm,
}

/// Reads a token of one of these algorithms and looks at its times.
pub(crate) fn read(token: &str, algorithms: Option<&[Algorithm]>, now: Timestamp) -> Result<Read, &'static str> {
    let header = token.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
    let header: Value = header.and_then(|header| serde_json::from_slice(&header).ok()).ok_or("the assertion is no JWT")?;
    let claims = unverified_claims(token).ok_or("the assertion is no JWT")?;
    let word = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let every = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::HS256];
    let algorithm = algorithms.unwrap_or(&every).iter().map(|algorithm| ours(*algorithm)).find(|algorithm| algorithm.as_str() == word);
    let read = Read { token: token.to_owned(), claims, algorithm: algorithm.ok_or("the assertion is signed by another algorithm than the provider takes")? };
    let now = now.unix_micros() / 1_000_000;
    let time = |name: &str| read.claims.get(name).and_then(Value::as_i64);
    match (time("iat"), time("exp")) {
        (_, None) => Err("the assertion has no exp"),
        (_, Some(exp)) if exp <= now - SKEW => Err("the assertion has ended"),
        (Some(iat), _) if iat > now + SKEW => Err("the assertion is of the future"),
        _ => Ok(read),
    }
}

const fn ours(algorithm: Algorithm) -> JwtAlgorithm {
    match algorithm {
        Algorithm::RS256 => JwtAlgorithm::RS256,
        Algorithm::PS256 => JwtAlgorithm::PS256,
        Algorithm::ES256 => JwtAlgorithm::ES256,
        Algorithm::HS256 => JwtAlgorithm::HS256,
    }
}

impl Read {
    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// Whether it is for this audience.
    pub(crate) fn is_for(&self, audience: &str) -> bool {
        match self.claims.get("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(audience)),
            _ => false,
        }
    }

    /// Whether this private key, or shared secret, signed it.
    pub(crate) fn is_signed_by(&self, key: &str) -> bool {
        JwtKey::read(&Secret::new(key), self.algorithm).and_then(|key| key.public()).is_ok_and(|key| key.verify(&self.token).is_ok())
    }
}

/// Whether a token is what the manifest says that we sign, with this key.
pub(crate) fn judge(written: &Assertion, site: &Site, key: &SampleKey, token: &str, now: Timestamp) -> Result<(), &'static str> {
    let read = read(token, Some(&[written.algorithm]), now)?;
    let secret = key.text("client_secret").or(key.text("secret")).unwrap_or_default();
    let mut values = site.values.clone();
    values.extend(key.values());
    let fingerprint = JwtKey::read(&Secret::new(secret), ours(written.algorithm)).ok().and_then(|key| key.fingerprint());
    values.extend(fingerprint.map(|fingerprint| (Slot::KeyFingerprint, fingerprint)));
    let fits = |template: Option<&patchbay_providers::manifest::Template>, claim: &str| match template.and_then(|template| Pattern::of(template, &values)) {
        Some(pattern) => read.text(claim).is_some_and(|text| pattern.capture(text).is_some()),
        None => true,
    };
    if !fits(Some(&written.issuer), "iss") {
        return Err("iss of the assertion is somebody else");
    }
    if !fits(written.subject.as_ref(), "sub") {
        return Err("sub of the assertion is somebody else");
    }
    if written.audience.as_ref().and_then(|audience| crate::capture::fill(audience, &values)).is_some_and(|audience| !read.is_for(&audience)) {
        return Err("the assertion is for somebody else");
    }
    let claims = Value::Object(read.claims.clone());
    if !written.claims.iter().all(|(name, claim)| json_fits(claim, claims.get(name), &values, &mut crate::capture::Values::new())) {
        return Err("a claim of the assertion is not what it must be");
    }
    if read.is_signed_by(secret) { Ok(()) } else { Err("the signature of the assertion does not verify") }
}

/// An access token that says its own end.
pub(crate) fn issue(id: &str, issuer: &str, person: &str, now: Timestamp, seconds: u64) -> String {
    let coded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let now = now.unix_micros() / 1_000_000;
    let claims = json!({ "jti": id, "iss": issuer, "sub": person, "iat": now, "exp": now.saturating_add_unsigned(seconds) });
    format!("{}.{}.{}", coded(&json!({ "alg": "RS256", "typ": "JWT" })), coded(&claims), URL_SAFE_NO_PAD.encode(id))
}

//! Keys as people paste them: PEM in its three wrappings, or JWK.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use patchbay_model::Secret;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::der::{self, Der};
use super::{JwtAlgorithm, JwtFault};

/// The private part of a JWK (RFC 7517, RFC 7518 section 6).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    crv: Option<String>,
    k: Option<Secret>,
    x: Option<Secret>,
    y: Option<Secret>,
    n: Option<Secret>,
    e: Option<Secret>,
    d: Option<Secret>,
    p: Option<Secret>,
    q: Option<Secret>,
    dp: Option<Secret>,
    dq: Option<Secret>,
    qi: Option<Secret>,
}

/// The key in a text, and the id that it gives itself.
pub(super) fn private(text: &Secret, algorithm: JwtAlgorithm) -> Result<(EncodingKey, Option<String>), JwtFault> {
    let written = text.expose().trim();
    if written.starts_with('{') {
        // The parser's own words could quote the key.
        let jwk: Jwk = serde_json::from_str(written).map_err(|_| JwtFault::NotAKey)?;
        let key = of_jwk(&jwk, algorithm)?;
        return Ok((key, jwk.kid));
    }
    if algorithm == JwtAlgorithm::HS256 {
        return Ok((EncodingKey::from_secret(text.expose().as_bytes()), None));
    }
    // Out of a JSON file a PEM comes with its line breaks escaped.
    let pem: Cow<'_, str> = if written.contains('\n') { Cow::Borrowed(written) } else { Cow::Owned(written.replace("\\n", "\n")) };
    let pem = Zeroizing::new(pem.into_owned());
    let read = Zeroizing::new(PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| JwtFault::NotAKey)?);
    let wrong = Err(JwtFault::WrongKind(algorithm.as_str()));
    let key = match (algorithm, &*read) {
        (JwtAlgorithm::RS256 | JwtAlgorithm::PS256, PrivateKeyDer::Pkcs1(_) | PrivateKeyDer::Pkcs8(_)) => EncodingKey::from_rsa_der(read.secret_der()),
        (JwtAlgorithm::ES256, PrivateKeyDer::Pkcs8(_)) => EncodingKey::from_ec_der(read.secret_der()),
        (JwtAlgorithm::ES256, PrivateKeyDer::Sec1(key)) => EncodingKey::from_ec_der(&der::ec_pkcs8(key.secret_sec1_der())),
        _ => return wrong,
    };
    Ok((key, None))
}

fn of_jwk(jwk: &Jwk, algorithm: JwtAlgorithm) -> Result<EncodingKey, JwtFault> {
    let wrong = || JwtFault::WrongKind(algorithm.as_str());
    match (algorithm, jwk.kty.as_str(), jwk.crv.as_deref()) {
        (JwtAlgorithm::HS256, "oct", _) => Ok(EncodingKey::from_secret(&bytes(jwk.k.as_ref())?)),
        (JwtAlgorithm::ES256, "EC", Some("P-256")) => {
            let (d, point) = (bytes(jwk.d.as_ref())?, point(jwk.x.as_ref(), jwk.y.as_ref())?);
            Ok(EncodingKey::from_ec_der(&der::ec_pkcs8(&der::ec_private(&d, &point))))
        }
        (JwtAlgorithm::RS256 | JwtAlgorithm::PS256, "RSA", _) => {
            let part = |part: &Option<Secret>| bytes(part.as_ref());
            let numbers = [part(&jwk.n)?, part(&jwk.e)?, part(&jwk.d)?, part(&jwk.p)?, part(&jwk.q)?, part(&jwk.dp)?, part(&jwk.dq)?, part(&jwk.qi)?];
            Ok(EncodingKey::from_rsa_der(&der::rsa_private(&numbers)))
        }
        _ => Err(wrong()),
    }
}

fn bytes(part: Option<&Secret>) -> Result<Der, JwtFault> {
    let part = part.ok_or(JwtFault::NotAKey)?;
    URL_SAFE_NO_PAD.decode(part.expose().trim_end_matches('=')).map(Zeroizing::new).map_err(|_| JwtFault::NotAKey)
}

/// An uncompressed point (SEC 1 section 2.3.3).
fn point(x: Option<&Secret>, y: Option<&Secret>) -> Result<Der, JwtFault> {
    let (x, y) = (bytes(x)?, bytes(y)?);
    if x.len() != 32 || y.len() != 32 {
        return Err(JwtFault::NotAKey);
    }
    Ok(Zeroizing::new([&[4], x.as_slice(), y.as_slice()].concat()))
}

/// A public key out of a JWK.
pub(super) fn public(jwk: &Value, algorithm: JwtAlgorithm) -> Result<DecodingKey, JwtFault> {
    let jwk: Jwk = Jwk::deserialize(jwk).map_err(|_| JwtFault::NotAKey)?;
    match (algorithm, jwk.kty.as_str(), jwk.crv.as_deref()) {
        (JwtAlgorithm::HS256, "oct", _) => Ok(DecodingKey::from_secret(&bytes(jwk.k.as_ref())?)),
        (JwtAlgorithm::ES256, "EC", Some("P-256")) => Ok(DecodingKey::from_ec_der(&point(jwk.x.as_ref(), jwk.y.as_ref())?)),
        (JwtAlgorithm::RS256 | JwtAlgorithm::PS256, "RSA", _) => Ok(DecodingKey::from_rsa_raw_components(&bytes(jwk.n.as_ref())?, &bytes(jwk.e.as_ref())?)),
        _ => Err(JwtFault::WrongKind(algorithm.as_str())),
    }
}

/// An RSA key out of either wrapping.
pub(super) fn rsa(der: &[u8]) -> Option<RsaKeyPair> {
    RsaKeyPair::from_der(der).or_else(|_| RsaKeyPair::from_pkcs8(der)).ok()
}

/// A key on P-256.
pub(super) fn ec(der: &[u8]) -> Option<EcdsaKeyPair> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new()).ok()
}

/// `RSAPublicKey` of a private key.
pub(super) fn rsa_public(der: &[u8]) -> Option<Vec<u8>> {
    rsa(der).map(|pair| pair.public_key().as_ref().to_vec())
}

/// The point of a private key.
pub(super) fn ec_public(der: &[u8]) -> Option<Vec<u8>> {
    ec(der).map(|pair| pair.public_key().as_ref().to_vec())
}

//! JSON Web Tokens that we sign, to authenticate at an authorization server (RFC 7523) or to be what is sent.
//!
//! The library is `jsonwebtoken` with ciphers of `ring`, which the program holds already: of its own two choices one brings RSA in
//! Rust with an open advisory on timing, the other a build in C. Copies of a key that we make are cleared; those inside `ring` live
//! as long as one signature takes.

mod ciphers;
mod der;
mod key;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use patchbay_model::Secret;
use ring::digest;
use serde_json::{Map, Value};

/// How a token is signed (RFC 7518 section 3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JwtAlgorithm {
    /// RSA PKCS 1, SHA-256.
    RS256,
    /// RSA PSS, SHA-256.
    PS256,
    /// ECDSA P-256.
    ES256,
    /// HMAC SHA-256.
    HS256,
}

impl JwtAlgorithm {
    /// The word in a token's header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
            Self::HS256 => "HS256",
        }
    }

    const fn of_library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::RS256 => jsonwebtoken::Algorithm::RS256,
            Self::PS256 => jsonwebtoken::Algorithm::PS256,
            Self::ES256 => jsonwebtoken::Algorithm::ES256,
            Self::HS256 => jsonwebtoken::Algorithm::HS256,
        }
    }
}

/// What is wrong with a key or a token. Nothing of either is quoted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JwtFault {
    /// The text is no key that can be read.
    #[error("it is no private key that can be read; enter it as PEM (PKCS #1, PKCS #8 or SEC 1, without a passphrase) or as JWK")]
    NotAKey,
    /// It is a key, of another kind.
    #[error("it is no private key for {0}")]
    WrongKind(&'static str),
    /// It could not be signed with it.
    #[error("nothing can be signed with it")]
    Signing,
    /// The text is no token, or not of the algorithm that the key is for.
    #[error("it is no token signed by {0}")]
    NotAToken(&'static str),
    /// The signature is another's.
    #[error("its signature does not verify")]
    Signature,
}

/// A key that signs.
pub struct JwtKey {
    algorithm: JwtAlgorithm,
    key: EncodingKey,
    key_id: Option<String>,
}

impl JwtKey {
    /// Reads a private key: PEM or JWK, and for HMAC any other text as it is.
    ///
    /// # Errors
    /// When it is none, or not for this algorithm.
    pub fn read(text: &Secret, algorithm: JwtAlgorithm) -> Result<Self, JwtFault> {
        let (key, key_id) = key::private(text, algorithm)?;
        let read = Self { algorithm, key, key_id };
        // A key that is one by its looks is told here and not when it is first needed.
        read.public().map(|_| read)
    }

    /// `kid` of a JWK.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Signs claims. `key_id` goes into the header, else the key's own.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn sign(&self, claims: &Map<String, Value>, key_id: Option<&str>) -> Result<Secret, JwtFault> {
        ciphers::install();
        let mut header = Header::new(self.algorithm.of_library());
        header.kid = key_id.map(str::to_owned).or_else(|| self.key_id.clone());
        jsonwebtoken::encode(&header, claims, &self.key).map(Secret::new).map_err(|_| JwtFault::Signing)
    }

    /// What verifies its signatures.
    ///
    /// # Errors
    /// When the key is none.
    pub fn public(&self) -> Result<JwtVerifier, JwtFault> {
        let wrong = || JwtFault::WrongKind(self.algorithm.as_str());
        let key = match self.algorithm {
            JwtAlgorithm::HS256 => DecodingKey::from_secret(self.key.as_bytes()),
            JwtAlgorithm::RS256 | JwtAlgorithm::PS256 => DecodingKey::from_rsa_der(&key::rsa_public(self.key.as_bytes()).ok_or_else(wrong)?),
            JwtAlgorithm::ES256 => DecodingKey::from_ec_der(&key::ec_public(self.key.as_bytes()).ok_or_else(wrong)?),
        };
        Ok(JwtVerifier { algorithm: self.algorithm, key })
    }

    /// `SHA256:` and the base64 of the digest of the public key's DER, by which some providers name it; none for HMAC.
    pub fn fingerprint(&self) -> Option<String> {
        let info = match self.algorithm {
            JwtAlgorithm::HS256 => return None,
            JwtAlgorithm::RS256 | JwtAlgorithm::PS256 => der::rsa_info(&key::rsa_public(self.key.as_bytes())?),
            JwtAlgorithm::ES256 => der::ec_info(&key::ec_public(self.key.as_bytes())?),
        };
        Some(format!("SHA256:{}", STANDARD.encode(digest::digest(&digest::SHA256, &info))))
    }
}

/// A key that verifies.
pub struct JwtVerifier {
    algorithm: JwtAlgorithm,
    key: DecodingKey,
}

impl JwtVerifier {
    /// Reads a public key (RFC 7517).
    ///
    /// # Errors
    /// When it is none for this algorithm.
    pub fn of_jwk(jwk: &Value, algorithm: JwtAlgorithm) -> Result<Self, JwtFault> {
        Ok(Self { algorithm, key: key::public(jwk, algorithm)? })
    }

    /// The claims of a token with this key's signature. What they say of time, issuer and audience is for the caller to judge, by a
    /// clock of its own.
    ///
    /// # Errors
    /// When it is no token, is of another algorithm than the key, or is signed by another key.
    pub fn verify(&self, token: &str) -> Result<Map<String, Value>, JwtFault> {
        ciphers::install();
        let mut validation = Validation::new(self.algorithm.of_library());
        validation.required_spec_claims.clear();
        (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
        jsonwebtoken::decode(token, &self.key, &validation).map(|data| data.claims).map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::InvalidSignature => JwtFault::Signature,
            _ => JwtFault::NotAToken(self.algorithm.as_str()),
        })
    }
}

/// The claims of a token, read without any trust in them: nobody has verified who wrote them.
pub fn unverified_claims(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?).ok()
}

#[cfg(test)]
mod tests;

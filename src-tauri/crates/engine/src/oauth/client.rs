//! Who asks at an authorization server, and how that is proven.

use patchbay_model::Secret;
use patchbay_vault::{JwtAlgorithm, JwtKey};
use serde::Deserialize;

/// What a JWK says of its use (RFC 7517 section 4.4).
#[derive(Deserialize)]
struct Said {
    alg: Option<String>,
}

/// A client (RFC 6749 section 2).
#[derive(Clone)]
pub(crate) struct OAuthClient {
    /// RFC 6749 section 2.2.
    pub(crate) id: String,
    /// A secret, or a private key as PEM or JWK; none for a public client.
    pub(crate) secret: Option<Secret>,
}

impl OAuthClient {
    /// Whether what it has for a secret is a private key. Such a key is never sent.
    pub(super) fn has_key(&self) -> bool {
        self.secret.as_ref().is_some_and(|secret| {
            let text = secret.expose().trim_start();
            text.starts_with("-----BEGIN ") || (text.starts_with('{') && text.contains("\"kty\""))
        })
    }

    /// Whether its key is one for this algorithm: by its kind, and by what it says itself (`alg` of a JWK).
    pub(super) fn signs(&self, algorithm: JwtAlgorithm) -> bool {
        let Some(secret) = &self.secret else { return false };
        let said = serde_json::from_str::<Said>(secret.expose()).ok().and_then(|said| said.alg);
        said.is_none_or(|said| said == algorithm.as_str()) && JwtKey::read(secret, algorithm).is_ok()
    }
}

/// How a client proves itself in one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Authentication {
    /// By its id alone.
    None,
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
    /// Basic with the secret as user name.
    SecretAsUser,
    /// `private_key_jwt` (RFC 7523 section 2.2).
    PrivateKeyJwt {
        /// Signed how.
        algorithm: JwtAlgorithm,
        /// For whom.
        audience: String,
    },
}

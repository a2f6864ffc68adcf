//! The ciphers that `jsonwebtoken` uses: those of `ring`.

use ::signature::{Error, Signer, Verifier};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result, new_error};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};

use super::key;

static RING: CryptoProvider = CryptoProvider { signer_factory: signer, verifier_factory: verifier, key_utils: KeyUtils::new_unimplemented() };

/// Makes these the ciphers of this process. It can be said often.
pub(super) fn install() {
    // An error means that they are in use already: nobody else in this program installs any.
    let _ = RING.install_default();
}

/// A key with the algorithm it is used for.
struct Keyed<K> {
    algorithm: Algorithm,
    key: K,
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    fits(*algorithm, key.family())?;
    Ok(Box::new(Keyed { algorithm: *algorithm, key: key.clone() }))
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    fits(*algorithm, key.family())?;
    Ok(Box::new(Keyed { algorithm: *algorithm, key: key.clone() }))
}

fn fits(algorithm: Algorithm, family: AlgorithmFamily) -> Result<()> {
    let ours = matches!(algorithm, Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 | Algorithm::HS256);
    if ours && family.algorithms().contains(&algorithm) { Ok(()) } else { Err(new_error(ErrorKind::InvalidAlgorithm)) }
}

impl Signer<Vec<u8>> for Keyed<EncodingKey> {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        let key = self.key.as_bytes();
        let random = SystemRandom::new();
        let padding: &'static dyn signature::RsaEncoding = match self.algorithm {
            Algorithm::HS256 => return Ok(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()),
            Algorithm::ES256 => {
                let pair = key::ec(key).ok_or_else(Error::new)?;
                return pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()).map_err(|_| Error::new());
            }
            Algorithm::PS256 => &signature::RSA_PSS_SHA256,
            _ => &signature::RSA_PKCS1_SHA256,
        };
        let pair = key::rsa(key).ok_or_else(Error::new)?;
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(padding, &random, message, &mut signature).map_err(|_| Error::new())?;
        Ok(signature)
    }
}

impl JwtSigner for Keyed<EncodingKey> {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for Keyed<DecodingKey> {
    fn verify(&self, message: &[u8], given: &Vec<u8>) -> std::result::Result<(), Error> {
        let rsa: &'static signature::RsaParameters = match (self.algorithm, self.key.kind()) {
            (Algorithm::HS256, DecodingKeyKind::SecretOrDer(key)) => {
                return hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), message, given).map_err(|_| Error::new());
            }
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
                return UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, given).map_err(|_| Error::new());
            }
            (Algorithm::RS256, _) => &signature::RSA_PKCS1_2048_8192_SHA256,
            (Algorithm::PS256, _) => &signature::RSA_PSS_2048_8192_SHA256,
            _ => return Err(Error::new()),
        };
        match self.key.kind() {
            DecodingKeyKind::SecretOrDer(der) => UnparsedPublicKey::new(rsa, der).verify(message, given),
            DecodingKeyKind::RsaModulusExponent { n, e } => RsaPublicKeyComponents { n, e }.verify(rsa, message, given),
        }
        .map_err(|_| Error::new())
    }
}

impl JwtVerifier for Keyed<DecodingKey> {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

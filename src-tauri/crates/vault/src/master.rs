//! The master key, from which nothing is sealed directly: it wraps data keys and recognises itself.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use patchbay_model::{Entropy, Problem, Secret};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::aad::framed;
use crate::header::KdfParameters;

/// 32 secret bytes.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// The master key: 32 random bytes, or derived from a passphrase.
pub struct MasterKey(Key);

impl MasterKey {
    /// A new random key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut key = Key::default();
        entropy.fill(key.as_mut_slice());
        Self(key)
    }

    /// Reads base64 of exactly 32 bytes; white space around it is ignored. `None` for anything else.
    pub fn from_base64(text: &Secret) -> Option<Self> {
        let mut bytes = STANDARD.decode(text.expose().trim()).ok()?;
        let mut key = Key::default();
        let good = bytes.len() == key.len();
        if good {
            key.copy_from_slice(&bytes);
        }
        bytes.zeroize();
        good.then_some(Self(key))
    }

    /// The key as [`Self::from_base64`] reads it, for storing it in a keyring or key file.
    pub fn to_base64(&self) -> Secret {
        Secret::new(STANDARD.encode(self.0.as_slice()))
    }

    /// Derives the key from a passphrase with Argon2id (RFC 9106). Takes some tenths of a second and 64 MiB: run it off
    /// the async runtime.
    ///
    /// # Errors
    /// `store_damaged` when the parameters are out of bounds, which only a damaged or forged header has.
    pub(crate) fn from_passphrase(passphrase: &Secret, kdf: &KdfParameters) -> Result<Self, Problem> {
        let salt = kdf.checked_salt()?;
        let params = Params::new(kdf.memory_kib, kdf.iterations, kdf.lanes, Some(32)).map_err(|_| KdfParameters::damaged())?;
        let mut key = Key::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose().as_bytes(), &salt, key.as_mut_slice())
            .map_err(|_| KdfParameters::damaged())?;
        Ok(Self(key))
    }

    /// A key for one purpose. HMAC-SHA-256 is a pseudorandom function, so keys of different labels tell nothing of each
    /// other or of the master key (this is one block of HKDF-Expand, RFC 5869 section 2.3).
    pub(crate) fn derive(&self, label: &str, parts: &[&[u8]]) -> Key {
        hmac(&self.0, &framed(label, parts))
    }
}

/// HMAC-SHA-256 (RFC 2104).
pub(crate) fn hmac(key: &Key, message: &[u8]) -> Key {
    // Padded to the block with zeros, as RFC 2104 section 2 does with a short key; so there is no length to refuse.
    let mut block = Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(key.as_slice());
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

//! Keys under keys: a master key wraps the others and recognises itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use patchbay_model::{Code, Context, Entropy, Problem};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::aad::framed;
use crate::header::{Lock, WrappedKey};
use crate::master::{Key, MasterKey};
use crate::same_bytes;

/// Bytes of an XChaCha20 nonce; random ones may be used without counting.
const NONCE: usize = 24;

/// What a wrapped key is for. It is bound into the wrapping, so that a key of one kind is never taken for another's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Seals values.
    Data,
    /// Hashes tokens.
    Hash,
    /// Encrypts sealed values within PostgreSQL.
    Database,
}

impl Role {
    const fn word(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Hash => "hash",
            Self::Database => "database",
        }
    }
}

/// A key with its id.
#[derive(Clone)]
pub(crate) struct NamedKey {
    pub(crate) id: String,
    pub(crate) key: Key,
}

impl NamedKey {
    /// A new random key.
    pub(crate) fn generate(context: &Context) -> Self {
        let mut key = Key::default();
        context.entropy().fill(key.as_mut_slice());
        Self { id: context.new_uuid().to_string(), key }
    }
}

/// What is kept of a master key while a store is open: enough to wrap and unwrap keys, not enough to write the master key
/// down. With it a process takes up new data keys without asking the source again.
#[derive(Clone)]
pub(crate) struct Wrapping {
    store_id: Uuid,
    key: Key,
    check: Key,
}

impl Wrapping {
    pub(crate) fn new(master: &MasterKey, store_id: Uuid) -> Self {
        Self { store_id, key: master.derive("patchbay wrap 1", &[]), check: master.derive("patchbay check 1", &[store_id.as_bytes()]) }
    }

    /// The value by which this master key is recognised, as it stands in a header.
    pub(crate) fn check(&self) -> String {
        STANDARD.encode(self.check.as_slice())
    }

    /// Whether this master key opens the lock.
    ///
    /// # Errors
    /// `store_damaged` when the lock's check value cannot be read.
    pub(crate) fn opens(&self, lock: &Lock) -> Result<bool, Problem> {
        let check = STANDARD.decode(&lock.check).map_err(|_| damaged())?;
        Ok(same_bytes(&check, self.check.as_slice()))
    }

    pub(crate) fn wrap(&self, role: Role, named: &NamedKey, context: &Context) -> Result<WrappedKey, Problem> {
        let sealed = seal_bytes(&self.key, &self.aad(role, &named.id), named.key.as_slice(), context.entropy())?;
        Ok(WrappedKey { id: named.id.clone(), wrapped: STANDARD.encode(sealed), created_at: Some(context.now()) })
    }

    pub(crate) fn unwrap(&self, role: Role, wrapped: &WrappedKey) -> Result<NamedKey, Problem> {
        let sealed = STANDARD.decode(&wrapped.wrapped).map_err(|_| damaged())?;
        let plain = open_bytes(&self.key, &self.aad(role, &wrapped.id), &sealed).ok_or_else(damaged)?;
        let mut key = Key::default();
        if plain.len() != key.len() {
            return Err(damaged());
        }
        key.copy_from_slice(&plain);
        Ok(NamedKey { id: wrapped.id.clone(), key })
    }

    fn aad(&self, role: Role, id: &str) -> Vec<u8> {
        framed("patchbay key 1", &[self.store_id.as_bytes(), role.word().as_bytes(), id.as_bytes()])
    }
}

pub(crate) fn damaged() -> Problem {
    Problem::new(Code::StoreDamaged, "The key header of this store is damaged: a wrapped key does not open. Restore the store from a backup.")
}

/// Nonce, then ciphertext with its tag.
pub(crate) fn seal_bytes(key: &Key, aad: &[u8], plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, Problem> {
    let mut nonce = [0; NONCE];
    entropy.fill(&mut nonce);
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    let sealed = cipher.encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad }).map_err(|_| Problem::internal("a secret could not be sealed"))?;
    let mut bytes = nonce.to_vec();
    bytes.extend_from_slice(&sealed);
    Ok(bytes)
}

pub(crate) fn open_bytes(key: &Key, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    cipher.decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad }).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(Vec<u8>);
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.0[..bytes.len()]);
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    #[test]
    fn xchacha20_poly1305_known_answer() {
        let key = Key::new(hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f").try_into().unwrap());
        let nonce = hex("404142434445464748494a4b4c4d4e4f5051525354555657");
        let aad = hex("50515253c0c1c2c3c4c5c6c7");
        let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
        let expected = "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";
        let sealed = seal_bytes(&key, &aad, plain, &Fixed(nonce.clone())).unwrap();
        assert_eq!(sealed, [nonce, hex(expected)].concat(), "nonce, then ciphertext and tag of the draft");
        assert_eq!(open_bytes(&key, &aad, &sealed).unwrap().as_slice(), plain);
    }

    #[test]
    fn a_sealed_value_of_any_length_that_is_not_whole_does_not_open() {
        let key = Key::new([7; 32]);
        let sealed = seal_bytes(&key, b"a", b"secret", &Fixed(vec![1; 24])).unwrap();
        for length in 0..sealed.len() {
            assert!(open_bytes(&key, b"a", &sealed[..length]).is_none(), "{length} bytes must not open");
        }
    }
}

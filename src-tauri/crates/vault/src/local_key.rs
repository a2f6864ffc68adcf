//! A key for what one program keeps for itself on this machine, such as a cache. It protects no store: it lies in the keyring,
//! and when it is lost, so is what was kept under it.

use patchbay_model::{Entropy, Problem, Secret};
use zeroize::Zeroizing;

use crate::MasterKey;
use crate::aad::framed;
use crate::wrapping::{open_bytes, seal_bytes};

/// 32 secret bytes with which a program seals its own files.
pub struct LocalKey(MasterKey);

impl LocalKey {
    /// A new random key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(MasterKey::generate(entropy))
    }

    /// Reads base64 of exactly 32 bytes; none for anything else.
    pub fn from_base64(text: &Secret) -> Option<Self> {
        MasterKey::from_base64(text).map(Self)
    }

    /// The key as [`Self::from_base64`] reads it.
    pub fn to_base64(&self) -> Secret {
        self.0.to_base64()
    }

    /// Seals bytes for one place; they open for no other place and under no other key.
    ///
    /// # Errors
    /// `internal` when the cipher fails, which takes 256 GiB.
    pub fn seal(&self, place: &[&[u8]], plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, Problem> {
        seal_bytes(&self.0.derive("patchbay local seal 1", &[]), &framed("patchbay local 1", place), plain, entropy)
    }

    /// Opens what was sealed for this place; none when it was changed, moved, or sealed under another key.
    pub fn open(&self, place: &[&[u8]], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        open_bytes(&self.0.derive("patchbay local seal 1", &[]), &framed("patchbay local 1", place), sealed)
    }

    /// A name that tells nothing of what it names to those who lack the key.
    pub fn name(&self, parts: &[&[u8]]) -> [u8; 32] {
        *self.0.derive("patchbay local name 1", parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;

    #[test]
    fn what_is_sealed_opens_at_its_place_under_its_key_alone() {
        let key = LocalKey::generate(&OsEntropy);
        let sealed = key.seal(&[b"a", b"bc"], b"plain", &OsEntropy).unwrap();
        assert!(!sealed.windows(5).any(|window| window == b"plain"));
        let again = LocalKey::from_base64(&key.to_base64()).unwrap();
        assert_eq!(again.open(&[b"a", b"bc"], &sealed).unwrap().as_slice(), b"plain");
        assert_eq!(again.name(&[b"x"]), key.name(&[b"x"]));
        assert!(key.open(&[b"ab", b"c"], &sealed).is_none(), "parts do not run into each other");
        assert!(LocalKey::generate(&OsEntropy).open(&[b"a", b"bc"], &sealed).is_none());
        let mut changed = sealed.clone();
        changed[30] ^= 1;
        assert!(key.open(&[b"a", b"bc"], &changed).is_none());
        assert_ne!(key.name(&[b"x"]), key.name(&[b"y"]));
    }
}

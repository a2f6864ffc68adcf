//! The unlocked keys of one store.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use patchbay_model::credential::Envelope;
use patchbay_model::{Code, Context, Entropy, Problem, Secret};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::aad::{Aad, framed};
use crate::header::{KdfParameters, KeyHeader, WrappedKey};
use crate::master::{Key, MasterKey, hmac};
use crate::token::ParsedToken;
use crate::{SourceKind, same_bytes};

/// Bytes of an XChaCha20 nonce; random ones may be used without counting.
const NONCE: usize = 24;

/// A data key with its id.
struct DataKey {
    id: String,
    key: Key,
}

/// The unlocked keys of one store: seals and opens secrets, hashes tokens. Cheap calls, no I/O; share it in an `Arc`.
pub struct Vault {
    store_id: Uuid,
    active: usize,
    data_keys: Vec<DataKey>,
    hash_key: Key,
}

impl Vault {
    /// Makes the keys of a new store under a master key. The header is to be kept in the store.
    /// [`crate::KeyAccess::create_vault`] does this together with getting the master key.
    ///
    /// # Errors
    /// `internal` when a cipher fails, which cannot be brought about.
    pub fn create(master: &MasterKey, store_id: Uuid, made_with: SourceKind, kdf: Option<KdfParameters>, context: &Context) -> Result<(Self, KeyHeader), Problem> {
        let entropy = context.entropy();
        let data_key = DataKey { id: context.new_uuid().to_string(), key: random_key(entropy) };
        let hash_key = random_key(entropy);
        let hash_key_id = context.new_uuid().to_string();
        let header = KeyHeader {
            version: 1,
            store_id,
            made_with,
            kdf,
            check: STANDARD.encode(check_value(master, store_id).as_slice()),
            active: data_key.id.clone(),
            data_keys: vec![wrap(master, store_id, "data", &data_key.id, &data_key.key, entropy)?],
            hash_key: wrap(master, store_id, "hash", &hash_key_id, &hash_key, entropy)?,
        };
        Ok((Self { store_id, active: 0, data_keys: vec![data_key], hash_key }, header))
    }

    /// Unlocks the keys of a store. Writes nothing.
    ///
    /// # Errors
    /// `wrong_key` when the master key is another store's, `store_newer` when the header's format is unknown,
    /// `store_damaged` when a wrapped key does not open under the right master key.
    pub fn unlock(master: &MasterKey, header: &KeyHeader) -> Result<Self, Problem> {
        if header.version != 1 {
            return Err(Problem::new(
                Code::StoreNewer,
                format!("The keys of this store are of format {}, which this Patchbay does not know. Use the newer Patchbay that wrote it.", header.version),
            ));
        }
        let damaged = || Problem::new(Code::StoreDamaged, "The key header of this store is damaged: a wrapped key does not open. Restore the store from a backup.");
        let check = STANDARD.decode(&header.check).map_err(|_| damaged())?;
        if !same_bytes(&check, check_value(master, header.store_id).as_slice()) {
            return Err(Problem::new(
                Code::WrongKey,
                format!(
                    "This key does not belong to this store, so nothing was opened or changed. Use the key that the store was made with (it came from: {}).",
                    header.made_with.words()
                ),
            ));
        }
        let data_keys = header
            .data_keys
            .iter()
            .map(|wrapped| Ok(DataKey { id: wrapped.id.clone(), key: unwrap(master, header.store_id, "data", wrapped).ok_or_else(damaged)? }))
            .collect::<Result<Vec<_>, Problem>>()?;
        let active = data_keys.iter().position(|key| key.id == header.active).ok_or_else(damaged)?;
        let hash_key = unwrap(master, header.store_id, "hash", &header.hash_key).ok_or_else(damaged)?;
        Ok(Self { store_id: header.store_id, active, data_keys, hash_key })
    }

    /// The store whose keys these are.
    pub fn store_id(&self) -> Uuid {
        self.store_id
    }

    /// Seals a secret for one place.
    ///
    /// # Errors
    /// `internal` when the cipher fails, which takes a secret of 256 GiB.
    pub fn seal(&self, aad: &Aad<'_>, plain: &Secret, entropy: &dyn Entropy) -> Result<Envelope, Problem> {
        let DataKey { id, key } = self.data_keys.get(self.active).ok_or_else(|| Problem::internal("the active data key is missing"))?;
        let sealed = seal_bytes(key, &aad.bytes(id), plain.expose().as_bytes(), entropy)?;
        Ok(Envelope { v: 1, key_id: id.clone(), ct: STANDARD.encode(sealed) })
    }

    /// Opens a secret at the place for which it was sealed.
    ///
    /// # Errors
    /// `seal_broken` when it was sealed for another place, is damaged, or is sealed under a key that this store lost.
    pub fn open(&self, aad: &Aad<'_>, envelope: &Envelope) -> Result<Secret, Problem> {
        let broken = |why: &str| Problem::new(Code::SealBroken, format!("A stored secret does not open: {why}. Enter the secret again, or restore the store from a backup."));
        if envelope.v != 1 {
            return Err(broken("it is sealed in a format that this Patchbay does not know"));
        }
        let Some(DataKey { id, key }) = self.data_keys.iter().find(|key| key.id == envelope.key_id) else {
            return Err(broken("it is sealed under a key that is not in this store"));
        };
        STANDARD
            .decode(&envelope.ct)
            .ok()
            .and_then(|sealed| open_bytes(key, &aad.bytes(id), &sealed))
            .and_then(|mut plain| Secret::from_utf8(std::mem::take(&mut *plain)))
            .ok_or_else(|| broken("it was changed or moved from another row"))
    }

    /// The hash under which a token secret is stored and looked up: HMAC-SHA-256 under a key of this store. The secret
    /// has 256 bits, so it needs no slow hash; the key keeps a stolen database from being compared with leaked tokens.
    pub fn token_hash(&self, token: &ParsedToken) -> [u8; 32] {
        self.keyed_hash("token", token.secret().expose().as_bytes())
    }

    /// A keyed hash of any other handle that is looked up and need not be read back, such as the `state` of a consent.
    /// Different purposes give unrelated hashes.
    pub fn keyed_hash(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        *hmac(&self.hash_key, &framed("patchbay hash 1", &[purpose.as_bytes(), value]))
    }
}

fn random_key(entropy: &dyn Entropy) -> Key {
    let mut key = Key::default();
    entropy.fill(key.as_mut_slice());
    key
}

fn check_value(master: &MasterKey, store_id: Uuid) -> Key {
    master.derive("patchbay check 1", &[store_id.as_bytes()])
}

fn wrap(master: &MasterKey, store_id: Uuid, role: &str, id: &str, key: &Key, entropy: &dyn Entropy) -> Result<WrappedKey, Problem> {
    let aad = framed("patchbay key 1", &[store_id.as_bytes(), role.as_bytes(), id.as_bytes()]);
    let sealed = seal_bytes(&master.derive("patchbay wrap 1", &[]), &aad, key.as_slice(), entropy)?;
    Ok(WrappedKey { id: id.to_owned(), wrapped: STANDARD.encode(sealed) })
}

fn unwrap(master: &MasterKey, store_id: Uuid, role: &str, wrapped: &WrappedKey) -> Option<Key> {
    let aad = framed("patchbay key 1", &[store_id.as_bytes(), role.as_bytes(), wrapped.id.as_bytes()]);
    let sealed = STANDARD.decode(&wrapped.wrapped).ok()?;
    let plain = open_bytes(&master.derive("patchbay wrap 1", &[]), &aad, &sealed)?;
    let mut key = Key::default();
    if plain.len() != key.len() {
        return None;
    }
    key.copy_from_slice(&plain);
    Some(key)
}

/// Nonce, then ciphertext with its tag.
fn seal_bytes(key: &Key, aad: &[u8], plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, Problem> {
    let mut nonce = [0; NONCE];
    entropy.fill(&mut nonce);
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    let sealed = cipher.encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad }).map_err(|_| Problem::internal("a secret could not be sealed"))?;
    let mut bytes = nonce.to_vec();
    bytes.extend_from_slice(&sealed);
    Ok(bytes)
}

fn open_bytes(key: &Key, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
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

    /// RFC 4231, test case 1, and test case 2 with its four-byte key.
    #[test]
    fn hmac_sha256_known_answers() {
        let mut key = Key::default();
        key[..20].fill(0x0b);
        assert_eq!(hmac(&key, b"Hi There").to_vec(), hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
        let mut key = Key::default();
        key[..4].copy_from_slice(b"Jefe");
        assert_eq!(hmac(&key, b"what do ya want for nothing?").to_vec(), hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
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

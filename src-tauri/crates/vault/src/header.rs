//! The public part of a store's keys, kept in the store's header row.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchbay_model::{Code, Problem};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::SourceKind;

/// What a store keeps of its keys. Nothing in it is secret; without the master key it opens nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyHeader {
    /// Version of this format; 1.
    pub version: u32,
    /// The store's id: user name of its keyring entry, and bound into every wrapped key.
    pub store_id: Uuid,
    /// The kind of source that the master key came from when the store was made. A hint for people, not a rule: a key may
    /// be moved from a keyring to a file.
    pub made_with: SourceKind,
    /// How the master key is derived, if from a passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kdf: Option<KdfParameters>,
    /// Base64 of the value by which the right master key is recognised.
    pub check: String,
    /// Id of the data key under which new values are sealed.
    pub active: String,
    /// The data keys, each wrapped under the master key.
    pub data_keys: Vec<WrappedKey>,
    /// The key of token hashes, wrapped under the master key.
    pub hash_key: WrappedKey,
}

/// A key wrapped under the master key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WrappedKey {
    /// Its id.
    pub id: String,
    /// Base64 of nonce and ciphertext.
    pub wrapped: String,
}

/// Argon2id with its parameters and salt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KdfParameters {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Degree of parallelism.
    pub lanes: u32,
    /// Base64 of the salt.
    pub salt: String,
}

impl KdfParameters {
    /// RFC 9106 section 4, second recommended option: 64 MiB, three passes, four lanes.
    pub(crate) fn recommended(salt: [u8; 16]) -> Self {
        Self { memory_kib: 64 * 1024, iterations: 3, lanes: 4, salt: STANDARD.encode(salt) }
    }

    /// The salt, once the costs are within bounds: a forged header must not make us spend gigabytes.
    pub(crate) fn checked_salt(&self) -> Result<Vec<u8>, Problem> {
        let salt = STANDARD.decode(&self.salt).map_err(|_| Self::damaged())?;
        let good = (8..=64).contains(&salt.len()) && self.memory_kib <= 1024 * 1024 && (1..=64).contains(&self.iterations) && (1..=64).contains(&self.lanes);
        if good { Ok(salt) } else { Err(Self::damaged()) }
    }

    pub(crate) fn damaged() -> Problem {
        Problem::new(Code::StoreDamaged, "The key header of this store is damaged: its passphrase parameters are not usable. Restore the store from a backup.")
    }
}

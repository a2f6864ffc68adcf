//! The public part of a store's keys, kept in the store's header row.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchbay_model::{Code, Problem, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::SourceKind;

/// What a store keeps of its keys. Nothing in it is secret; without the master key it opens nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyHeader {
    /// Version of this format; 1.
    pub version: u32,
    /// The store's id: bound into every wrapped key, and the user name of the first keyring entry.
    pub store_id: Uuid,
    /// The store's keys under its master key.
    #[serde(flatten)]
    pub lock: Lock,
    /// Id of the data key under which new values are sealed.
    pub active: String,
    /// Id of the database key under which PostgreSQL encrypts new values; none on SQLite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_database: Option<String>,
    /// The same keys under the next master key, while it takes the place of the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// A rotation of the data key that is not at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<DataRotation>,
    /// Master keys that no longer open this store and whose keyring entries are still to be removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<RetiredKey>,
    /// When the master key was rotated last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master_rotated_at: Option<Timestamp>,
    /// When a rotation of the data key came to its end last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_rotated_at: Option<Timestamp>,
}

/// All keys of a store, wrapped under one master key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lock {
    /// Id of the master key, which names its keyring entry. None for the key with which the store was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<Uuid>,
    /// The kind of source that the master key came from. A hint for people, not a rule: a key may be moved from a keyring
    /// to a file.
    pub made_with: SourceKind,
    /// How the master key is derived, if from a passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kdf: Option<KdfParameters>,
    /// Base64 of the value by which the right master key is recognised.
    pub check: String,
    /// The data keys; more than one only during a rotation.
    pub data_keys: Vec<WrappedKey>,
    /// The key of token hashes.
    pub hash_key: WrappedKey,
    /// The keys under which PostgreSQL encrypts envelopes once more; none on SQLite, more than one only during a rotation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub database_keys: Vec<WrappedKey>,
}

/// A master key that is being brought in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// The store's keys under it.
    #[serde(flatten)]
    pub lock: Lock,
    /// When its rotation began.
    pub begun_at: Timestamp,
}

/// A rotation of the data key that is under way: values are sealed anew under [`KeyHeader::active`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DataRotation {
    /// When it began.
    pub begun_at: Timestamp,
    /// The process that goes through the values, as a random name.
    pub owner: String,
    /// Until when the others leave it to that process.
    pub lease_until: Timestamp,
    /// The keys that will be the active ones as soon as every process had the time to take them up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextKeys>,
}

/// Keys that stand in the header and seal nothing yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NextKeys {
    /// Id of the data key.
    pub data: String,
    /// Id of the database key, in PostgreSQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
}

/// A master key that was replaced.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RetiredKey {
    /// Its id, as in [`Lock::master`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<Uuid>,
    /// Since when it opens nothing.
    pub since: Timestamp,
}

/// A key wrapped under the master key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WrappedKey {
    /// Its id.
    pub id: String,
    /// Base64 of nonce and ciphertext.
    pub wrapped: String,
    /// When it was made; keys of the first stores do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
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

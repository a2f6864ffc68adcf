//! The keys of the store, on the wire. Ids, counts and times; never a key.

use patchbay_engine::key;
use patchbay_model::{Secret, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How the store's keys stand.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct KeyStatus {
    /// The master key, which wraps the others.
    pub master: MasterKeyStatus,
    /// The data keys, under which secrets are sealed: the active one first, others only during a rotation.
    pub data_keys: Vec<DataKeyStatus>,
    /// The keys under which a PostgreSQL database encrypts sealed values once more; empty for a file.
    pub database_keys: Vec<DataKeyStatus>,
    /// Sealed values in the store, those among them that can still be brought back by an undo.
    pub values: u64,
    /// When the data key was rotated last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub data_rotated_at: Option<Timestamp>,
    /// A rotation of the data key that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rotation: Option<KeyRotation>,
}

/// How the master key stands.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct MasterKeyStatus {
    /// The kind of source that it comes from.
    #[ts(type = "\"keyring\" | \"passphrase\" | \"file\" | \"env\" | \"systemd\"")]
    #[schemars(regex(pattern = "^(keyring|passphrase|file|env|systemd)$"))]
    pub source: String,
    /// The key source of the program that answers, such as `file:PATH`; only the holder of the key is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub key_source: Option<String>,
    /// When it was rotated last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rotated_at: Option<Timestamp>,
    /// A rotation that was begun and not finished: until it is, the key before and the one behind both open the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub pending: Option<PendingMasterKey>,
    /// Why the program that answers can no longer get the master key, in words; it goes on with the keys that it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub trouble: Option<String>,
    /// Replaced master keys whose entries are still in the keyring, for copies and backups from before.
    pub replaced: u64,
    /// Whether the caller may rotate it: only its holder may, at the machine.
    pub may_rotate: bool,
}

/// A master key that is being brought in.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct PendingMasterKey {
    /// The kind of its source.
    #[ts(type = "\"keyring\" | \"passphrase\" | \"file\" | \"env\" | \"systemd\"")]
    #[schemars(regex(pattern = "^(keyring|passphrase|file|env|systemd)$"))]
    pub source: String,
    /// When its rotation began.
    pub begun_at: Timestamp,
    /// Whether the program that answers has opened the store with it.
    pub opened_here: bool,
}

/// A key and how many values lie under it.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct DataKeyStatus {
    /// Its id.
    pub id: String,
    /// Whether new values are sealed under it.
    pub active: bool,
    /// When it was made; absent for keys of early stores.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub created_at: Option<Timestamp>,
    /// Values that lie under it.
    pub values: u64,
}

/// A rotation of the data key that is under way.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct KeyRotation {
    /// When it began.
    pub begun_at: Timestamp,
    /// Values that still lie under a key before.
    pub remaining: u64,
    /// Whether a program is at it now; otherwise the next one that has the store open goes on with it.
    pub running: bool,
}

/// Body of `keys.rotate`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct RotateKeys {
    /// Which key.
    pub key: WhichKey,
    /// Where the next master key shall come from: `keyring`, `passphrase`, `file:PATH`, `env:NAME` or `systemd`. Where left
    /// out, from where the present one comes.
    pub to: Option<String>,
    /// The next passphrase, for `passphrase`.
    #[ts(optional, type = "string")]
    pub passphrase: Option<Secret>,
}

/// Which key is rotated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhichKey {
    /// The key under which secrets are sealed.
    Data,
    /// The key that wraps the others.
    Master,
}

impl From<key::Status> for KeyStatus {
    fn from(status: key::Status) -> Self {
        let keys = |keys: Vec<key::KeyUse>| keys.into_iter().map(|key| DataKeyStatus { id: key.id, active: key.active, created_at: key.created_at, values: key.values }).collect();
        Self {
            master: MasterKeyStatus {
                source: status.source.as_str().to_owned(),
                key_source: status.key_source.map(|source| source.to_string()),
                rotated_at: status.master_rotated_at,
                pending: status.pending.map(|pending| PendingMasterKey {
                    source: pending.source.as_str().to_owned(),
                    begun_at: pending.begun_at,
                    opened_here: pending.opened_here,
                }),
                trouble: status.trouble,
                replaced: status.replaced,
                may_rotate: status.holder,
            },
            data_keys: keys(status.data_keys),
            database_keys: keys(status.database_keys),
            values: status.values,
            data_rotated_at: status.data_rotated_at,
            rotation: status.rotation.map(|rotation| KeyRotation { begun_at: rotation.begun_at, remaining: rotation.remaining, running: rotation.running }),
        }
    }
}

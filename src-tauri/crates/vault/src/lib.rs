//! Everything that holds a key: sealing of secrets, sources of the master key, token secrets, passwords, age.
//!
//! This crate knows no SQL, no HTTP and no async runtime. What takes long says so; callers run it off their runtime.
//! Nothing here that holds a key has `Debug`, and keys are cleared when they are dropped.

mod aad;
mod adopt;
mod age_file;
mod age_seal;
mod backup_key;
mod certificate;
mod header;
mod jwt;
mod key_access;
mod key_file;
mod key_source;
mod keyring;
mod keyring_item;
mod local_key;
mod master;
mod password;
mod rotation;
mod signature;
mod system;
mod token;
mod vault;
mod wrapping;

pub use aad::Aad;
pub use age_file::{FileKey, FileSeal, OpenedReader, SealedWriter, is_sealed_file, open_file, seal_file};
pub use age_seal::{AgeIdentity, AgeRecipient, seal_to_age};
pub use certificate::certificate_end;
pub use header::{DataRotation, KdfParameters, KeyHeader, Lock, NextKeys, Pending, RetiredKey, WrappedKey};
pub use jwt::{JwtAlgorithm, JwtFault, JwtKey, JwtVerifier, unverified_claims};
pub use key_access::{KeyAccess, NextMaster};
pub use key_source::{KeySource, SourceKind};
pub use keyring::probe as probe_keyring;
pub use keyring_item::KeyringItem;
pub use local_key::LocalKey;
pub use master::MasterKey;
pub use password::{hash_password, verify_password};
pub use patchbay_model::credential::Envelope;
pub use signature::{signs_callback, webhook_signature};
pub use system::{OsEntropy, SystemClock, system_context};
pub use token::{ParsedToken, TokenShape, mint_token, parse_token};
pub use vault::{DatabaseKey, OpenedBy, Vault};

/// Compares in constant time. The lengths are no secret: unequal lengths are unequal at once.
pub fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    use subtle::ConstantTimeEq;
    a.ct_eq(b).into()
}

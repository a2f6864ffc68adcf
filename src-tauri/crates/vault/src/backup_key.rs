//! The key to which a store seals its own backups.

use bech32::{ToBase32 as _, Variant};
use patchbay_model::{Problem, Secret};

use crate::{AgeIdentity, Vault};

/// What an X25519 identity of age begins with, before it is written in capitals (age-encryption.org/v1, section "X25519").
const PREFIX: &str = "age-secret-key-";

impl Vault {
    /// The identity that opens the backups which this store makes by itself; they are sealed to its recipient. It is derived
    /// from the key of token hashes, the only key of a store that is never exchanged. So whoever can unlock the store, or the
    /// key header that stands in front of each backup, can open them, and nobody has to keep another secret.
    ///
    /// # Errors
    /// `internal` when the key cannot be written as age does, which cannot be brought about.
    pub fn backup_identity(&self) -> Result<AgeIdentity, Problem> {
        let unwritable = || Problem::internal("the key of the backups cannot be made");
        let key = zeroize::Zeroizing::new(self.keyed_hash("backups of this store", self.store_id().as_bytes()));
        let text = bech32::encode(PREFIX, key.to_base32(), Variant::Bech32).map_err(|_| unwritable())?;
        AgeIdentity::parse(&Secret::new(text.to_uppercase())).map_err(|_| unwritable())
    }
}

#[cfg(test)]
mod tests {
    use crate::{MasterKey, SourceKind, Vault, system_context};

    #[test]
    fn whoever_unlocks_the_store_opens_its_backups_and_nobody_else_does() {
        let context = system_context();
        let master = MasterKey::generate(context.entropy());
        let make = || Vault::create(&master, context.new_uuid(), SourceKind::File, None, &context).ok().unwrap();
        let (vault, header) = make();
        let recipient = |vault: &Vault| vault.backup_identity().ok().unwrap().recipient().to_string();
        let again = Vault::unlock(&master, &header).ok().unwrap();
        assert_eq!(recipient(&vault), recipient(&again), "it can be made again at any time");
        assert_ne!(recipient(&vault), recipient(&make().0), "another store under the same master key has another");
    }
}

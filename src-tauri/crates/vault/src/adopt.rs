//! Keys of a store that takes over the rows of another.

use patchbay_model::{Context, Problem};

use crate::wrapping::{NamedKey, Role};
use crate::{KeyHeader, Vault};

impl Vault {
    /// These keys with the hash key of another store, for a copy of it: tokens, sessions and links go on working there. The
    /// hash key is wrapped under the master key of this store; everything else stays its own.
    ///
    /// # Errors
    /// `internal` when a cipher fails, which cannot be brought about.
    pub fn with_hash_key_of(mut self, other: &Self, header: &KeyHeader, context: &Context) -> Result<(Self, KeyHeader), Problem> {
        let mut header = header.clone();
        header.lock.hash_key = self.master.wrap(Role::Hash, &other.hash_key, context)?;
        self.hash_key = other.hash_key.clone();
        Ok((self, header))
    }

    /// The header for a store of the other kind: in PostgreSQL there is a database key, on SQLite there is none. A rotation
    /// of the master key that was under way is to be finished first, since this vault can wrap under one master key alone.
    ///
    /// # Errors
    /// `internal` when a cipher fails, which cannot be brought about.
    pub fn header_for(&self, database: bool, header: &KeyHeader, context: &Context) -> Result<KeyHeader, Problem> {
        let mut header = header.clone();
        match (database, header.active_database.is_some()) {
            (true, false) => {
                let key = NamedKey::generate(context);
                header.lock.database_keys = vec![self.master.wrap(Role::Database, &key, context)?];
                header.active_database = Some(key.id);
                header.pending = None;
            }
            (false, true) => {
                header.lock.database_keys.clear();
                header.active_database = None;
                if let Some(pending) = &mut header.pending {
                    pending.lock.database_keys.clear();
                }
            }
            (true, true) | (false, false) => {}
        }
        Ok(header)
    }
}

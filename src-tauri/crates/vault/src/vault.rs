//! The unlocked keys of one store.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchbay_model::credential::Envelope;
use patchbay_model::{Code, Context, Entropy, Problem, Secret};
use uuid::Uuid;

use crate::aad::{Aad, framed};
use crate::header::{KdfParameters, KeyHeader, Lock};
use crate::master::{MasterKey, hmac};
use crate::token::ParsedToken;
use crate::wrapping::{NamedKey, Role, Wrapping, damaged, open_bytes, seal_bytes};
use crate::{SourceKind, same_bytes};

/// Which of a store's master keys opened it. There are two only while one takes the place of the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenedBy {
    /// The master key of the store.
    Current,
    /// The one that a rotation is bringing in.
    Pending,
}

/// A key of PostgreSQL's encryption: the passphrase that is given to `pgp_sym_encrypt`, with the id that stands beside what it
/// encrypted.
#[derive(Clone)]
pub struct DatabaseKey {
    /// Its id.
    pub id: String,
    /// The passphrase. Give it to statements as a bind parameter and nowhere else.
    pub passphrase: Secret,
}

/// The unlocked keys of one store: seals and opens secrets, hashes tokens. Cheap calls, no I/O; share it in an `Arc`.
pub struct Vault {
    pub(crate) store_id: Uuid,
    pub(crate) master: Wrapping,
    opened_by: OpenedBy,
    active: usize,
    pub(crate) data_keys: Vec<NamedKey>,
    /// Data keys that a rotation has dropped since: a reader may still hold a value that was read before.
    kept: Vec<NamedKey>,
    pub(crate) hash_key: NamedKey,
    active_database: Option<usize>,
    pub(crate) database_keys: Vec<NamedKey>,
}

impl Vault {
    /// Makes the keys of a new store under a master key. The header is to be kept in the store.
    /// [`crate::KeyAccess::create_vault`] does this together with getting the master key.
    ///
    /// # Errors
    /// `internal` when a cipher fails, which cannot be brought about.
    pub fn create(master: &MasterKey, store_id: Uuid, made_with: SourceKind, kdf: Option<KdfParameters>, context: &Context) -> Result<(Self, KeyHeader), Problem> {
        Self::create_with(master, store_id, made_with, kdf, false, context)
    }

    /// The same; with `database` also the key under which PostgreSQL encrypts envelopes once more.
    ///
    /// # Errors
    /// Those of [`Self::create`].
    pub fn create_with(
        master: &MasterKey,
        store_id: Uuid,
        made_with: SourceKind,
        kdf: Option<KdfParameters>,
        database: bool,
        context: &Context,
    ) -> Result<(Self, KeyHeader), Problem> {
        let master = Wrapping::new(master, store_id);
        let data_key = NamedKey::generate(context);
        let hash_key = NamedKey::generate(context);
        let database_keys: Vec<NamedKey> = if database { vec![NamedKey::generate(context)] } else { Vec::new() };
        let header = KeyHeader {
            version: 1,
            store_id,
            lock: Lock {
                master: None,
                made_with,
                kdf,
                check: master.check(),
                data_keys: vec![master.wrap(Role::Data, &data_key, context)?],
                hash_key: master.wrap(Role::Hash, &hash_key, context)?,
                database_keys: database_keys.iter().map(|key| master.wrap(Role::Database, key, context)).collect::<Result<_, _>>()?,
            },
            active: data_key.id.clone(),
            active_database: database_keys.first().map(|key| key.id.clone()),
            pending: None,
            rotation: None,
            retired: Vec::new(),
            master_rotated_at: None,
            data_rotated_at: None,
        };
        let active_database = (!database_keys.is_empty()).then_some(0);
        let vault = Self { store_id, master, opened_by: OpenedBy::Current, active: 0, data_keys: vec![data_key], kept: Vec::new(), hash_key, active_database, database_keys };
        Ok((vault, header))
    }

    /// Unlocks the keys of a store. Writes nothing. While the master key is being rotated, the one before and the one behind
    /// both do.
    ///
    /// # Errors
    /// `wrong_key` when the master key is another store's, `store_newer` when the header's format is unknown,
    /// `store_damaged` when a wrapped key does not open under the right master key.
    pub fn unlock(master: &MasterKey, header: &KeyHeader) -> Result<Self, Problem> {
        Self::unlock_with(Wrapping::new(master, header.store_id), header)?.ok_or_else(|| wrong_key(header))
    }

    /// The keys as a newer header has them, by the master key that this vault was opened with; none when that one opens the
    /// store no longer. Data keys that were dropped since are kept to open what was read before.
    ///
    /// # Errors
    /// Those of [`Self::unlock`].
    pub fn reloaded(&self, header: &KeyHeader) -> Result<Option<Self>, Problem> {
        let next = Self::unlock_with(self.master.clone(), header)?;
        Ok(next.map(|next| next.keeping(self)))
    }

    /// Takes over what a vault before knew and the header no longer does.
    #[must_use]
    pub fn keeping(mut self, before: &Self) -> Self {
        let dropped: Vec<NamedKey> = before.data_keys.iter().filter(|key| !self.data_keys.iter().any(|live| live.id == key.id)).cloned().collect();
        // One generation is enough: nobody holds a value over two rotations.
        self.kept = if dropped.is_empty() { before.kept.clone() } else { dropped };
        self
    }

    fn unlock_with(master: Wrapping, header: &KeyHeader) -> Result<Option<Self>, Problem> {
        if header.version != 1 {
            return Err(Problem::new(
                Code::StoreNewer,
                format!("The keys of this store are of format {}, which this Patchbay does not know. Use the newer Patchbay that wrote it.", header.version),
            ));
        }
        let (lock, opened_by) = if master.opens(&header.lock)? {
            (&header.lock, OpenedBy::Current)
        } else {
            match &header.pending {
                Some(pending) if master.opens(&pending.lock)? => (&pending.lock, OpenedBy::Pending),
                _ => return Ok(None),
            }
        };
        let unwrap = |role: Role, keys: &[crate::WrappedKey]| keys.iter().map(|wrapped| master.unwrap(role, wrapped)).collect::<Result<Vec<_>, Problem>>();
        let data_keys = unwrap(Role::Data, &lock.data_keys)?;
        let active = data_keys.iter().position(|key| key.id == header.active).ok_or_else(damaged)?;
        let hash_key = master.unwrap(Role::Hash, &lock.hash_key)?;
        let database_keys = unwrap(Role::Database, &lock.database_keys)?;
        let active_database = match &header.active_database {
            Some(id) => Some(database_keys.iter().position(|key| key.id == *id).ok_or_else(damaged)?),
            None => None,
        };
        Ok(Some(Self { store_id: header.store_id, master, opened_by, active, data_keys, kept: Vec::new(), hash_key, active_database, database_keys }))
    }

    /// The store whose keys these are.
    pub fn store_id(&self) -> Uuid {
        self.store_id
    }

    /// Which master key opened the store.
    pub fn opened_by(&self) -> OpenedBy {
        self.opened_by
    }

    /// Whether the master key that opened this vault still is one of the store's, now or pending.
    ///
    /// # Errors
    /// `store_damaged` when a check value cannot be read.
    pub fn fits(&self, header: &KeyHeader) -> Result<bool, Problem> {
        Ok(self.master.opens(&header.lock)? || header.pending.as_ref().is_some_and(|pending| self.master.opens(&pending.lock).unwrap_or_default()))
    }

    /// Whether this is the master key that opened this vault.
    pub(crate) fn opened_with(&self, master: &MasterKey) -> bool {
        self.master.check() == Wrapping::new(master, self.store_id).check()
    }

    /// Whether every key that the header names is here, so that this vault can go on although the header is newer.
    pub fn holds_all(&self, header: &KeyHeader) -> bool {
        let holds = |held: &[NamedKey], wanted: &[crate::WrappedKey]| wanted.iter().all(|wanted| held.iter().any(|key| key.id == wanted.id));
        holds(&self.data_keys, &header.lock.data_keys) && holds(&self.database_keys, &header.lock.database_keys)
    }

    /// Id of the data key under which this vault seals.
    pub fn active_key(&self) -> &str {
        self.data_keys.get(self.active).map_or("", |key| &key.id)
    }

    /// Whether values under this data key can be opened.
    pub fn knows(&self, key_id: &str) -> bool {
        self.data_keys.iter().chain(&self.kept).any(|key| key.id == key_id)
    }

    /// The passphrase under which PostgreSQL encrypts new values; none for a store that is a file.
    pub fn database_key(&self) -> Option<Secret> {
        self.database_keys.get(self.active_database?).map(|key| passphrase(key).passphrase)
    }

    /// Every passphrase under which values in PostgreSQL may lie, the one for new values first. Two during a rotation.
    pub fn database_keys(&self) -> Vec<DatabaseKey> {
        let active = self.active_database.and_then(|active| self.database_keys.get(active));
        let others = self.database_keys.iter().filter(|key| active.is_none_or(|active| active.id != key.id));
        active.into_iter().chain(others).map(passphrase).collect()
    }

    /// Seals a secret for one place.
    ///
    /// # Errors
    /// `internal` when the cipher fails, which takes a secret of 256 GiB.
    pub fn seal(&self, aad: &Aad<'_>, plain: &Secret, entropy: &dyn Entropy) -> Result<Envelope, Problem> {
        let NamedKey { id, key } = self.data_keys.get(self.active).ok_or_else(|| Problem::internal("the active data key is missing"))?;
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
        let Some(NamedKey { id, key }) = self.data_keys.iter().chain(&self.kept).find(|key| key.id == envelope.key_id) else {
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
    ///
    /// This key is never exchanged, only wrapped anew: hashes cannot be made again without the secrets, which the store
    /// does not have, so another key would end every token at once.
    pub fn token_hash(&self, token: &ParsedToken) -> [u8; 32] {
        self.keyed_hash("token", token.secret().expose().as_bytes())
    }

    /// A keyed hash of any other handle that is looked up and need not be read back, such as the `state` of a consent.
    /// Different purposes give unrelated hashes.
    pub fn keyed_hash(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        *hmac(&self.hash_key.key, &framed("patchbay hash 1", &[purpose.as_bytes(), value]))
    }

    /// Whether two vaults hold the same hash key, as those of one store must.
    pub(crate) fn same_hash_key(&self, other: &Self) -> bool {
        same_bytes(self.hash_key.key.as_slice(), other.hash_key.key.as_slice())
    }
}

fn passphrase(key: &NamedKey) -> DatabaseKey {
    DatabaseKey { id: key.id.clone(), passphrase: Secret::new(STANDARD.encode(key.key.as_slice())) }
}

/// That a master key opens nothing here.
pub(crate) fn wrong_key(header: &KeyHeader) -> Problem {
    let mut since = format!("Use the key that the store was made with (it came from: {}).", header.lock.made_with.words());
    if let Some(at) = header.master_rotated_at {
        since = format!("The key was rotated at {at}; use the one from then (it came from: {}).", header.lock.made_with.words());
    }
    Problem::new(Code::WrongKey, format!("This key does not belong to this store, so nothing was opened or changed. {since}"))
}

#[cfg(test)]
mod tests {
    use crate::master::{Key, hmac};

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
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
}

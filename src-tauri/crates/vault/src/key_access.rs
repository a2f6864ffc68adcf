//! A key source in use: making, opening and exchanging the master key of a store.

use std::path::{Path, PathBuf};

use patchbay_model::{Code, Context, Problem, Secret};
use uuid::Uuid;

use crate::header::{KdfParameters, Lock, RetiredKey};
use crate::vault::wrong_key;
use crate::wrapping::Wrapping;
use crate::{KeyHeader, KeySource, MasterKey, SourceKind, Vault, key_file, keyring};

/// Name of the systemd credential, in `$CREDENTIALS_DIRECTORY`.
const SYSTEMD_CREDENTIAL: &str = "patchbay-key";

/// Name of the systemd credential that holds the next key during a rotation: a unit cannot exchange one while it runs.
const NEXT_SYSTEMD_CREDENTIAL: &str = "patchbay-key-next";

/// Fewest characters of a passphrase. It has to withstand guessing by whoever gets hold of the file.
const SHORTEST_PASSPHRASE: usize = 8;

/// A key source with what a person has to add to it: the passphrase.
#[derive(Clone)]
pub struct KeyAccess {
    source: KeySource,
    passphrase: Option<Secret>,
}

impl From<KeySource> for KeyAccess {
    /// For sources that need nothing from a person; [`KeySource::Passphrase`] without one is refused when it is used.
    fn from(source: KeySource) -> Self {
        Self { source, passphrase: None }
    }
}

/// A master key that is to take the place of the one before, until it is put into its source.
pub struct NextMaster {
    id: Uuid,
    pub(crate) key: MasterKey,
    pub(crate) kdf: Option<KdfParameters>,
    kind: SourceKind,
    place: Place,
}

/// Where the next key has to be put.
enum Place {
    /// It is there already, or in a person's head.
    There,
    /// An entry of its own in the keyring.
    Keyring,
    /// A file that is not there yet.
    NewFile(PathBuf),
    /// Beside the file that holds the present key, whose place it takes in the end.
    Beside(PathBuf),
}

impl NextMaster {
    /// Its id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The kind of its source.
    pub fn kind(&self) -> SourceKind {
        self.kind
    }
}

impl KeyAccess {
    /// Access by passphrase.
    pub fn with_passphrase(passphrase: Secret) -> Self {
        Self { source: KeySource::Passphrase, passphrase: Some(passphrase) }
    }

    /// The source.
    pub fn source(&self) -> &KeySource {
        &self.source
    }

    /// Whether a person has added a passphrase.
    pub fn has_passphrase(&self) -> bool {
        self.passphrase.is_some()
    }

    /// The same without what a person added, to be kept as long as a store is open.
    #[must_use]
    pub fn without_passphrase(&self) -> Self {
        Self { source: self.source.clone(), passphrase: None }
    }

    /// Gets or makes the master key of a new store and the keys under it. The header is to be kept in the store.
    ///
    /// A keyring is probed, then given a new key; a key file is created if it is not there, else used; environment and
    /// systemd must hold a key. When the store is not made after all, call [`Self::forget`].
    ///
    /// Blocks, for as long as a person needs to unlock the keyring or Argon2id takes: run it off the async runtime.
    ///
    /// # Errors
    /// `key_unavailable`, in one sentence, when the source cannot be used; `weak_password` for a short passphrase.
    pub fn create_vault(&self, store_id: Uuid, context: &Context) -> Result<(Vault, KeyHeader), Problem> {
        self.create(store_id, false, context)
    }

    /// The same for a store in PostgreSQL, with the key of its database.
    ///
    /// # Errors
    /// Those of [`Self::create_vault`].
    pub fn create_database_vault(&self, store_id: Uuid, context: &Context) -> Result<(Vault, KeyHeader), Problem> {
        self.create(store_id, true, context)
    }

    fn create(&self, store_id: Uuid, database: bool, context: &Context) -> Result<(Vault, KeyHeader), Problem> {
        let mut kdf = None;
        let master = match &self.source {
            KeySource::Keyring => {
                keyring::probe(context)?;
                let master = MasterKey::generate(context.entropy());
                keyring::write(store_id, None, master.to_base64())?;
                master
            }
            KeySource::Passphrase => self.derived_anew(kdf.insert(new_parameters(context)))?,
            KeySource::File(path) if !path.exists() => {
                let master = MasterKey::generate(context.entropy());
                // Where another process was faster, its key counts.
                if key_file::create(path, &master, context)? { master } else { self.stored_key()? }
            }
            KeySource::File(_) | KeySource::Env(_) | KeySource::Systemd => self.stored_key()?,
        };
        Vault::create_with(&master, store_id, self.source.kind(), kdf, database, context)
    }

    /// Unlocks the keys of an existing store. Writes nothing, neither to the store nor to the source. During a rotation of
    /// the master key both keys do; [`Vault::opened_by`] tells which it was.
    ///
    /// Blocks like [`Self::create_vault`].
    ///
    /// # Errors
    /// `key_unavailable` when the source cannot be used, `wrong_key` when its key is another store's.
    pub fn open_vault(&self, header: &KeyHeader) -> Result<Vault, Problem> {
        let locks: Vec<&Lock> = std::iter::once(&header.lock).chain(header.pending.as_ref().map(|pending| &pending.lock)).collect();
        let by_passphrase = matches!(self.source, KeySource::Passphrase);
        let fitting: Vec<&Lock> = locks.into_iter().filter(|lock| lock.kdf.is_some() == by_passphrase).collect();
        match (&self.source, fitting.as_slice()) {
            (KeySource::Passphrase, []) => {
                Err(Problem::new(Code::KeyUnavailable, format!("This store has no passphrase; its key came from {}. Name that key source.", header.lock.made_with.words())))
            }
            (_, []) => Err(Problem::new(Code::KeyUnavailable, "This store is locked with a passphrase. Name the key source passphrase.")),
            (KeySource::Passphrase, locks) => {
                let passphrase = self.needed_passphrase()?;
                for kdf in locks.iter().filter_map(|lock| lock.kdf.as_ref()) {
                    if let Some(vault) = unlocked(&MasterKey::from_passphrase(passphrase, kdf)?, header)? {
                        return Ok(vault);
                    }
                }
                Err(wrong_key(header))
            }
            (KeySource::Keyring, locks) => {
                let mut found = false;
                for lock in locks {
                    let Some(text) = keyring::read(header.store_id, lock.master)? else { continue };
                    found = true;
                    if let Some(vault) = unlocked(&self.parsed("The system keyring's entry", &text)?, header)? {
                        return Ok(vault);
                    }
                }
                Err(if found { wrong_key(header) } else { keyring::missing(header.store_id, header.lock.master) })
            }
            (KeySource::File(_) | KeySource::Env(_) | KeySource::Systemd, _) => Vault::unlock(&self.stored_key()?, header),
        }
    }

    /// Makes or reads the master key that shall take the place of the present one, and writes it nowhere yet.
    ///
    /// A keyring is probed and will get an entry of its own; a key file that is not there will be made, one that holds the
    /// present key will be replaced, and one that holds another key is used; environment and systemd must hold another key
    /// (systemd as the credential `patchbay-key-next`). Blocks like [`Self::create_vault`].
    ///
    /// # Errors
    /// `key_unavailable`, in one sentence; `weak_password` for a short passphrase; `invalid_field` where the source holds the
    /// present key and cannot be given another.
    pub fn next_master(&self, header: &KeyHeader, context: &Context) -> Result<NextMaster, Problem> {
        let next = |key, kdf, place| NextMaster { id: context.new_uuid(), key, kdf, kind: self.source.kind(), place };
        let fresh = || MasterKey::generate(context.entropy());
        let is_present = |key: &MasterKey| Wrapping::new(key, header.store_id).opens(&header.lock);
        Ok(match &self.source {
            KeySource::Keyring => {
                keyring::probe(context)?;
                next(fresh(), None, Place::Keyring)
            }
            KeySource::Passphrase => {
                let parameters = new_parameters(context);
                next(self.derived_anew(&parameters)?, Some(parameters), Place::There)
            }
            KeySource::File(path) if !path.exists() => next(fresh(), None, Place::NewFile(path.clone())),
            KeySource::File(path) => {
                let key = self.stored_key()?;
                if !is_present(&key)? {
                    next(key, None, Place::There)
                } else if path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
                    return Err(Problem::new(
                        Code::InvalidField,
                        format!("The key file {} is a symbolic link and holds the present key, so it is not replaced. Name a new file with file:PATH.", path.display()),
                    ));
                } else {
                    next(fresh(), None, Place::Beside(path.clone()))
                }
            }
            KeySource::Env(name) => {
                let key = self.stored_key()?;
                if is_present(&key)? {
                    return Err(Problem::new(
                        Code::InvalidField,
                        format!("The environment variable {name} holds the present key. Set another variable to a new one (`openssl rand -base64 32`) and name that."),
                    ));
                }
                next(key, None, Place::There)
            }
            KeySource::Systemd => {
                let key = self.systemd_key(NEXT_SYSTEMD_CREDENTIAL)?;
                if is_present(&key)? {
                    return Err(Problem::new(Code::InvalidField, format!("The systemd credential {NEXT_SYSTEMD_CREDENTIAL} holds the present key. Give it a new one.")));
                }
                next(key, None, Place::There)
            }
        })
    }

    /// Puts the next master key into its source. Call it when the store's header names the key as pending, so that what is
    /// left behind by an interruption is known. Blocks.
    ///
    /// # Errors
    /// `key_unavailable` when the source does not take it.
    pub fn place(&self, header: &KeyHeader, next: &NextMaster, context: &Context) -> Result<(), Problem> {
        let made = match &next.place {
            Place::There => true,
            Place::Keyring => {
                keyring::write(header.store_id, Some(next.id), next.key.to_base64())?;
                true
            }
            Place::NewFile(path) => key_file::create(path, &next.key, context)?,
            Place::Beside(path) => key_file::create(&key_file::next_of(path, next.id), &next.key, context)?,
        };
        if made { Ok(()) } else { Err(Problem::new(Code::KeyUnavailable, "A key file of this name was made by somebody else in this moment. Name another file.")) }
    }

    /// Opens a store with the pending master key as this source gives it now; none when it gives another. Blocks like
    /// [`Self::create_vault`].
    ///
    /// # Errors
    /// `key_unavailable` when the source cannot be used; `store_damaged`.
    pub fn open_pending(&self, header: &KeyHeader) -> Result<Option<Vault>, Problem> {
        let Some(pending) = &header.pending else { return Ok(None) };
        let key = match (&self.source, &pending.lock.kdf) {
            (KeySource::Passphrase, Some(kdf)) => Some(MasterKey::from_passphrase(self.needed_passphrase()?, kdf)?),
            (KeySource::Passphrase, None) | (_, Some(_)) => None,
            (KeySource::Keyring, None) => match keyring::read(header.store_id, pending.lock.master)? {
                Some(text) => Some(self.parsed("The system keyring's entry", &text)?),
                None => None,
            },
            (KeySource::File(path), None) => {
                let beside = pending.lock.master.map(|master| key_file::next_of(path, master)).filter(|next| next.exists());
                let path = beside.as_deref().unwrap_or(path);
                if path.exists() { Some(self.parsed(&format!("The key file {}", path.display()), &key_file::read(path, true)?)?) } else { None }
            }
            (KeySource::Systemd, None) => self.systemd_key(NEXT_SYSTEMD_CREDENTIAL).or_else(|_| self.stored_key()).map(Some)?,
            (KeySource::Env(_), None) => Some(self.stored_key()?),
        };
        let Some(key) = key else { return Ok(None) };
        if !Wrapping::new(&key, header.store_id).opens(&pending.lock)? {
            return Ok(None);
        }
        // Through the pending lock alone: it must be whole before the other one goes.
        let alone = KeyHeader { lock: pending.lock.clone(), pending: None, ..header.clone() };
        Vault::unlock(&key, &alone).map(Some)
    }

    /// Lets the pending key take the place of the one before within the source: a key file is exchanged. The file before is
    /// kept, and its name given back. Call it before the store's header lets go of the key before; may be done again. Blocks.
    ///
    /// # Errors
    /// `key_unavailable` when the file cannot be exchanged.
    pub fn settle(&self, header: &KeyHeader) -> Result<Option<PathBuf>, Problem> {
        match (&self.source, header.pending.as_ref().and_then(|pending| pending.lock.master)) {
            (KeySource::File(path), Some(master)) if key_file::next_of(path, master).exists() => key_file::replace(path, master).map(Some),
            _ => Ok(None),
        }
    }

    /// Takes back what [`Self::settle`] did, when the rotation was overtaken by another: the key before is put back from the
    /// file that kept it, unless the key file holds another key by now. Blocks.
    ///
    /// # Errors
    /// `key_unavailable` when the files cannot be exchanged.
    pub fn unsettle(&self, kept: &Path, ours: &Vault) -> Result<(), Problem> {
        let KeySource::File(path) = &self.source else { return Ok(()) };
        let key = self.stored_key()?;
        if !ours.opened_with(&key) {
            return Ok(());
        }
        key_file::put_back(kept, path)
    }

    /// Removes a pending key that shall not be used from its source: the keyring's entry or the file beside the key file. A
    /// key that somebody else put there stays. Blocks.
    ///
    /// # Errors
    /// `key_unavailable` when the keyring cannot be used.
    pub fn withdraw(&self, header: &KeyHeader) -> Result<(), Problem> {
        match (&self.source, header.pending.as_ref().and_then(|pending| pending.lock.master)) {
            (KeySource::Keyring, Some(master)) => keyring::delete(header.store_id, Some(master)),
            (KeySource::File(path), Some(master)) => {
                // Not being able to tidy up is no reason to stop: the key opens nothing.
                let _ = std::fs::remove_file(key_file::next_of(path, master));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Removes what [`Self::create_vault`] left behind for a store that was not made: the keyring's entry. A key file
    /// stays, since others may use it by now. Blocks.
    ///
    /// # Errors
    /// `key_unavailable` when the keyring cannot be used.
    pub fn forget(&self, store_id: Uuid) -> Result<(), Problem> {
        match self.source {
            KeySource::Keyring => keyring::delete(store_id, None),
            KeySource::Passphrase | KeySource::File(_) | KeySource::Env(_) | KeySource::Systemd => Ok(()),
        }
    }

    /// Removes the keyring's entry of a master key that was replaced. Blocks.
    ///
    /// # Errors
    /// `key_unavailable` when the keyring cannot be used.
    pub fn remove_retired(store_id: Uuid, retired: &RetiredKey) -> Result<(), Problem> {
        keyring::delete(store_id, retired.master)
    }

    /// Whether the source can be used here, for `doctor`: probes a keyring, reads a file, variable or credential, and
    /// tells nothing of the key. Blocks.
    ///
    /// # Errors
    /// `key_unavailable`, in one sentence.
    pub fn check(&self, context: &Context) -> Result<(), Problem> {
        match &self.source {
            KeySource::Keyring => keyring::probe(context),
            KeySource::Passphrase => self.needed_passphrase().map(drop),
            KeySource::File(_) | KeySource::Env(_) | KeySource::Systemd => self.stored_key().map(drop),
        }
    }

    fn needed_passphrase(&self) -> Result<&Secret, Problem> {
        self.passphrase
            .as_ref()
            .filter(|passphrase| !passphrase.is_empty())
            .ok_or_else(|| Problem::new(Code::KeyUnavailable, "No passphrase was given. Enter it at the prompt, or set PATCHBAY_PASSPHRASE."))
    }

    fn derived_anew(&self, parameters: &KdfParameters) -> Result<MasterKey, Problem> {
        let passphrase = self.needed_passphrase()?;
        if passphrase.expose().chars().count() < SHORTEST_PASSPHRASE {
            return Err(Problem::new(
                Code::WeakPassword,
                format!("The passphrase is shorter than {SHORTEST_PASSPHRASE} characters. Choose a longer one: it is all that protects the store."),
            ));
        }
        MasterKey::from_passphrase(passphrase, parameters)
    }

    /// The key of a file, a variable or systemd.
    fn stored_key(&self) -> Result<MasterKey, Problem> {
        match &self.source {
            KeySource::Keyring | KeySource::Passphrase => Err(Problem::internal("this source does not hold one key for all stores")),
            KeySource::File(path) => self.parsed(&format!("The key file {}", path.display()), &key_file::read(path, true)?),
            KeySource::Env(name) => {
                let value = std::env::var(name)
                    .map_err(|_| Problem::new(Code::KeyUnavailable, format!("The environment variable {name} is not set. Set it to the base64 of the 32-byte key.")))?;
                self.parsed(&format!("The environment variable {name}"), &Secret::new(value))
            }
            KeySource::Systemd => self.systemd_key(SYSTEMD_CREDENTIAL),
        }
    }

    fn systemd_key(&self, credential: &str) -> Result<MasterKey, Problem> {
        let folder = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| {
            Problem::new(
                Code::KeyUnavailable,
                format!("There are no systemd credentials here (CREDENTIALS_DIRECTORY is not set). Start Patchbay as a unit with LoadCredentialEncrypted={credential}:PATH."),
            )
        })?;
        // systemd guards the folder itself, and gives group access by ACL; its mode says nothing.
        self.parsed(&format!("The systemd credential {credential}"), &key_file::read(&Path::new(&folder).join(credential), false)?)
    }

    fn parsed(&self, place: &str, text: &Secret) -> Result<MasterKey, Problem> {
        MasterKey::from_base64(text).ok_or_else(|| {
            Problem::new(Code::KeyUnavailable, format!("{place} does not hold a key. It must be base64 of exactly 32 bytes, such as `openssl rand -base64 32` prints."))
        })
    }
}

/// The vault, when the key is one of the store's.
fn unlocked(master: &MasterKey, header: &KeyHeader) -> Result<Option<Vault>, Problem> {
    match Vault::unlock(master, header) {
        Ok(vault) => Ok(Some(vault)),
        Err(problem) if problem.code == Code::WrongKey => Ok(None),
        Err(problem) => Err(problem),
    }
}

fn new_parameters(context: &Context) -> KdfParameters {
    let mut salt = [0; 16];
    context.entropy().fill(&mut salt);
    KdfParameters::recommended(salt)
}

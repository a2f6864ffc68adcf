//! Where the master key of a store comes from. There is no silent fallback from one source to another.

use std::fmt;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use patchbay_model::{Code, Context, Problem, Secret};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::header::KdfParameters;
use crate::{KeyHeader, MasterKey, Vault, keyring};

/// Name of the systemd credential, in `$CREDENTIALS_DIRECTORY`.
const SYSTEMD_CREDENTIAL: &str = "patchbay-key";

/// Fewest characters of a passphrase. It has to withstand guessing by whoever gets hold of the file.
const SHORTEST_PASSPHRASE: usize = 8;

/// A key file holds 44 characters; one that is longer than this is something else.
const LONGEST_KEY_FILE: u64 = 4096;

/// A source of the master key: `keyring`, `passphrase`, `file:PATH`, `env:NAME` or `systemd`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeySource {
    /// The operating system's keyring, service `patchbay`, user = the store's id.
    Keyring,
    /// Derived from a passphrase with Argon2id.
    Passphrase,
    /// Base64 of 32 bytes in a file that only its owner can read.
    File(PathBuf),
    /// Base64 of 32 bytes in an environment variable.
    Env(String),
    /// Base64 of 32 bytes in the systemd credential `patchbay-key`.
    Systemd,
}

/// A key source without its path or name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// See [`KeySource::Keyring`].
    Keyring,
    /// See [`KeySource::Passphrase`].
    Passphrase,
    /// See [`KeySource::File`].
    File,
    /// See [`KeySource::Env`].
    Env,
    /// See [`KeySource::Systemd`].
    Systemd,
}

impl SourceKind {
    /// The kind in words, for messages.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Keyring => "the system keyring",
            Self::Passphrase => "a passphrase",
            Self::File => "a key file",
            Self::Env => "an environment variable",
            Self::Systemd => "a systemd credential",
        }
    }
}

impl KeySource {
    /// Its kind.
    pub const fn kind(&self) -> SourceKind {
        match self {
            Self::Keyring => SourceKind::Keyring,
            Self::Passphrase => SourceKind::Passphrase,
            Self::File(_) => SourceKind::File,
            Self::Env(_) => SourceKind::Env,
            Self::Systemd => SourceKind::Systemd,
        }
    }
}

impl FromStr for KeySource {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let wrong = |why: &str| Problem::new(Code::InvalidField, format!("{why} Name one of keyring, passphrase, file:PATH, env:NAME, systemd."));
        match text.split_once(':') {
            None => match text {
                "keyring" => Ok(Self::Keyring),
                "passphrase" => Ok(Self::Passphrase),
                "systemd" => Ok(Self::Systemd),
                "" => Err(wrong("The key source is empty.")),
                "file" => Err(wrong("The key source `file` lacks its path.")),
                "env" => Err(wrong("The key source `env` lacks the name of a variable.")),
                // Not repeated: somebody may have given the key itself.
                _ => Err(wrong("This is not a key source.")),
            },
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) if is_variable_name(name) => Ok(Self::Env(name.to_owned())),
            Some(("env", _)) => Err(wrong("The key source `env:` must name an environment variable (letters, digits and `_`), not hold the key.")),
            Some(("file", _)) => Err(wrong("The key source `file:` lacks its path.")),
            Some(_) => Err(wrong("This is not a key source.")),
        }
    }
}

fn is_variable_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring => f.write_str("keyring"),
            Self::Passphrase => f.write_str("passphrase"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Systemd => f.write_str("systemd"),
        }
    }
}

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

impl KeyAccess {
    /// Access by passphrase.
    pub fn with_passphrase(passphrase: Secret) -> Self {
        Self { source: KeySource::Passphrase, passphrase: Some(passphrase) }
    }

    /// The source.
    pub fn source(&self) -> &KeySource {
        &self.source
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
        let mut kdf = None;
        let master = match &self.source {
            KeySource::Keyring => {
                keyring::probe(context)?;
                let master = MasterKey::generate(context.entropy());
                keyring::write(store_id, master.to_base64())?;
                master
            }
            KeySource::Passphrase => {
                let passphrase = self.needed_passphrase()?;
                if passphrase.expose().chars().count() < SHORTEST_PASSPHRASE {
                    return Err(Problem::new(
                        Code::WeakPassword,
                        format!("The passphrase is shorter than {SHORTEST_PASSPHRASE} characters. Choose a longer one: it is all that protects the store."),
                    ));
                }
                let mut salt = [0; 16];
                context.entropy().fill(&mut salt);
                let parameters = kdf.insert(KdfParameters::recommended(salt));
                MasterKey::from_passphrase(passphrase, parameters)?
            }
            KeySource::File(path) if !path.exists() => create_key_file(path, context)?,
            KeySource::File(_) | KeySource::Env(_) | KeySource::Systemd => self.stored_key(store_id)?,
        };
        Vault::create(&master, store_id, self.source.kind(), kdf, context)
    }

    /// Unlocks the keys of an existing store. Writes nothing, neither to the store nor to the source.
    ///
    /// Blocks like [`Self::create_vault`].
    ///
    /// # Errors
    /// `key_unavailable` when the source cannot be used, `wrong_key` when its key is another store's.
    pub fn open_vault(&self, header: &KeyHeader) -> Result<Vault, Problem> {
        let master = match (&self.source, &header.kdf) {
            (KeySource::Passphrase, Some(kdf)) => MasterKey::from_passphrase(self.needed_passphrase()?, kdf)?,
            (KeySource::Passphrase, None) => {
                return Err(Problem::new(Code::KeyUnavailable, format!("This store has no passphrase; its key came from {}. Name that key source.", header.made_with.words())));
            }
            (_, Some(_)) => return Err(Problem::new(Code::KeyUnavailable, "This store is locked with a passphrase. Name the key source passphrase.")),
            (_, None) => self.stored_key(header.store_id)?,
        };
        Vault::unlock(&master, header)
    }

    /// Removes what [`Self::create_vault`] left behind for a store that was not made: the keyring's entry. A key file
    /// stays, since others may use it by now. Blocks.
    ///
    /// # Errors
    /// `key_unavailable` when the keyring cannot be used.
    pub fn forget(&self, store_id: Uuid) -> Result<(), Problem> {
        match self.source {
            KeySource::Keyring => keyring::delete(store_id),
            KeySource::Passphrase | KeySource::File(_) | KeySource::Env(_) | KeySource::Systemd => Ok(()),
        }
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
            KeySource::File(_) | KeySource::Env(_) | KeySource::Systemd => self.stored_key(Uuid::nil()).map(drop),
        }
    }

    fn needed_passphrase(&self) -> Result<&Secret, Problem> {
        self.passphrase
            .as_ref()
            .filter(|passphrase| !passphrase.is_empty())
            .ok_or_else(|| Problem::new(Code::KeyUnavailable, "No passphrase was given. Enter it at the prompt, or set PATCHBAY_PASSPHRASE."))
    }

    fn stored_key(&self, store_id: Uuid) -> Result<MasterKey, Problem> {
        let (place, text) = match &self.source {
            KeySource::Keyring => ("The system keyring's entry".to_owned(), keyring::read(store_id)?),
            KeySource::Passphrase => return Err(Problem::internal("a passphrase is not stored")),
            KeySource::File(path) => (format!("The key file {}", path.display()), read_key_file(path, true)?),
            KeySource::Env(name) => {
                let value = std::env::var(name)
                    .map_err(|_| Problem::new(Code::KeyUnavailable, format!("The environment variable {name} is not set. Set it to the base64 of the 32-byte key.")))?;
                (format!("The environment variable {name}"), Secret::new(value))
            }
            KeySource::Systemd => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| {
                    Problem::new(
                        Code::KeyUnavailable,
                        format!("There are no systemd credentials here (CREDENTIALS_DIRECTORY is not set). Start Patchbay as a unit with LoadCredentialEncrypted={SYSTEMD_CREDENTIAL}:PATH."),
                    )
                })?;
                // systemd guards the folder itself, and gives group access by ACL; its mode says nothing.
                (format!("The systemd credential {SYSTEMD_CREDENTIAL}"), read_key_file(&Path::new(&folder).join(SYSTEMD_CREDENTIAL), false)?)
            }
        };
        MasterKey::from_base64(&text).ok_or_else(|| {
            Problem::new(Code::KeyUnavailable, format!("{place} does not hold a key. It must be base64 of exactly 32 bytes, such as `openssl rand -base64 32` prints."))
        })
    }
}

/// Makes a key file that only its owner can read. It is written whole or not at all: a key that is half on disk when the
/// machine stops would be taken for a damaged one.
fn create_key_file(path: &Path, context: &Context) -> Result<MasterKey, Problem> {
    let failed =
        |error: std::io::Error| Problem::new(Code::KeyUnavailable, format!("The key file {} cannot be made: {error}. Choose a folder that you can write to.", path.display()));
    let master = MasterKey::generate(context.entropy());
    let text = Zeroizing::new(format!("{}\n", master.to_base64().expose()));
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", context.new_uuid()));
    let draft = PathBuf::from(draft);
    let written = write_private(&draft, text.as_bytes()).and_then(|()| {
        // A hard link does not replace a file that somebody else made in the meantime, as renaming would.
        std::fs::hard_link(&draft, path)
    });
    let _ = std::fs::remove_file(&draft);
    match written {
        Ok(()) => {
            sync_folder(path).map_err(failed)?;
            Ok(master)
        }
        // Another process was faster: its key counts.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => KeyAccess::from(KeySource::File(path.to_owned())).stored_key(Uuid::nil()),
        Err(error) => Err(failed(error)),
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { std::fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

fn read_key_file(path: &Path, private: bool) -> Result<Secret, Problem> {
    let failed = |error: std::io::Error| {
        let what = if error.kind() == std::io::ErrorKind::NotFound { "is not there".to_owned() } else { format!("cannot be read: {error}") };
        Problem::new(Code::KeyUnavailable, format!("The key file {} {what}. Check the path and whether you may read it.", path.display()))
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() || metadata.len() > LONGEST_KEY_FILE {
        return Err(Problem::new(Code::KeyUnavailable, format!("{} is not a key file. It must be a file with the base64 of 32 bytes.", path.display())));
    }
    #[cfg(unix)]
    if private {
        let mode = std::os::unix::fs::MetadataExt::mode(&metadata) & 0o777;
        if mode & 0o077 != 0 {
            return Err(Problem::new(
                Code::KeyUnavailable,
                format!("The key file {} can be read by others (mode {mode:04o}). Run `chmod 600` on it, and consider whether others have read it.", path.display()),
            ));
        }
    }
    #[cfg(not(unix))]
    let _ = private;
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_KEY_FILE as usize));
    file.take(LONGEST_KEY_FILE).read_to_end(&mut bytes).map_err(failed)?;
    Secret::from_utf8(std::mem::take(&mut *bytes))
        .ok_or_else(|| Problem::new(Code::KeyUnavailable, format!("{} is not a key file. It must be a file with the base64 of 32 bytes.", path.display())))
}

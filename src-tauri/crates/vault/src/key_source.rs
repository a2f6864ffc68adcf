//! Where the master key of a store comes from, as it is named. There is no silent fallback from one source to another.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use patchbay_model::{Code, Problem};
use serde::{Deserialize, Serialize};

/// A source of the master key: `keyring`, `passphrase`, `file:PATH`, `env:NAME` or `systemd`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeySource {
    /// The operating system's keyring, service `patchbay`; the user is the store's id, and for a key that came by rotation
    /// the key's own id behind it.
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
    /// The word for it, as in a key source and a store's header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Passphrase => "passphrase",
            Self::File => "file",
            Self::Env => "env",
            Self::Systemd => "systemd",
        }
    }

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

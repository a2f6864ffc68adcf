//! Key files: written whole or not at all, for their owner alone.

use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use patchbay_model::{Code, Context, Problem, Secret};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::MasterKey;

/// A key file holds 44 characters; one that is longer than this is something else.
const LONGEST: u64 = 4096;

/// Makes a key file that only its owner can read, unless there is one. Says whether it was made.
///
/// It is written whole or not at all: a key that is half on disk when the machine stops would be taken for a damaged one.
///
/// # Errors
/// `key_unavailable` when it cannot be made.
pub(crate) fn create(path: &Path, key: &MasterKey, context: &Context) -> Result<bool, Problem> {
    let failed =
        |error: std::io::Error| Problem::new(Code::KeyUnavailable, format!("The key file {} cannot be made: {error}. Choose a folder that you can write to.", path.display()));
    let text = Zeroizing::new(format!("{}\n", key.to_base64().expose()));
    let draft = beside(path, &context.new_uuid().to_string());
    let written = write_private(&draft, text.as_bytes()).and_then(|()| {
        // A hard link does not replace a file that somebody else made in the meantime, as renaming would.
        std::fs::hard_link(&draft, path)
    });
    let _ = std::fs::remove_file(&draft);
    match written {
        Ok(()) => {
            sync_folder(path).map_err(failed)?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// Where the next key of a key file lies until it takes its place.
pub(crate) fn next_of(path: &Path, master: Uuid) -> PathBuf {
    beside(path, &format!("next-{master}"))
}

/// Puts the next key in the place of a key file. The file before is kept beside it under the name that is given back: other
/// stores may use the same key. May be interrupted at any moment and done again.
///
/// # Errors
/// `key_unavailable` when the folder does not allow it; the file is as it was.
pub(crate) fn replace(path: &Path, master: Uuid) -> Result<PathBuf, Problem> {
    let failed = |error: std::io::Error| {
        Problem::new(Code::KeyUnavailable, format!("The key file {} cannot be replaced: {error}. Name a new file with --to file:PATH instead.", path.display()))
    };
    let (next, old) = (next_of(path, master), beside(path, &format!("old-{master}")));
    match std::fs::hard_link(path, &old) {
        Ok(()) => {}
        // Interrupted before: what is kept is the old key, since the new one comes only behind it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    sync_folder(path).map_err(failed)?;
    match std::fs::rename(&next, path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    sync_folder(path).map_err(failed)?;
    Ok(old)
}

/// Puts a kept key file back in its place.
///
/// # Errors
/// `key_unavailable` when the folder does not allow it.
pub(crate) fn put_back(kept: &Path, path: &Path) -> Result<(), Problem> {
    std::fs::rename(kept, path).and_then(|()| sync_folder(path)).map_err(|error| {
        Problem::new(Code::KeyUnavailable, format!("The key file {} cannot be put back: {error}. The key that opens the store is in {}.", path.display(), kept.display()))
    })
}

/// Reads a key file.
///
/// # Errors
/// `key_unavailable` when it is not there, cannot be read, is no key file, or, where it must be `private`, others can read it.
pub(crate) fn read(path: &Path, private: bool) -> Result<Secret, Problem> {
    let failed = |error: std::io::Error| {
        let what = if error.kind() == ErrorKind::NotFound { "is not there".to_owned() } else { format!("cannot be read: {error}") };
        Problem::new(Code::KeyUnavailable, format!("The key file {} {what}. Check the path and whether you may read it.", path.display()))
    };
    let no_key_file = || Problem::new(Code::KeyUnavailable, format!("{} is not a key file. It must be a file with the base64 of 32 bytes.", path.display()));
    // Looked at before it is opened too: opening a pipe waits for whoever writes into it.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(no_key_file());
    }
    let file = std::fs::File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() || metadata.len() > LONGEST {
        return Err(no_key_file());
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
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
    file.take(LONGEST).read_to_end(&mut bytes).map_err(failed)?;
    Secret::from_utf8(std::mem::take(&mut *bytes)).ok_or_else(no_key_file)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{suffix}"));
    PathBuf::from(name)
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

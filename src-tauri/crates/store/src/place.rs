//! The place of a store's file, held alone while another store takes it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sqlx::{ConnectOptions, Connection};

use crate::error::{Result, StoreError};
use crate::file::{beside, options, unlockable};
use crate::lock::StoreLock;

/// What SQLite and we keep beside a store.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-lock"];

/// The place of a store's file. While it is held nobody has the store open, and nobody opens it.
pub struct StorePlace {
    path: PathBuf,
    _lock: StoreLock,
}

impl StorePlace {
    /// Holds the place, whether or not a store is there.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with who has the store open; [`StoreError::ReadOnly`].
    pub async fn hold(path: &Path, purpose: &str) -> Result<Self> {
        let mut lock = StoreLock::open(path).ok_or_else(|| unlockable(path))?;
        lock.exclusive(purpose).await?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Whether something is there.
    pub fn is_taken(&self) -> bool {
        self.path.symlink_metadata().is_ok()
    }

    /// Where a store is made that is to take the place. What another attempt left there, which was ended in the middle, goes.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn draft(&self) -> Result<PathBuf> {
        let draft = beside(&self.path, ".restoring");
        clear(&draft)?;
        Ok(draft)
    }

    /// Puts a closed store in the place, at once: whoever looks sees the one before or this one, however the process ends.
    /// What was there before is kept under `kept`, a whole store of its own.
    ///
    /// # Errors
    /// Those of the disk; the store before is there still.
    pub async fn put(self, draft: &Path, kept: &Path) -> Result<()> {
        let done = self.exchange(draft, kept).await;
        // What could not take the place is of no use to anybody; what did has no name of its own any more.
        done.and(clear(draft))
    }

    async fn exchange(&self, draft: &Path, kept: &Path) -> Result<()> {
        if beside(draft, "-wal").metadata().is_ok_and(|log| log.len() > 0) {
            return Err(StoreError::Io(format!("the log of {} was not merged", draft.display())));
        }
        if self.is_taken() {
            // A log of the store before must not be taken for one of the store behind.
            merge(&self.path).await;
            for suffix in ["", "-wal"] {
                keep(&beside(&self.path, suffix), &beside(kept, suffix))?;
            }
            for suffix in ["-wal", "-shm"] {
                remove(&beside(&self.path, suffix))?;
            }
        }
        let done = File::open(draft).and_then(|file| file.sync_all()).and_then(|()| std::fs::rename(draft, &self.path)).and_then(|()| sync_folder(&self.path));
        done.map_err(|error| disk(&self.path, &error))
    }

    /// Gives up what was made in [`Self::draft`].
    pub fn give_up(self, draft: &Path) {
        // What stays is cleared by the next attempt.
        let _ = clear(draft);
        if !self.is_taken() {
            let _ = remove(&beside(&self.path, "-lock"));
        }
    }
}

/// Removes a store's file with all that lies beside it.
fn clear(store: &Path) -> Result<()> {
    remove(store)?;
    BESIDE.iter().try_for_each(|suffix| remove(&beside(store, suffix)))
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(disk(path, &error)),
        _ => Ok(()),
    }
}

/// Merges the log of a store into its file. One that is too damaged for that is kept together with its log.
async fn merge(path: &Path) {
    let merged = async {
        let mut connection = options(path).connect().await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
        sqlx::query("PRAGMA journal_mode = DELETE").execute(&mut connection).await?;
        connection.close().await
    };
    if let Err(error) = merged.await {
        tracing::warn!(%error, path = %path.display(), "the store that is replaced is damaged; it is kept as it is");
    }
}

/// Copies a file, so that it is there whole or not at all. A hard link would be quicker, and a second name for a store that is
/// in use when the process ends in the middle.
fn keep(from: &Path, to: &Path) -> Result<()> {
    let draft = beside(to, ".unfinished");
    let copied = || -> io::Result<()> {
        let mut source = match File::open(from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut target = options.open(&draft)?;
        io::copy(&mut source, &mut target)?;
        target.sync_all()?;
        std::fs::rename(&draft, to)?;
        sync_folder(to)
    };
    copied().map_err(|error| {
        let _ = std::fs::remove_file(&draft);
        disk(to, &error)
    })
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn disk(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => StoreError::ReadOnly,
        _ => StoreError::Io(format!("{}: {error}", path.display())),
    }
}

//! The lock file beside a store. Everyone who has the store open holds it shared; whoever migrates, restores or creates
//! holds it alone and writes its name into it, so that those who are kept waiting can say for whom.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Result, StoreError};

/// How long a lock is waited for before its holder is named.
const PATIENCE: Duration = if cfg!(test) { Duration::from_millis(300) } else { Duration::from_secs(5) };
const STEP: Duration = Duration::from_millis(50);

/// A held lock; released when dropped, and by the operating system when the process dies.
#[derive(Debug)]
pub(crate) struct StoreLock {
    file: File,
    path: PathBuf,
}

/// The lock file of a store's file.
pub(crate) fn lock_path(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push("-lock");
    PathBuf::from(name)
}

impl StoreLock {
    /// Opens the lock file. Nothing where it cannot be created: a store on a read-only place is not migrated by anyone.
    pub(crate) fn open(store: &Path) -> Option<Self> {
        let path = lock_path(store);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        options.open(&path).ok().map(|file| Self { file, path })
    }

    /// Holds it together with everyone else who has the store open.
    pub(crate) async fn shared(&self) -> Result<()> {
        self.wait(File::try_lock_shared).await
    }

    /// Holds it alone, under a name that others are shown.
    pub(crate) async fn exclusive(&mut self, purpose: &str) -> Result<()> {
        // Locks of the same open file are converted; giving up the shared one first keeps two waiters from a deadlock.
        self.file.unlock().map_err(|error| StoreError::Io(error.to_string()))?;
        self.wait(File::try_lock).await?;
        let text = format!("process {} ({}), which {purpose}", std::process::id(), program_name());
        let written = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0))).and_then(|_| self.file.write_all(text.as_bytes()));
        written.map_err(|error| StoreError::Io(error.to_string()))
    }

    /// Ends the exclusive hold and goes on together with the others.
    pub(crate) async fn downgrade(&self) -> Result<()> {
        let released = self.file.set_len(0).and_then(|()| self.file.unlock());
        released.map_err(|error| StoreError::Io(error.to_string()))?;
        self.shared().await
    }

    async fn wait(&self, attempt: impl Fn(&File) -> Result<(), TryLockError>) -> Result<()> {
        let mut waited = Duration::ZERO;
        loop {
            match attempt(&self.file) {
                Ok(()) => return Ok(()),
                Err(TryLockError::Error(error)) => return Err(StoreError::Io(error.to_string())),
                Err(TryLockError::WouldBlock) if waited >= PATIENCE => return Err(StoreError::Locked { holder: self.holder() }),
                Err(TryLockError::WouldBlock) => {
                    tokio::time::sleep(STEP).await;
                    waited += STEP;
                }
            }
        }
    }

    /// Who holds the lock, in words.
    fn holder(&self) -> String {
        let mut text = String::new();
        // Read through a handle of its own: the shared offset of ours is used for writing.
        let read = File::open(&self.path).and_then(|file| file.take(500).read_to_string(&mut text));
        if read.is_ok() && !text.trim().is_empty() {
            return text;
        }
        match holders_from_kernel(&self.path) {
            holders if holders.is_empty() => "another Patchbay process that has it open".to_owned(),
            holders => holders.join(" and "),
        }
    }
}

fn program_name() -> String {
    std::env::current_exe().ok().and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned())).unwrap_or_else(|| "patchbay".to_owned())
}

/// Linux tells which processes hold a lock on a file: lines such as `1: FLOCK ADVISORY READ 4711 08:01:1234 0 EOF`.
#[cfg(target_os = "linux")]
fn holders_from_kernel(path: &Path) -> Vec<String> {
    use std::os::unix::fs::MetadataExt;
    let (Ok(meta), Ok(locks)) = (std::fs::metadata(path), std::fs::read_to_string("/proc/locks")) else { return Vec::new() };
    let inode = format!(":{}", meta.ino());
    let mut holders: Vec<String> = locks
        .lines()
        .filter(|line| line.contains("FLOCK"))
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let pid: u32 = words.get(4)?.parse().ok()?;
            let theirs = words.get(5)?.ends_with(&inode) && pid != std::process::id();
            theirs.then(|| {
                let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
                format!("process {pid} ({})", name.trim())
            })
        })
        .collect();
    holders.sort();
    holders.dedup();
    holders
}

#[cfg(not(target_os = "linux"))]
fn holders_from_kernel(_path: &Path) -> Vec<String> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_is_told_for_whom() {
        let store = std::env::temp_dir().join(format!("patchbay-lock-{}", std::process::id()));
        let mut first = StoreLock::open(&store).unwrap();
        let mut second = StoreLock::open(&store).unwrap();
        first.exclusive("migrates the store").await.unwrap();
        let holder = match second.shared().await {
            Err(StoreError::Locked { holder }) => holder,
            other => panic!("the lock is held, but found {other:?}"),
        };
        assert!(holder.contains(&format!("process {}", std::process::id())) && holder.ends_with("which migrates the store"), "{holder}");
        first.downgrade().await.unwrap();
        second.shared().await.unwrap();
        match second.exclusive("restores the store").await {
            Err(StoreError::Locked { holder }) => assert!(holder.contains("has it open"), "{holder}"),
            other => panic!("another has it open, but found {other:?}"),
        }
        drop(first);
        second.exclusive("restores the store").await.unwrap();
        std::fs::remove_file(lock_path(&store)).unwrap();
    }
}

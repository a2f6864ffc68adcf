//! The folder of a store's backups: names, lease, files that become visible whole.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use patchbay_model::{Code, Problem, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{Backup, Failure, Made, Settings};

/// The folder beside the store.
const NAME: &str = "backups";
/// Ends the name of every backup.
const SUFFIX: &str = ".backup";
/// Most bytes of a file of ours beside the backups; anything larger is not ours.
const SMALL: u64 = 64 * 1024;

/// Where the backups of one store lie.
///
/// Several stores may share a folder, and a new store may take the name of an old one, so every name has the name of the
/// store's file and the end of the store's id. A copy or a renamed file thus has a series of its own, and retention never
/// removes another store's backups.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    store: String,
    id: String,
}

/// The lease: while it lives, this process is the only one that makes backups here.
pub(super) struct Lease(#[expect(dead_code, reason = "held for its lock alone")] File);

impl Folder {
    /// The folder of a store's file.
    ///
    /// # Errors
    /// `operation_unsupported` for a path that names no file.
    pub(crate) fn of(store: &Path, id: Uuid) -> Result<Self, Problem> {
        let name = store.file_name().ok_or_else(|| Problem::new(Code::OperationUnsupported, "Backups are made beside a store's file, and this store has none."))?;
        let id = id.simple().to_string();
        // The end of it is random; the beginning is a time.
        let end = id.get(id.len().saturating_sub(12)..).unwrap_or(&id).to_owned();
        Ok(Self { path: store.parent().unwrap_or(Path::new("")).join(NAME), store: name.to_string_lossy().into_owned(), id: end })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Every backup of the store that is whole, newest first. None where there is no folder yet.
    ///
    /// # Errors
    /// `backup_failed` when the folder cannot be read.
    pub(crate) fn list(&self) -> Result<Vec<Backup>, Problem> {
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(trouble("The folder of the backups cannot be read", &self.path, &error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| trouble("The folder of the backups cannot be read", &self.path, &error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // One that another process removes meanwhile is gone, and no error.
            if let (Some((created_at, made)), Ok(metadata)) = (self.parse(&name), entry.metadata()) {
                found.push(Backup { name, created_at, made, bytes: metadata.len() });
            }
        }
        found.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| b.name.cmp(&a.name)));
        Ok(found)
    }

    /// Makes the folder, and takes the lease; none when another process has it.
    ///
    /// # Errors
    /// `backup_failed` when the folder cannot be made or written, or others than its owner can write it.
    pub(super) fn lease(&self) -> Result<Option<Lease>, Problem> {
        self.ensure()?;
        let path = self.beside("lock");
        let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(&path);
        let file = file.map_err(|error| trouble("The lock of the backups cannot be made", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lease(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(trouble("The lock of the backups cannot be taken", &path, &error)),
        }
    }

    fn ensure(&self) -> Result<(), Problem> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&self.path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(trouble("The folder of the backups cannot be made", &self.path, &error)),
        }
        let metadata = std::fs::metadata(&self.path).map_err(|error| trouble("The folder of the backups cannot be used", &self.path, &error))?;
        if !metadata.is_dir() {
            return Err(Problem::new(Code::BackupFailed, format!("{} is not a folder, so no backup can be put there. Move that file away.", self.path.display())));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            if metadata.mode() & 0o022 != 0 {
                return Err(Problem::new(
                    Code::BackupFailed,
                    format!("Others can write in {0}, and so could remove or exchange backups. Run `chmod 700 {0}`, or move the folder away.", self.path.display()),
                ));
            }
        }
        Ok(())
    }

    /// Begins a file that nobody takes for a backup yet. What a process that was killed left there goes first.
    ///
    /// # Errors
    /// `backup_failed`.
    pub(super) fn begin(&self, _lease: &Lease) -> Result<File, Problem> {
        let path = self.beside("partial");
        match std::fs::remove_file(&path) {
            Ok(()) => tracing::info!("what was left of a backup that was never finished is removed"),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(trouble("What was left of an unfinished backup cannot be removed", &path, &error)),
        }
        private(OpenOptions::new().read(true).write(true).create_new(true)).open(&path).map_err(|error| trouble("A backup cannot be begun", &path, &error))
    }

    /// Gives what was begun its name, when every byte of it is on the disk.
    ///
    /// # Errors
    /// `backup_failed`; nothing is left then.
    pub(super) fn finish(&self, lease: &Lease, file: &File, now: Timestamp, made: Made) -> Result<Backup, Problem> {
        let from = self.beside("partial");
        let finished = self.rename(file, &from, now, made);
        if finished.is_err() {
            self.give_up(lease);
        }
        finished
    }

    fn rename(&self, file: &File, from: &Path, now: Timestamp, made: Made) -> Result<Backup, Problem> {
        let cannot = |error: std::io::Error| trouble("A backup cannot be finished", from, &error);
        file.sync_all().map_err(cannot)?;
        let bytes = file.metadata().map_err(cannot)?.len();
        // Names tell seconds, and a second one of the same second must not replace the first.
        let mut at = now;
        let (name, to) = loop {
            let name = self.name(at, made);
            let to = self.path.join(&name);
            if !to.try_exists().map_err(cannot)? {
                break (name, to);
            }
            at = at.plus(Duration::from_secs(1));
        };
        std::fs::rename(from, &to).map_err(cannot)?;
        self.sync();
        let (created_at, made) = self.parse(&name).unwrap_or((at, made));
        Ok(Backup { name, created_at, made, bytes })
    }

    /// Removes what was begun.
    pub(super) fn give_up(&self, _lease: &Lease) {
        // What stays is no backup, and goes at the next turn.
        let _ = std::fs::remove_file(self.beside("partial"));
    }

    /// Removes a backup whose time has come.
    ///
    /// # Errors
    /// `backup_failed`; one that is gone already is none.
    pub(super) fn remove(&self, _lease: &Lease, backup: &Backup) -> Result<(), Problem> {
        let path = self.path.join(&backup.name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(trouble("An old backup cannot be removed", &path, &error)),
            _ => Ok(()),
        }
    }

    /// What is kept; the usual where nobody decided.
    pub(crate) fn settings(&self) -> Settings {
        self.read("settings.json").unwrap_or_default()
    }

    /// Decides what is kept.
    ///
    /// # Errors
    /// `backup_failed`.
    pub(super) fn set_settings(&self, settings: &Settings) -> Result<(), Problem> {
        self.ensure()?;
        self.replace("settings.json", settings)
    }

    /// The last failure that could be written down.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.read("failure.json")
    }

    /// Writes a failure down, or that there is none any more.
    ///
    /// # Errors
    /// `backup_failed`.
    pub(super) fn set_failure(&self, _lease: &Lease, failure: Option<&Failure>) -> Result<(), Problem> {
        if let Some(failure) = failure {
            return self.replace("failure.json", failure);
        }
        let path = self.beside("failure.json");
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(trouble("The note of the last failure cannot be removed", &path, &error)),
            _ => Ok(()),
        }
    }

    fn read<T: DeserializeOwned>(&self, what: &str) -> Option<T> {
        let path = self.beside(what);
        let mut text = String::new();
        match File::open(&path).and_then(|file| file.take(SMALL).read_to_string(&mut text)) {
            Ok(_) => {
                serde_json::from_str(&text).inspect_err(|error| tracing::warn!(%error, path = %path.display(), "a file beside the backups cannot be read and is passed over")).ok()
            }
            Err(_) => None,
        }
    }

    /// Replaces a small file at once: readers see the old or the new one.
    fn replace(&self, what: &str, value: &impl Serialize) -> Result<(), Problem> {
        let path = self.beside(what);
        let cannot = |error: std::io::Error| trouble("A file beside the backups cannot be written", &path, &error);
        let text = serde_json::to_vec(value).map_err(Problem::internal)?;
        let new = self.beside(&format!("{what}.{}", std::process::id()));
        let written = private(OpenOptions::new().write(true).create(true).truncate(true)).open(&new).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync_all()
        });
        let done = written.and_then(|()| std::fs::rename(&new, &path)).map_err(cannot);
        match done {
            Ok(()) => self.sync(),
            // Of a file that could not be written nothing shall stay.
            Err(_) => drop(std::fs::remove_file(&new)),
        }
        done
    }

    /// Makes renames durable.
    fn sync(&self) {
        #[cfg(unix)]
        if let Err(error) = File::open(&self.path).and_then(|folder| folder.sync_all()) {
            // The files themselves are on the disk; a crash could only bring back the names of before.
            tracing::warn!(%error, "the folder of the backups could not be synchronised");
        }
    }

    fn beside(&self, what: &str) -> PathBuf {
        self.path.join(format!("{}-{}.{what}", self.store, self.id))
    }

    fn name(&self, at: Timestamp, made: Made) -> String {
        let word = match made {
            Made::Daily => "daily",
            Made::ByHand => "manual",
        };
        // Colons are not for file names everywhere.
        let seconds: String = at.to_string().chars().take(19).map(|c| if c == ':' { '.' } else { c }).collect();
        format!("{}-{seconds}Z-{word}-{}{SUFFIX}", self.store, self.id)
    }

    /// When and why a backup of this store was made, by the name of its file.
    fn parse(&self, name: &str) -> Option<(Timestamp, Made)> {
        let rest = name.strip_prefix(&self.store)?.strip_prefix('-')?;
        let rest = rest.strip_suffix(SUFFIX)?.strip_suffix(&self.id)?.strip_suffix('-')?;
        let (at, made) = match (rest.strip_suffix("-daily"), rest.strip_suffix("-manual")) {
            (Some(at), _) => (at, Made::Daily),
            (None, Some(at)) => (at, Made::ByHand),
            (None, None) => return None,
        };
        at.replace('.', ":").parse().ok().map(|at| (at, made))
    }
}

/// Readable by the owner alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// What the operating system says, in words.
pub(crate) fn trouble(what: &str, path: &Path, error: &std::io::Error) -> Problem {
    let why = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full. Free some space, or keep fewer backups".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "the disk is read-only. Make it writable".to_owned(),
        ErrorKind::PermissionDenied => "this user may not. Give it the right to write there".to_owned(),
        ErrorKind::FileTooLarge => "files of this size are not allowed here. Raise the limit".to_owned(),
        _ => format!("{error}. Check the disk"),
    };
    Problem::new(Code::BackupFailed, format!("{what} ({}): {why}. The store itself is untouched.", path.display()))
}

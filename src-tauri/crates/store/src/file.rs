//! A store in a SQLite file: opening, creating, migrating, closing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use crate::db::Tx;
use crate::dialect::{self, BEGIN_WRITE};
use crate::error::{Result, StoreError};
use crate::lock::StoreLock;

pub(crate) mod transaction;

use transaction::FileTx;

/// Embedded migrations. Each one sets `user_version` to its number.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// `application_id` of our files, so that another program's database is not taken for a store.
const APPLICATION_ID: i64 = 1_346_523_763;

/// Readers that work side by side; SQLite has one writer anyway.
const READERS: u32 = 4;

/// How long another process may hold the write lock before we answer that the store is busy.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a task waits for its turn within this process.
const TURN_TIMEOUT: Duration = Duration::from_secs(15);

/// An open file.
pub(crate) struct File {
    readers: SqlitePool,
    /// One connection: writers of this process queue here instead of spinning on the file's lock.
    writer: Option<SqlitePool>,
    path: PathBuf,
    /// Held shared as long as the store is open.
    _lock: Option<StoreLock>,
}

impl File {
    /// As [`crate::Store::create`].
    pub(crate) async fn create(path: &Path) -> Result<Self> {
        // Before anything is touched or locked: another process may have the complete store open.
        if path.exists() && complete(path).await? {
            return Err(StoreError::Exists(path.to_owned()));
        }
        create_file(path)?;
        let mut lock = StoreLock::open(path).ok_or_else(|| unlockable(path))?;
        lock.exclusive("creates the store").await?;
        let mut connection = options(path).connect().await.map_err(|error| opening(error, path))?;
        // Looked at again now that nobody else can be at it.
        if matches!(identify(&mut connection, path).await?, Identity::Store { .. }) && has_header(&mut connection).await? {
            return Err(StoreError::Exists(path.to_owned()));
        }
        migrate(&mut connection).await?;
        connection.close().await?;
        lock.downgrade().await?;
        Self::pools(path, true, Some(lock)).await
    }

    /// As [`crate::Store::open`].
    pub(crate) async fn open(path: &Path) -> Result<Self> {
        let writable = probe(path)?;
        let mut lock = if writable { StoreLock::open(path) } else { None };
        if let Some(lock) = &lock {
            lock.shared().await?;
        }
        let options = if writable { options(path) } else { read_only_options(path)? };
        let mut connection = options.connect().await.map_err(|error| opening(error, path))?;
        let Identity::Store { schema } = identify(&mut connection, path).await? else {
            return Err(StoreError::NotAStore(path.to_owned()));
        };
        let known = newest_schema();
        if !has_header(&mut connection).await.map_err(|error| named(error, path))? {
            return Err(StoreError::NotAStore(path.to_owned()));
        }
        if schema < known {
            let Some(lock) = lock.as_mut().filter(|_| writable) else { return Err(StoreError::ReadOnly) };
            lock.exclusive("migrates the store").await?;
            migrate(&mut connection).await?;
            lock.downgrade().await?;
        }
        connection.close().await?;
        Self::pools(path, writable, lock).await
    }

    async fn pools(path: &Path, writable: bool, lock: Option<StoreLock>) -> Result<Self> {
        let pool = |size: u32| {
            SqlitePoolOptions::new().max_connections(size).min_connections(0).acquire_timeout(TURN_TIMEOUT).idle_timeout(None).max_lifetime(None).test_before_acquire(false)
        };
        let base = if writable { options(path) } else { read_only_options(path)? };
        let writer = if writable { Some(pool(1).connect_with(base.clone()).await.map_err(|error| opening(error, path))?) } else { None };
        let readers = pool(READERS).connect_with(base.pragma("query_only", "ON")).await.map_err(|error| opening(error, path))?;
        Ok(Self { readers, writer, path: path.to_owned(), _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.writer.is_none()
    }

    pub(crate) async fn read(&self) -> Result<Tx> {
        Ok(Tx::Sqlite(FileTx::new(self.readers.acquire().await?, "BEGIN")))
    }

    pub(crate) async fn look(&self) -> Result<Tx> {
        Ok(Tx::Sqlite(FileTx::after_one(self.readers.acquire().await?, "BEGIN")))
    }

    pub(crate) async fn write(&self) -> Result<Tx> {
        let writer = self.writer.as_ref().ok_or(StoreError::ReadOnly)?;
        Ok(Tx::Sqlite(FileTx::new(writer.acquire().await?, BEGIN_WRITE)))
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
    }
}

/// The newest schema that this program knows.
pub(crate) fn newest_schema() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // Overwrites what is deleted, so that a purged envelope is gone from the file too.
        .pragma("secure_delete", "ON")
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .statement_cache_capacity(256)
        // A page of rows reaches the reader in one go, not in turns between two threads.
        .row_buffer_size(1024)
        .disable_statement_logging()
}

/// Options for a file that cannot be written. Without a log beside it nothing can change under us, and SQLite needs no
/// shared memory then.
fn read_only_options(path: &Path) -> Result<SqliteConnectOptions> {
    let unmerged = std::fs::metadata(beside(path, "-wal")).is_ok_and(|meta| meta.len() > 0);
    let base = SqliteConnectOptions::new().filename(path).read_only(true).foreign_keys(true).busy_timeout(BUSY_TIMEOUT).disable_statement_logging();
    if matches!(directory(path), Folder::Writable) || beside(path, "-shm").exists() {
        return Ok(base);
    }
    if unmerged {
        return Err(StoreError::ReadOnlyUnmerged(path.to_owned()));
    }
    Ok(base.immutable(true))
}

/// Whether a file can be made beside the store, as SQLite must for its log.
enum Folder {
    Writable,
    /// The disk has no room, which can change at any time; so the store must not be taken for one that cannot.
    Full,
    ReadOnly,
}

fn directory(store: &Path) -> Folder {
    let directory = store.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = directory.join(format!(".patchbay-probe-{}", std::process::id()));
    match std::fs::OpenOptions::new().write(true).create_new(true).open(&name) {
        Ok(_) => {
            // A leftover would be empty and harmless.
            let _ = std::fs::remove_file(&name);
            Folder::Writable
        }
        Err(error) => match error.kind() {
            // Another thread of ours is just as curious.
            std::io::ErrorKind::AlreadyExists => Folder::Writable,
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Folder::Full,
            _ => Folder::ReadOnly,
        },
    }
}

/// Why the lock file of a store cannot be made.
pub(crate) fn unlockable(store: &Path) -> StoreError {
    match directory(store) {
        Folder::Full => StoreError::DiskFull,
        Folder::ReadOnly | Folder::Writable => StoreError::ReadOnly,
    }
}

/// A file that SQLite keeps beside the store.
pub(crate) fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn create_file(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kind() {
            std::io::ErrorKind::NotFound => StoreError::Io(format!("the directory of {} does not exist", path.display())),
            std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => StoreError::ReadOnly,
            std::io::ErrorKind::StorageFull => StoreError::DiskFull,
            _ => StoreError::Io(format!("{}: {error}", path.display())),
        }),
    }
}

/// Whether the store can be written: its file, by opening it so, and its log, which may have to be made.
fn probe(path: &Path) -> Result<bool> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(StoreError::Missing(path.to_owned())),
        Err(error) => return Err(StoreError::Io(format!("{}: {error}", path.display()))),
        Ok(meta) if !meta.is_file() => return Err(StoreError::NotAStore(path.to_owned())),
        Ok(_) => {}
    }
    match std::fs::OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => match directory(path) {
            Folder::Writable => Ok(true),
            // Where its log is there already, SQLite goes on with it.
            _ if beside(path, "-wal").exists() && beside(path, "-shm").exists() => Ok(true),
            Folder::Full => Err(StoreError::DiskFull),
            Folder::ReadOnly => Ok(false),
        },
        Err(_) => match std::fs::File::open(path) {
            Ok(_) => Ok(false),
            Err(error) => Err(StoreError::Io(format!("{}: {error}", path.display()))),
        },
    }
}

fn opening(error: sqlx::Error, path: &Path) -> StoreError {
    named(StoreError::from(error), path)
}

fn named(error: StoreError, path: &Path) -> StoreError {
    match error {
        // SQLite's 26: the first bytes are not those of a database.
        StoreError::Damaged(what) if what.contains("not a database") => StoreError::NotAStore(path.to_owned()),
        // Of files that it cannot make beside the store, SQLite does not say why.
        StoreError::Io(what) => match directory(path) {
            Folder::Full => StoreError::DiskFull,
            Folder::ReadOnly => StoreError::ReadOnly,
            Folder::Writable => StoreError::Io(what),
        },
        other => other,
    }
}

enum Identity {
    /// A new file.
    Empty,
    /// One of ours.
    Store { schema: i64 },
}

async fn identify(connection: &mut SqliteConnection, path: &Path) -> Result<Identity> {
    let application: (i64,) = sqlx::query_as("SELECT application_id FROM pragma_application_id").fetch_one(&mut *connection).await.map_err(|error| opening(error, path))?;
    let schema: (i64,) = sqlx::query_as("SELECT user_version FROM pragma_user_version").fetch_one(&mut *connection).await?;
    let tables: (i64,) =
        sqlx::query_as("SELECT count(*) FROM sqlite_schema WHERE name <> '_sqlx_migrations' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'").fetch_one(&mut *connection).await?;
    let known = newest_schema();
    match (application.0, tables.0) {
        (APPLICATION_ID, _) if schema.0 > known => Err(StoreError::Newer { found: schema.0, known }),
        (APPLICATION_ID, _) => Ok(Identity::Store { schema: schema.0 }),
        (0, 0) => Ok(Identity::Empty),
        _ => Err(StoreError::NotAStore(path.to_owned())),
    }
}

/// Whether the store was completed: its header is written last.
async fn has_header(connection: &mut SqliteConnection) -> Result<bool> {
    let (tables,): (i64,) = sqlx::query_as("SELECT count(*) FROM sqlite_schema WHERE name = 'store_header'").fetch_one(&mut *connection).await?;
    if tables == 0 {
        return Ok(false);
    }
    let (rows,): (i64,) = sqlx::query_as("SELECT count(*) FROM store_header").fetch_one(&mut *connection).await?;
    Ok(rows > 0)
}

/// Whether there is a complete store in the file, by reading alone.
async fn complete(path: &Path) -> Result<bool> {
    probe(path)?;
    let mut connection = read_only_options(path)?.connect().await.map_err(|error| opening(error, path))?;
    let complete = match identify(&mut connection, path).await? {
        Identity::Store { .. } => has_header(&mut connection).await?,
        Identity::Empty => false,
    };
    connection.close().await?;
    Ok(complete)
}

async fn migrate(connection: &mut SqliteConnection) -> Result<()> {
    // Not `run`: what it holds over its waits is generic in a way for which callers could not be proven `Send`.
    // Rebuilding a table would run into its children, so the references are checked as a whole behind the last migration.
    sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut *connection).await?;
    MIGRATIONS.run_direct(None, &mut *connection, false).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error) | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => StoreError::from(error),
        sqlx::migrate::MigrateError::VersionMissing(found) => StoreError::Newer { found, known: newest_schema() },
        other => StoreError::Damaged(other.to_string()),
    })?;
    sqlx::query("PRAGMA foreign_keys = ON").execute(&mut *connection).await?;
    let broken: Vec<(String, Option<i64>, String, i64)> = sqlx::query_as("PRAGMA foreign_key_check").fetch_all(&mut *connection).await?;
    match broken.into_iter().map(dialect::broken_reference).next() {
        None => Ok(()),
        Some(sentence) => Err(StoreError::Damaged(sentence)),
    }
}

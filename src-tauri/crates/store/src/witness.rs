//! Witnesses: of each process that renews tokens, something that the operating system or the database takes back when the
//! process dies. So another need not wait for the end of a lease to go on.
//!
//! Beside a file it is a locked file of its own, `STORE-live/OWNER`. In PostgreSQL it is a lock of a session that does
//! nothing else; when the connection is lost it is made anew, and who asks waits long enough for that. Where sessions are not
//! one's own (a pooler that changes them between transactions), the lock means nothing; then leases alone count.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::task::JoinHandle;

use crate::db;
use crate::error::{Result, StoreError};
use crate::store::Store;
use crate::transaction::SecretWriteTx;

/// How long a dead process is left alone: what it sent last may still arrive.
const SETTLE_FILE: Duration = Duration::from_secs(1);
/// The same where a lost connection looks like a death at first.
const SETTLE_SERVER: Duration = Duration::from_secs(5);
/// How often the session is looked after.
const LOOK: Duration = Duration::from_millis(500);

/// Says that a process lives, for as long as it does.
#[derive(Debug)]
pub struct Witness {
    held: Arc<AtomicBool>,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    File { path: PathBuf, _file: File },
    Session(JoinHandle<()>),
}

impl Witness {
    /// Whether others see it now.
    pub fn holds(&self) -> bool {
        self.held.load(Ordering::SeqCst)
    }

    pub(crate) fn beside(store: &Path, owner: &str) -> std::io::Result<Self> {
        let folder = folder(store);
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(owner);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let file = options.open(&path)?;
        file.lock()?;
        Ok(Self { held: Arc::new(AtomicBool::new(true)), kept: Kept::File { path, _file: file } })
    }

    pub(crate) async fn within(address: PgConnectOptions, owner: &str) -> Result<Option<Self>> {
        let key = name_of(owner);
        let mut session = take(&address, &key).await?;
        // Behind a pooler that gives sessions away the lock would be somebody else's.
        let mut other = address.connect().await?;
        let seen = is_held(&mut other, &key).await?;
        other.close().await?;
        if !seen {
            return Ok(None);
        }
        let held = Arc::new(AtomicBool::new(true));
        let told = held.clone();
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                if session.ping().await.is_ok() {
                    continue;
                }
                told.store(false, Ordering::SeqCst);
                session = loop {
                    match take(&address, &key).await {
                        Ok(session) => break session,
                        Err(_) => tokio::time::sleep(LOOK).await,
                    }
                };
                told.store(true, Ordering::SeqCst);
            }
        });
        Ok(Some(Self { held, kept: Kept::Session(task) }))
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        match &self.kept {
            // The lock goes with the file that is closed behind this.
            Kept::File { path, .. } => drop(std::fs::remove_file(path)),
            Kept::Session(task) => task.abort(),
        }
    }
}

fn folder(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push("-live");
    PathBuf::from(name)
}

fn name_of(owner: &str) -> String {
    format!("patchbay owner {owner}")
}

async fn take(address: &PgConnectOptions, key: &str) -> Result<PgConnection> {
    let mut session = address.connect().await?;
    // Waits, so that a successor's question cannot take it away.
    sqlx::query("SELECT pg_advisory_lock(hashtextextended($1, 0))").bind(key).execute(&mut session).await?;
    Ok(session)
}

async fn is_held(session: &mut PgConnection, key: &str) -> Result<bool> {
    let mut tx = session.begin().await?;
    let (free,): (bool,) = sqlx::query_as("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))").bind(key).fetch_one(&mut *tx).await?;
    tx.rollback().await?;
    Ok(!free)
}

/// Whether whoever has the file lives. What a dead process left is removed.
fn lives_beside(store: &Path, owner: &str) -> bool {
    // An owner is a word of ours; another would be a path.
    if owner.is_empty() || !owner.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return true;
    }
    let path = folder(store).join(owner);
    match OpenOptions::new().write(true).open(&path) {
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        Ok(file) => match file.try_lock() {
            Ok(()) => {
                drop(std::fs::remove_file(&path));
                false
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
        },
    }
}

impl Store {
    /// Says to other processes that `owner` lives, until the witness is dropped or the process dies. None where that cannot be
    /// seen from outside.
    ///
    /// # Errors
    /// Those of the disk or the database.
    pub async fn witness(&self, owner: &str) -> Result<Option<Witness>> {
        match (self.path(), self.witness_address()) {
            (Some(path), _) => Witness::beside(path, owner).map(Some).map_err(|error| StoreError::Io(error.to_string())),
            (None, Some(address)) => Witness::within(address, owner).await,
            (None, None) => Ok(None),
        }
    }

    /// How long a process that seems dead is left alone before another goes on.
    pub fn settle(&self) -> Duration {
        if self.path().is_some() { SETTLE_FILE } else { SETTLE_SERVER }
    }

    /// Whether `owner`, which had a witness, lives. Asked within the transaction that would take over, so that nobody comes
    /// to life behind its back.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn owner_lives(&self, tx: &mut SecretWriteTx, owner: &str) -> Result<bool> {
        if let Some(path) = self.path() {
            return Ok(lives_beside(path, owner));
        }
        let (free,): (bool,) = db::query_as("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))").bind(name_of(owner)).fetch_one(&mut tx.tx).await?;
        Ok(!free)
    }
}

//! An open store, and beginning transactions on it.

use std::path::Path;
use std::sync::{Arc, RwLock};

use patchbay_model::{Origin, Scope, Secret};
use tokio::sync::watch;

use crate::error::Result;
use crate::file::File;
use crate::server::{PostgresAddress, Server};
use crate::transaction::{ReadTx, SecretReadTx, SecretWriteTx, WriteTx};

/// An open store. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    place: Place,
    announcer: Announcer,
    /// A JSON object of passphrases by their ids, and under the empty name the id of the one for new values. Known once the
    /// store's keys are unlocked, and only where the database seals a second time.
    database_key: RwLock<Option<Secret>>,
}

enum Place {
    File(File),
    Server(Box<Server>),
}

/// Tells listeners within this process that there are new changes.
#[derive(Clone)]
pub(crate) struct Announcer(Arc<watch::Sender<i64>>);

impl Announcer {
    pub(crate) fn announce(&self, sequence: i64) {
        self.0.send_if_modified(|newest| {
            let newer = sequence > *newest;
            if newer {
                *newest = sequence;
            }
            newer
        });
    }
}

impl Store {
    /// Creates the file at `path`, or completes one whose creation was interrupted. The header is written by
    /// [`WriteTx::insert_header`], and only with it the store counts as complete.
    ///
    /// # Errors
    /// [`crate::StoreError::Exists`] for a complete store, [`crate::StoreError::NotAStore`] for another file, and those of the disk.
    pub async fn create(path: &Path) -> Result<Self> {
        Self::at(Place::File(File::create(path).await?)).await
    }

    /// Opens the store at `path`, and migrates it when it is older than this program. On a read-only place it opens for
    /// reading, and every write answers [`crate::StoreError::ReadOnly`].
    ///
    /// # Errors
    /// [`crate::StoreError::Missing`], [`crate::StoreError::NotAStore`], [`crate::StoreError::Damaged`], [`crate::StoreError::Newer`],
    /// [`crate::StoreError::Locked`] and those of the disk.
    pub async fn open(path: &Path) -> Result<Self> {
        Self::at(Place::File(File::open(path).await?)).await
    }

    /// Connects to the store in a PostgreSQL database. The schema must be there; whether the store was completed says
    /// [`Self::is_complete`].
    ///
    /// # Errors
    /// [`crate::StoreError::Unreachable`], [`crate::StoreError::Denied`], [`crate::StoreError::MissingSchema`], [`crate::StoreError::Newer`].
    pub async fn connect(address: &PostgresAddress) -> Result<Self> {
        Self::at(Place::Server(Box::new(Server::connect(address).await?))).await
    }

    /// Makes a PostgreSQL database fit to be a store, as far as the login may, and connects to it. What is there already is
    /// left alone; whether the store was completed says [`Self::is_complete`].
    ///
    /// # Errors
    /// Those of [`crate::provision`], and those of [`Self::connect`].
    pub async fn create_in(address: &PostgresAddress) -> Result<Self> {
        Self::at(Place::Server(Box::new(Server::create(address).await?))).await
    }

    async fn at(place: Place) -> Result<Self> {
        let store = Self { inner: Arc::new(Inner { place, announcer: Announcer(Arc::new(watch::Sender::new(0))), database_key: RwLock::default() }) };
        store.poll_changes().await?;
        Ok(store)
    }

    /// Where the store lies, if it is a file.
    pub fn path(&self) -> Option<&Path> {
        match &self.inner.place {
            Place::File(file) => Some(file.path()),
            Place::Server(_) => None,
        }
    }

    /// For a session of its own, where the store lies in a database.
    pub(crate) fn witness_address(&self) -> Option<sqlx::postgres::PgConnectOptions> {
        match &self.inner.place {
            Place::File(_) => None,
            Place::Server(server) => Some(server.witness_address()),
        }
    }

    /// Whether it was opened for reading alone.
    pub fn is_read_only(&self) -> bool {
        match &self.inner.place {
            Place::File(file) => file.is_read_only(),
            Place::Server(_) => false,
        }
    }

    /// Whether the store was completed: its header is written last.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_complete(&self) -> Result<bool> {
        self.read(Scope::System).await?.has_header().await
    }

    /// Hands over the keys under which the database seals once more; nothing sealed is read or written before. For a file
    /// there is none.
    ///
    /// `keys` are passphrases by their ids, the one for new values first; while they are rotated there are two. May be called
    /// again at any time; transactions that have begun go on with those before.
    pub fn unlock_database_keys(&self, keys: &[(String, Secret)]) {
        let quoted = |text: &str| serde_json::Value::String(text.to_owned()).to_string();
        let mut object = String::from("{");
        if let Some((active, _)) = keys.first() {
            object.push_str(&format!("\"\":{}", quoted(active)));
        }
        for (id, passphrase) in keys {
            object.push_str(&format!(",{}:{}", quoted(id), quoted(passphrase.expose())));
        }
        object.push('}');
        // A poisoned lock holds keys that are whole: they are replaced at once or not at all.
        *self.inner.database_key.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Secret::new(object));
    }

    /// Begins to read within `scope`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn read(&self, scope: Scope) -> Result<ReadTx> {
        crate::operations::begun();
        let tx = match &self.inner.place {
            Place::File(file) => file.read().await?,
            Place::Server(server) => Box::pin(server.read(scope)).await?,
        };
        Ok(ReadTx::new(tx, scope))
    }

    /// As [`Self::read`], for an answer that mostly needs a single question: the first may see an older view than those after
    /// it, so that a lone one costs no beginning and no end.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn look(&self, scope: Scope) -> Result<ReadTx> {
        crate::operations::begun();
        let tx = match &self.inner.place {
            Place::File(file) => file.look().await?,
            Place::Server(server) => Box::pin(server.read(scope)).await?,
        };
        Ok(ReadTx::new(tx, scope))
    }

    /// Begins to write within `scope`. On a file it waits for other writers of this process, and its first statement for those
    /// of others; from then on it cannot fail for want of the lock.
    ///
    /// # Errors
    /// [`crate::StoreError::Busy`] when the turn does not come, here or at the first statement; [`crate::StoreError::ReadOnly`].
    pub async fn write(&self, scope: Scope, origin: Origin) -> Result<WriteTx> {
        crate::operations::begun();
        let tx = match &self.inner.place {
            Place::File(file) => file.write().await?,
            Place::Server(server) => Box::pin(server.write(scope, self.database_key())).await?,
        };
        Ok(WriteTx::new(tx, scope, origin, self.inner.announcer.clone()))
    }

    /// Begins to read within `scope`, sealed values too.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn read_secrets(&self, scope: Scope) -> Result<SecretReadTx> {
        crate::operations::begun();
        let tx = match &self.inner.place {
            Place::File(file) => file.read().await?,
            Place::Server(server) => Box::pin(server.read_secrets(scope, self.database_key())).await?,
        };
        Ok(SecretReadTx::new(ReadTx::new(tx, scope)))
    }

    /// Begins to write within `scope` and to read sealed values.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn write_secrets(&self, scope: Scope, origin: Origin) -> Result<SecretWriteTx> {
        crate::operations::begun();
        let tx = match &self.inner.place {
            Place::File(file) => file.write().await?,
            Place::Server(server) => Box::pin(server.write_secrets(scope, self.database_key())).await?,
        };
        Ok(SecretWriteTx::new(WriteTx::new(tx, scope, origin, self.inner.announcer.clone())))
    }

    fn database_key(&self) -> Option<Secret> {
        self.inner.database_key.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Watches the newest sequence that this process has committed or heard of.
    pub fn watch_changes(&self) -> watch::Receiver<i64> {
        self.inner.announcer.0.subscribe()
    }

    /// Asks the store for changes of other processes, and tells the watchers. Call it in a loop; it costs one small read.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn poll_changes(&self) -> Result<i64> {
        let newest = self.look(Scope::System).await?.latest_sequence().await?;
        self.inner.announcer.announce(newest);
        Ok(newest)
    }

    /// Waits until another process may have changed something: on a server until it says so, on a file for one turn of the
    /// caller's patience. Then [`Self::poll_changes`].
    ///
    /// # Errors
    /// [`crate::StoreError::Unreachable`] when the connection on which it waits was lost; call it again.
    pub async fn wait_for_changes(&self, patience: std::time::Duration) -> Result<()> {
        match &self.inner.place {
            Place::File(_) => tokio::time::sleep(patience).await,
            Place::Server(server) => server.wait_for_changes(patience).await?,
        }
        Ok(())
    }

    /// Closes all connections; of a file the last one merges the write-ahead log into it.
    pub async fn close(&self) {
        match &self.inner.place {
            Place::File(file) => file.close().await,
            Place::Server(server) => server.close().await,
        }
    }
}

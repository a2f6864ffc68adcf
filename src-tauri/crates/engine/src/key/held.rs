//! The keys that this process holds, and how they follow the store's.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use patchbay_model::{Code, Problem, Scope, Secret};
use patchbay_store::{ReadTx, WriteTx};
use patchbay_vault::{Aad, Envelope, KeyAccess, KeyHeader, KeySource, Vault};
use tokio::sync::Notify;

use crate::Engine;

/// The unlocked keys with the source that they came from.
pub(crate) struct HeldKeys {
    vault: RwLock<Arc<Vault>>,
    /// Without a passphrase: nobody's memory has to hold one for as long as a store is open.
    access: RwLock<KeyAccess>,
    /// Why the source gives the master key no longer.
    trouble: Mutex<Option<String>>,
    /// One process asks its source once, however many requests wait for the answer.
    reloading: tokio::sync::Mutex<()>,
    /// Something is to be done: the header changed, or a rotation was begun.
    woken: Arc<Notify>,
}

/// Whether this process holds what the store has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Followed {
    /// It does now.
    Yes,
    /// The master key is another one: the source has to be asked.
    AskSource,
}

impl HeldKeys {
    pub(crate) fn new(vault: Vault, access: &KeyAccess) -> Self {
        Self {
            vault: RwLock::new(Arc::new(vault)),
            access: RwLock::new(access.without_passphrase()),
            trouble: Mutex::default(),
            reloading: tokio::sync::Mutex::default(),
            woken: Arc::default(),
        }
    }

    /// The keys as they are held now.
    pub(crate) fn vault(&self) -> Arc<Vault> {
        self.vault.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps everybody else from asking the source, while its key is exchanged.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.reloading.lock().await
    }

    /// Wakes the task that follows the store's keys.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }

    /// What wakes it.
    pub(super) fn woken(&self) -> Arc<Notify> {
        self.woken.clone()
    }

    /// The source, without what a person added.
    pub(super) fn access(&self) -> KeyAccess {
        self.access.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn source(&self) -> KeySource {
        self.access().source().clone()
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_trouble(&self, trouble: Option<String>) {
        let before = std::mem::replace(&mut *self.trouble.lock().unwrap_or_else(PoisonError::into_inner), trouble.clone());
        if let Some(trouble) = trouble.filter(|now| before.as_ref() != Some(now)) {
            tracing::warn!("{trouble}");
        }
    }

    /// Takes other keys of the same store.
    pub(super) fn exchange(&self, vault: Vault, access: &KeyAccess) {
        let mut held = self.vault.write().unwrap_or_else(PoisonError::into_inner);
        let vault = vault.keeping(&held);
        *held = Arc::new(vault);
        drop(held);
        *self.access.write().unwrap_or_else(PoisonError::into_inner) = access.without_passphrase();
        self.set_trouble(None);
    }

    /// Takes up what the header has, by the master key that this process was given. Asks nobody and waits for nothing.
    ///
    /// # Errors
    /// `store_damaged`, `store_newer`.
    pub(super) fn follow(&self, header: &KeyHeader) -> Result<Followed, Problem> {
        let mut held = self.vault.write().unwrap_or_else(PoisonError::into_inner);
        Ok(match held.reloaded(header)? {
            Some(vault) => {
                *held = Arc::new(vault);
                Followed::Yes
            }
            None => Followed::AskSource,
        })
    }
}

/// How long a transaction waits for a source that is asked in it. Files and variables answer at once, an unlocked keyring in a
/// moment; a person is not waited for.
const IN_TRANSACTION: Duration = Duration::from_secs(2);

impl HeldKeys {
    /// Takes up what the header has; asks the source where the master key was rotated. Says whether this process holds the
    /// store's keys then. What the source says otherwise is told in the log and in `key status`, and the process goes on with
    /// the keys that it holds. Without `patience` the source has as long as it wants.
    async fn take_up(&self, header: &KeyHeader, patience: Option<Duration>) -> Result<bool, Problem> {
        if self.follow(header)? == Followed::Yes {
            return Ok(true);
        }
        let _turn = self.reloading.lock().await;
        // Another request may have asked meanwhile.
        if self.follow(header)? == Followed::Yes {
            return Ok(true);
        }
        let access = self.access();
        let asked = {
            let (access, header) = (access.clone(), header.clone());
            tokio::task::spawn_blocking(move || access.open_vault(&header))
        };
        let answered = match patience {
            None => asked.await,
            Some(patience) => match tokio::time::timeout(patience, asked).await {
                Ok(answered) => answered,
                Err(_) => return Ok(false),
            },
        };
        match answered.map_err(|_| Problem::internal("unlocking was interrupted"))? {
            Ok(vault) => {
                self.exchange(vault, &access);
                Ok(true)
            }
            Err(problem) => {
                let since = header.master_rotated_at.map(|at| format!(" at {at}")).unwrap_or_default();
                self.set_trouble(Some(format!(
                    "The master key of this store was rotated{since} and comes from {} now, which this program was not given. It goes on with the keys that it holds; start it anew with the next key. ({})",
                    header.lock.made_with.words(),
                    problem.message
                )));
                Ok(false)
            }
        }
    }

    /// The same within a transaction, whose locks others wait for: a source that has said no is not asked again.
    async fn take_up_in_transaction(&self, header: &KeyHeader) -> Result<bool, Problem> {
        if self.trouble().is_some() { Ok(self.follow(header)? == Followed::Yes) } else { self.take_up(header, Some(IN_TRANSACTION)).await }
    }

    /// Whether a source that has said no may be asked again without a cause: one that asks nobody.
    pub(super) fn worth_asking_again(&self) -> bool {
        self.trouble().is_some() && matches!(self.source(), KeySource::File(_) | KeySource::Env(_) | KeySource::Systemd)
    }
}

/// Reads the header and takes up its keys.
///
/// # Errors
/// `store_damaged`, `store_newer`, and problems of the store.
pub(crate) async fn reload(engine: &Engine) -> Result<(), Problem> {
    let mut tx = engine.store().read(Scope::System).await?;
    let header = super::header(&mut tx).await?;
    drop(tx);
    if engine.keys().take_up(&header, None).await? {
        engine.keys().set_trouble(None);
    }
    engine.hand_over_database_keys();
    Ok(())
}

impl Engine {
    /// Gives the store the keys under which its database encrypts; a store that is a file has none.
    pub(crate) fn hand_over_database_keys(&self) {
        crate::installation::hand_over_database_key(self.store(), &self.vault());
    }

    /// Seals a secret for one place, under a data key that the store has in this transaction: what is written in it can be
    /// opened for as long as it lies there.
    ///
    /// # Errors
    /// `key_unavailable` when the keys were rotated and this process cannot follow; problems of the store.
    pub(crate) async fn seal(&self, tx: &mut WriteTx, place: &Aad<'_>, plain: &Secret) -> Result<Envelope, Problem> {
        let header = super::header(tx).await?;
        if self.vault().active_key() != header.active {
            self.keys().take_up_in_transaction(&header).await?;
        }
        let vault = self.vault();
        if header.has_data_key(vault.active_key()) {
            return vault.seal(place, plain, self.context().entropy());
        }
        Err(cannot_follow())
    }

    /// That this process can seal. Asked before a request to a provider whose answer must be kept: an answer that cannot be
    /// sealed would be lost.
    ///
    /// # Errors
    /// `key_unavailable` when it cannot; problems of the store.
    pub(crate) async fn can_seal(&self, tx: &mut ReadTx) -> Result<(), Problem> {
        let header = super::header(tx).await?;
        if header.has_data_key(self.vault().active_key()) {
            return Ok(());
        }
        self.keys().take_up_in_transaction(&header).await?;
        if header.has_data_key(self.vault().active_key()) { Ok(()) } else { Err(cannot_follow()) }
    }

    /// Opens a sealed value. One under a key that this process has not met lets it read the store's keys anew.
    ///
    /// # Errors
    /// `seal_broken`, and problems of the store.
    pub(crate) async fn open_sealed(&self, place: &Aad<'_>, envelope: &Envelope) -> Result<Secret, Problem> {
        if !self.vault().knows(&envelope.key_id) {
            reload(self).await?;
            if !self.vault().knows(&envelope.key_id) && self.keys().trouble().is_some() {
                return Err(cannot_follow());
            }
        }
        self.vault().open(place, envelope)
    }

    /// The same within a transaction: the header is read in it, so that no second connection is waited for.
    ///
    /// # Errors
    /// Those of [`Self::open_sealed`].
    pub(crate) async fn open_sealed_in(&self, tx: &mut ReadTx, place: &Aad<'_>, envelope: &Envelope) -> Result<Secret, Problem> {
        if !self.vault().knows(&envelope.key_id) {
            let header = super::header(tx).await?;
            if !self.keys().take_up_in_transaction(&header).await? && !self.vault().knows(&envelope.key_id) {
                return Err(cannot_follow());
            }
        }
        self.vault().open(place, envelope)
    }
}

fn cannot_follow() -> Problem {
    Problem::new(
        Code::KeyUnavailable,
        "The keys of this store were rotated, and this program was not given the next master key. Start it anew with the next key; `patchbay key status` says where it comes from.",
    )
}

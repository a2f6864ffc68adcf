//! A new store that is filled by an image.

use std::path::Path;

use patchbay_model::{Context, Origin, Problem, Scope};
use patchbay_store::{Batch, Store, StoreHeader};
use patchbay_vault::{KeyAccess, KeyHeader, Vault};
use uuid::Uuid;

use super::{Progress, Step};
use crate::installation::{StoreUrl, create_empty};

/// A store without a header, which counts as none yet.
pub(super) struct Target {
    pub(super) store: Store,
    /// Whether its file was not there before.
    fresh: bool,
}

impl Target {
    /// Makes the store, or takes one that was begun and never finished.
    ///
    /// # Errors
    /// `in_use` when there is a complete store; problems of the store.
    pub(super) async fn create(url: &StoreUrl) -> Result<Self, Problem> {
        let fresh = url.file().is_none_or(|path| !path.exists());
        Ok(Self { store: create_empty(url).await?, fresh })
    }

    /// The same, of a file.
    ///
    /// # Errors
    /// Problems of the store.
    pub(super) async fn create_file(path: &Path) -> Result<Self, Problem> {
        Ok(Self { store: Store::create(path).await?, fresh: true })
    }

    /// Whether the database seals once more, under a key of its own.
    pub(super) fn has_database_key(&self) -> bool {
        self.store.path().is_none()
    }

    /// Writes all rows and, last of all, the header, in one transaction: before its end there is no store. `each` is given
    /// the rows before they are written.
    ///
    /// # Errors
    /// `in_use` when the store has rows; those of `rows` and `each`; problems of the store.
    pub(super) async fn fill<R: Rows>(&self, rows: &mut R, header: StoreHeader, of: u64, progress: Progress<'_>) -> Result<(), Problem> {
        let mut tx = self.store.write(Scope::System, Origin::Cli).await?;
        tx.require_empty().await?;
        let mut written = 0;
        while let Some(batch) = rows.next().await? {
            tx.insert_image(&batch).await?;
            written += batch.len() as u64;
            progress(Step { doing: "Filling", table: batch.table(), rows: written, of });
        }
        tx.insert_header(&header).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Closes it.
    pub(super) async fn close(self) {
        self.store.close().await;
    }

    /// Gives it up: nothing is left of a file that was not there before.
    pub(super) async fn give_up(self) {
        let path = self.store.path().map(Path::to_owned);
        self.store.close().await;
        if let Some(path) = path.filter(|_| self.fresh) {
            crate::installation::remove(&path);
        }
    }
}

/// Rows on their way into a store.
pub(super) trait Rows: Send {
    /// The next ones, as they are to be written; none at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Batch>, Problem>> + Send;
}

/// The header of a store.
pub(super) fn store_header(id: Uuid, keys: &KeyHeader, created_at: patchbay_model::Timestamp) -> Result<StoreHeader, Problem> {
    let key_header = serde_json::to_value(keys).map_err(|_| Problem::internal("the key header cannot be written as JSON"))?;
    Ok(StoreHeader { id, key_header, created_at })
}

/// The keys with which a new store is filled, and what it keeps of them.
pub(super) struct Keys {
    pub(super) vault: Vault,
    pub(super) header: KeyHeader,
}

impl Keys {
    /// These keys, as a store of the other kind has them.
    ///
    /// # Errors
    /// `internal`, which cannot be brought about.
    pub(super) fn fitted(self, target: &Target, context: &Context) -> Result<Self, Problem> {
        let header = self.vault.header_for(target.has_database_key(), &self.header, context)?;
        // What the database seals with is in the header; unlocked again, so that both say the same.
        let vault = self.vault.reloaded(&header)?.unwrap_or(self.vault);
        Ok(Self { vault, header })
    }

    /// Hands the database its key.
    pub(super) fn unlock(&self, target: &Target) {
        crate::installation::hand_over_database_key(&target.store, &self.vault);
    }
}

/// Keys of a new store; of a copy with the hash key of its source.
///
/// # Errors
/// `key_unavailable`; `weak_password` for a short passphrase.
pub(super) async fn new_keys(source: Option<&Vault>, target: &Target, id: Uuid, access: &KeyAccess, context: &Context) -> Result<Keys, Problem> {
    let (access, own, database) = (access.clone(), context.clone(), target.has_database_key());
    let made = move || if database { access.create_database_vault(id, &own) } else { access.create_vault(id, &own) };
    let (vault, header) = tokio::task::spawn_blocking(made).await.map_err(|_| Problem::internal("making the keys was interrupted"))??;
    let (vault, header) = match source {
        Some(source) => vault.with_hash_key_of(source, &header, context)?,
        None => (vault, header),
    };
    Ok(Keys { vault, header })
}

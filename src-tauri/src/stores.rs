//! Which stores were open before, newest first. Paths and names of key sources only; no keys.

use std::path::{Path, PathBuf};

use patchbay_api::wire::host::RecentStore;
use patchbay_model::{Code, Problem};

/// Stores remembered.
const MOST: usize = 10;

/// The list, kept in the application's configuration folder.
pub(crate) struct Recents {
    file: PathBuf,
}

impl Recents {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { file: folder.join("stores.json") }
    }

    /// Every store, newest first; empty when none was opened or the file cannot be read.
    pub(crate) fn all(&self) -> Vec<RecentStore> {
        let Ok(text) = std::fs::read(&self.file) else { return Vec::new() };
        serde_json::from_slice(&text).unwrap_or_else(|error| {
            tracing::warn!(%error, file = %self.file.display(), "the list of recent stores cannot be read and begins anew");
            Vec::new()
        })
    }

    /// Puts a store first.
    ///
    /// # Errors
    /// `store_read_only` when the file cannot be written.
    pub(crate) fn remember(&self, store: RecentStore) -> Result<(), Problem> {
        let mut all = self.all();
        all.retain(|other| other.path != store.path);
        all.insert(0, store);
        all.truncate(MOST);
        let written = serde_json::to_vec_pretty(&all).map_err(std::io::Error::from).and_then(|text| {
            if let Some(folder) = self.file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            // Written beside and renamed: a crash leaves the old list or the new one.
            let beside = self.file.with_extension("json.new");
            std::fs::write(&beside, text)?;
            std::fs::rename(&beside, &self.file)
        });
        written.map_err(|error| {
            Problem::new(Code::StoreReadOnly, format!("The list of recent stores at {} could not be written: {error}. Check the folder's permissions.", self.file.display()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_store_stands_first_and_once() {
        let folder = std::env::temp_dir().join(format!("patchbay-recents-{}", std::process::id()));
        let recents = Recents::new(&folder);
        let store = |path: &str| RecentStore { path: path.to_owned(), key_source: "keyring".to_owned() };
        for path in ["a", "b", "a"] {
            recents.remember(store(path)).unwrap();
        }
        let paths: Vec<_> = recents.all().into_iter().map(|store| store.path).collect();
        assert_eq!(paths, ["a", "b"]);
        std::fs::write(folder.join("stores.json"), "{ not a list").unwrap();
        assert!(recents.all().is_empty(), "a damaged list begins anew");
        std::fs::remove_dir_all(folder).unwrap();
    }
}

//! Which stores were open before, newest first. Addresses, names of key sources and what the person said about each; no
//! secrets.

use std::path::{Path, PathBuf};

use patchbay_api::wire::host::{RecentStore, StoreKind, StoreMark};
use patchbay_model::{Code, Problem};
use serde::{Deserialize, Serialize};

/// Stores remembered.
const MOST: usize = 24;

/// Most characters of a store's name.
const LONGEST_LABEL: usize = 64;

/// One store, as it is written down.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Entry {
    /// Lists of the first version named a file by its path.
    #[serde(alias = "path")]
    url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mark: Option<StoreMark>,
}

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
        self.entries().into_iter().map(view).collect()
    }

    /// The store with this address; one without a name or mark when it was never open.
    pub(crate) fn get(&self, url: &str) -> RecentStore {
        let known = self.entries().into_iter().find(|entry| entry.url == url);
        view(known.unwrap_or_else(|| Entry { url: url.to_owned(), key_source: None, account: None, label: None, mark: None }))
    }

    /// Puts a store first. What the person said about it stays.
    ///
    /// # Errors
    /// `store_read_only` when the file cannot be written.
    pub(crate) fn remember(&self, url: &str, key_source: Option<String>, account: Option<String>) -> Result<(), Problem> {
        let mut all = self.entries();
        let before = all.iter().position(|entry| entry.url == url).map(|at| all.remove(at));
        let (label, mark, acted) = before.map_or((None, None, None), |entry| (entry.label, entry.mark, entry.account));
        all.insert(0, Entry { url: url.to_owned(), key_source, account: account.or(acted), label, mark });
        // What was marked or named is kept longer than what was only opened.
        while all.len() > MOST {
            let unsaid = all.iter().rposition(|entry| entry.label.is_none() && entry.mark.is_none()).unwrap_or(all.len() - 1);
            all.remove(unsaid);
        }
        self.write(&all)
    }

    /// Puts a store that was never open at the end, if it is not on the list.
    ///
    /// # Errors
    /// `store_read_only` when the file cannot be written.
    pub(crate) fn add(&self, url: &str, key_source: String) -> Result<(), Problem> {
        let mut all = self.entries();
        if all.iter().any(|entry| entry.url == url) {
            return Ok(());
        }
        all.push(Entry { url: url.to_owned(), key_source: Some(key_source), account: None, label: None, mark: None });
        self.write(&all)
    }

    /// Says what a store is for and how it is called.
    ///
    /// # Errors
    /// `not_found` for a store that is not remembered, `invalid_field` for a name that does not fit on a line,
    /// `store_read_only` when the file cannot be written.
    pub(crate) fn mark(&self, url: &str, mark: Option<StoreMark>, label: Option<String>) -> Result<(), Problem> {
        let label = label.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty());
        if label.as_ref().is_some_and(|label| label.chars().count() > LONGEST_LABEL || label.chars().any(char::is_control)) {
            return Err(Problem::field("/label", format!("A store's name is one line of at most {LONGEST_LABEL} characters.")));
        }
        let mut all = self.entries();
        let entry = all.iter_mut().find(|entry| entry.url == url).ok_or_else(|| unknown(url))?;
        (entry.mark, entry.label) = (mark, label);
        self.write(&all)
    }

    /// Takes a store off the list; the store itself stays as it is.
    ///
    /// # Errors
    /// `store_read_only` when the file cannot be written.
    pub(crate) fn forget(&self, url: &str) -> Result<(), Problem> {
        let mut all = self.entries();
        all.retain(|entry| entry.url != url);
        self.write(&all)
    }

    fn entries(&self) -> Vec<Entry> {
        let Ok(text) = std::fs::read(&self.file) else { return Vec::new() };
        let entries: Vec<Entry> = serde_json::from_slice(&text).unwrap_or_else(|error| {
            tracing::warn!(%error, file = %self.file.display(), "the list of recent stores cannot be read and begins anew");
            Vec::new()
        });
        entries.into_iter().map(|entry| Entry { url: address(&entry.url), ..entry }).collect()
    }

    fn write(&self, all: &[Entry]) -> Result<(), Problem> {
        let written = serde_json::to_vec_pretty(all).map_err(std::io::Error::from).and_then(|text| {
            if let Some(folder) = self.file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            // Written beside and renamed: a crash leaves the old list or the new one.
            let beside = self.file.with_extension("json.new");
            std::fs::write(&beside, text)?;
            std::fs::rename(&beside, &self.file)
        });
        written.map_err(|error| {
            Problem::new(Code::StoreReadOnly, format!("The list of stores at {} could not be written: {error}. Check the folder's permissions.", self.file.display()))
        })
    }
}

fn unknown(url: &str) -> Problem {
    Problem::new(Code::NotFound, format!("The store {url} is not on the list. Open it first."))
}

/// What a person or an old list gives as a place, as a store URL: a bare path is a file.
pub(crate) fn address(given: &str) -> String {
    let given = given.trim();
    match given.split_once(':') {
        Some(("sqlite" | "postgres" | "postgresql" | "https" | "http", _)) => given.to_owned(),
        _ => format!("sqlite:{given}"),
    }
}

/// What the store at this address is.
pub(crate) fn kind(url: &str) -> StoreKind {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("postgres" | "postgresql") => StoreKind::Postgres,
        Some("https" | "http") => StoreKind::Remote,
        _ => StoreKind::Sqlite,
    }
}

/// The file's name, the database and its host, or the other Patchbay's host.
fn label_of(url: &str) -> String {
    let place = url.split_once(':').map_or(url, |(_, rest)| rest).trim_start_matches("//");
    let place = place.split(['?', '#']).next().unwrap_or(place);
    match kind(url) {
        StoreKind::Sqlite => Path::new(place).file_name().map_or_else(|| place.to_owned(), |name| name.to_string_lossy().into_owned()),
        StoreKind::Remote => place.trim_end_matches('/').to_owned(),
        StoreKind::Postgres => {
            let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
            match place.split_once('/') {
                Some((host, database)) if !database.is_empty() => format!("{database} on {}", if host.is_empty() { "this computer" } else { host }),
                _ => place.to_owned(),
            }
        }
    }
}

fn view(entry: Entry) -> RecentStore {
    RecentStore {
        kind: kind(&entry.url),
        named: entry.label.is_some(),
        label: entry.label.unwrap_or_else(|| label_of(&entry.url)),
        mark: entry.mark,
        key_source: entry.key_source,
        account: entry.account,
        url: entry.url,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf, Recents);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("patchbay-recents-{name}-{}", std::process::id()));
            let recents = Recents::new(&folder);
            Self(folder, recents)
        }

        fn urls(&self) -> Vec<String> {
            self.1.all().into_iter().map(|store| store.url).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_newest_store_stands_first_and_once() {
        let folder = Folder::new("order");
        for url in ["sqlite:a", "sqlite:b", "sqlite:a"] {
            folder.1.remember(url, Some("keyring".to_owned()), None).unwrap();
        }
        assert_eq!(folder.urls(), ["sqlite:a", "sqlite:b"]);
        std::fs::write(folder.0.join("stores.json"), "{ not a list").unwrap();
        assert!(folder.urls().is_empty(), "a damaged list begins anew");
    }

    #[test]
    fn the_list_of_the_first_version_is_read() {
        let folder = Folder::new("old");
        std::fs::create_dir_all(&folder.0).unwrap();
        std::fs::write(folder.0.join("stores.json"), r#"[{"path": "/home/ada/a.db", "key_source": "file:/k"}]"#).unwrap();
        let all = folder.1.all();
        assert_eq!((all[0].url.as_str(), all[0].label.as_str(), all[0].key_source.as_deref()), ("sqlite:/home/ada/a.db", "a.db", Some("file:/k")));
    }

    #[test]
    fn what_the_person_said_outlives_opening_and_crowding() {
        let folder = Folder::new("said");
        folder.1.remember("postgres://ada@db.example/acme", Some("keyring".to_owned()), None).unwrap();
        folder.1.mark("postgres://ada@db.example/acme", Some(StoreMark::Prod), Some("  Acme live ".to_owned())).unwrap();
        for n in 0..2 * MOST {
            folder.1.remember(&format!("sqlite:{n}"), None, None).unwrap();
        }
        let kept = folder.1.get("postgres://ada@db.example/acme");
        assert_eq!((kept.label.as_str(), kept.named, kept.mark, kept.kind), ("Acme live", true, Some(StoreMark::Prod), StoreKind::Postgres));
        assert_eq!(folder.1.all().len(), MOST);
        folder.1.remember(&kept.url, kept.key_source.clone(), None).unwrap();
        assert_eq!(folder.1.all()[0], kept);
        folder.1.forget(&kept.url).unwrap();
        assert!(!folder.urls().contains(&kept.url));
        assert_eq!(folder.1.mark(&kept.url, None, None).unwrap_err().code, Code::NotFound);
    }

    #[test]
    fn a_name_fits_on_one_line() {
        let folder = Folder::new("names");
        folder.1.remember("sqlite:a.db", None, None).unwrap();
        for label in ["x".repeat(65), "two\nlines".to_owned()] {
            assert_eq!(folder.1.mark("sqlite:a.db", None, Some(label)).unwrap_err().code, Code::InvalidField);
        }
        folder.1.mark("sqlite:a.db", None, Some("   ".to_owned())).unwrap();
        assert_eq!(folder.1.get("sqlite:a.db").label, "a.db", "an empty name is none");
    }

    #[test]
    fn places_have_names_for_people() {
        for (given, url, label) in [
            (" /tmp/a b.db ", "sqlite:/tmp/a b.db", "a b.db"),
            ("C:\\a.db", "sqlite:C:\\a.db", "C:\\a.db"),
            ("postgres://ada@db.example:5433/acme?sslmode=require", "postgres://ada@db.example:5433/acme?sslmode=require", "acme on db.example:5433"),
            ("postgres:///acme?host=/run/postgresql", "postgres:///acme?host=/run/postgresql", "acme on this computer"),
            ("https://patchbay.example/", "https://patchbay.example/", "patchbay.example"),
        ] {
            assert_eq!(address(given), url);
            assert_eq!(label_of(&address(given)), label, "{given}");
        }
    }
}

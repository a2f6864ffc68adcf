//! The last answers of reads, for the time when the server cannot be reached. Each is a file, sealed under a key that lies in the
//! keyring, named so that the name tells nothing. It is bounded in number, bytes and age, and holds no secret: answers of reads
//! have none, and one that has the shape of a token in it is not kept.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use patchbay_model::token::SecretKind;
use patchbay_model::{Code, Context, Problem, Timestamp};
use patchbay_vault::{KeyringItem, LocalKey, parse_token};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// End of the names of our files; nothing else in the folder is touched.
const ENDING: &str = ".answer";
/// Stands for a command where no answer is kept, but that there was one. No command has this name.
const SIGN_OF_LIFE: &str = "";

/// How much is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CacheLimits {
    /// Most answers.
    pub answers: usize,
    /// Most bytes of all of them, sealed.
    pub bytes: u64,
    /// Most bytes of one; a larger one is not kept.
    pub largest: usize,
    /// How old an answer may be and still be given.
    pub age: Duration,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { answers: 2000, bytes: 64 << 20, largest: 2 << 20, age: Duration::from_secs(30 * 24 * 3600) }
    }
}

/// An answer that was kept.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Kept {
    /// When the server gave it.
    pub(crate) at: Timestamp,
    pub(crate) answer: Value,
}

#[derive(Serialize)]
struct Written<'a> {
    at: Timestamp,
    answer: &'a Value,
}

#[derive(Deserialize)]
struct Read {
    at: Timestamp,
    answer: Value,
}

/// So many files can be written while the times that a file system gives them stay the same, and are then in no order.
const ALIKE: usize = 16;

/// The cache of one server. Clones share it. Every call reads or writes files: run it off the async threads.
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    server: String,
    key: LocalKey,
    limits: CacheLimits,
    context: Context,
    index: Mutex<Index>,
}

/// What lies in the folder, in the order in which it was written.
#[derive(Default)]
struct Index {
    files: HashMap<String, File>,
    bytes: u64,
    next: u64,
}

struct File {
    bytes: u64,
    order: u64,
}

impl Cache {
    /// Opens the cache of a server in this folder, with the key in this entry of the keyring; a new key begins a new cache. Blocks
    /// like a keyring does.
    ///
    /// # Errors
    /// `key_unavailable` when the keyring cannot be used, `store_read_only` when the folder cannot be made.
    pub fn open(folder: &Path, server: &str, item: &KeyringItem, limits: CacheLimits, context: Context) -> Result<Self, Problem> {
        let key = match item.read()?.as_ref().and_then(LocalKey::from_base64) {
            Some(key) => key,
            None => {
                let key = LocalKey::generate(context.entropy());
                item.write(key.to_base64())?;
                key
            }
        };
        Self::with_key(folder, server, key, limits, context)
    }

    /// The same with a key that the caller has.
    ///
    /// # Errors
    /// `store_read_only` when the folder cannot be made.
    pub fn with_key(folder: &Path, server: &str, key: LocalKey, limits: CacheLimits, context: Context) -> Result<Self, Problem> {
        let unusable = |error: std::io::Error| {
            Problem::new(
                Code::StoreReadOnly,
                format!("The folder {} for answers of {server} cannot be used: {error}. Check its permissions and the space on its disk.", folder.display()),
            )
        };
        make_private(folder).map_err(unusable)?;
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unusable)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // A draft was left by a process that died.
            if name.ends_with(".draft") {
                let _ = std::fs::remove_file(entry.path());
            } else if let (true, Ok(metadata)) = (name.ends_with(ENDING), entry.metadata()) {
                found.push((metadata.modified().ok(), name, metadata.len()));
            }
        }
        found.sort();
        let mut index = Index::default();
        for (_, name, bytes) in found {
            index.add(name, bytes);
        }
        let cache = Self { inner: Arc::new(Inner { folder: folder.to_owned(), server: server.to_owned(), key, limits, context, index: Mutex::new(index) }) };
        cache.inner.trim(&mut cache.inner.lock());
        Ok(cache)
    }

    /// The answer that was kept of a read.
    pub(crate) fn get(&self, command: &str, params: &Value) -> Option<Kept> {
        let inner = &self.inner;
        // The clock may have been set back since; what comes from the future is as good as new.
        inner.read(&inner.name(command, params)).filter(|kept| inner.context.now().since(kept.at) <= inner.limits.age)
    }

    /// Keeps an answer. That it cannot be kept is logged and no trouble of the read's.
    pub(crate) fn put(&self, command: &str, params: &Value, answer: &Value) {
        let at = self.inner.context.now();
        self.put_at(command, params, answer, at);
    }

    /// Remembers that the server answered at this moment, though nothing was read.
    pub(crate) fn note(&self, at: Timestamp) {
        self.put_at(SIGN_OF_LIFE, &Value::Null, &Value::Null, at);
    }

    /// When the server answered last, as far as what is kept tells.
    pub(crate) fn last(&self) -> Option<Timestamp> {
        let mut newest: Vec<(u64, String)> = self.inner.lock().files.iter().map(|(name, file)| (file.order, name.clone())).collect();
        newest.sort_unstable_by(|one, other| other.cmp(one));
        newest.iter().take(ALIKE).filter_map(|(_, name)| self.inner.read(name)).map(|kept| kept.at).max()
    }

    fn put_at(&self, command: &str, params: &Value, answer: &Value, at: Timestamp) {
        let inner = &self.inner;
        let name = inner.name(command, params);
        if holds_token(answer) {
            tracing::warn!(command, "an answer with a token in it is not kept");
            return self.remove(command, params);
        }
        let written = serde_json::to_vec(&Written { at, answer }).ok().filter(|plain| plain.len() <= inner.limits.largest);
        let Some(plain) = written else { return self.remove(command, params) };
        let kept = inner.key.seal(&inner.place(&name), &plain, inner.context.entropy()).map_err(|problem| problem.message).and_then(|sealed| {
            let mut index = inner.lock();
            write_private(&inner.folder, &name, &sealed).map_err(|error| error.to_string())?;
            index.add(name, sealed.len() as u64);
            inner.trim(&mut index);
            Ok(())
        });
        if let Err(why) = kept {
            tracing::warn!(command, "an answer cannot be kept for the time without a connection: {why}");
        }
    }

    /// Forgets an answer, such as one of an object that is gone.
    pub(crate) fn remove(&self, command: &str, params: &Value) {
        let name = self.inner.name(command, params);
        let mut index = self.inner.lock();
        index.forget(&name);
        let _ = std::fs::remove_file(self.inner.folder.join(name));
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let mut index = self.inner.lock();
        for name in index.files.keys() {
            let _ = std::fs::remove_file(self.inner.folder.join(name));
        }
        *index = Index::default();
    }

    /// Removes the cache of a server that is not opened any more, and its key. Blocks like a keyring does.
    ///
    /// # Errors
    /// `key_unavailable` when the keyring cannot be used. Without its key, what is left opens for nobody.
    pub fn discard(folder: &Path, item: &KeyringItem) -> Result<(), Problem> {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().ends_with(ENDING) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        let _ = std::fs::remove_dir(folder);
        item.delete()
    }
}

impl Inner {
    fn lock(&self) -> std::sync::MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, name: &str) -> Option<Kept> {
        let sealed = std::fs::read(self.folder.join(name)).ok()?;
        let plain = self.key.open(&self.place(name), &sealed)?;
        let Read { at, answer } = serde_json::from_slice(&plain).ok()?;
        Some(Kept { at, answer })
    }

    fn name(&self, command: &str, params: &Value) -> String {
        let name = self.key.name(&[self.server.as_bytes(), command.as_bytes(), canonical(params).as_bytes()]);
        let mut text: String = name.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        text.push_str(ENDING);
        text
    }

    /// An answer that is moved to another name does not open.
    fn place<'a>(&'a self, name: &'a str) -> [&'a [u8]; 2] {
        [self.server.as_bytes(), name.as_bytes()]
    }

    /// Removes the oldest until the rest is within bounds.
    fn trim(&self, index: &mut Index) {
        while index.files.len() > self.limits.answers || index.bytes > self.limits.bytes {
            let Some(oldest) = index.files.iter().min_by_key(|(_, file)| file.order).map(|(name, _)| name.clone()) else { return };
            index.forget(&oldest);
            let _ = std::fs::remove_file(self.folder.join(oldest));
        }
    }
}

impl Index {
    fn add(&mut self, name: String, bytes: u64) {
        self.forget(&name);
        self.next += 1;
        self.bytes += bytes;
        self.files.insert(name, File { bytes, order: self.next });
    }

    fn forget(&mut self, name: &str) {
        if let Some(file) = self.files.remove(name) {
            self.bytes -= file.bytes;
        }
    }
}

/// JSON in which equal params are equal text: members in order, those that are null left out.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().filter(|(_, value)| !value.is_null()).collect();
            members.sort_by_key(|(name, _)| name.as_str());
            let parts: Vec<_> = members.into_iter().map(|(name, value)| format!("{}:{}", Value::String(name.clone()), canonical(value))).collect();
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// Whether any text in it has a token of ours in it, a link's secret among them.
fn holds_token(value: &Value) -> bool {
    match value {
        Value::String(text) => SecretKind::ALL.into_iter().any(|kind| {
            text.match_indices(kind.prefix()).any(|(start, _)| {
                let word = text.get(start..).unwrap_or_default();
                let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
                word.get(..end).is_some_and(|word| parse_token(word).is_ok())
            })
        }),
        Value::Array(items) => items.iter().any(holds_token),
        Value::Object(members) => members.values().any(holds_token),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Written beside and renamed, so that a file is whole or not there. It need not outlive a power cut.
fn write_private(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let draft = folder.join(format!("{name}.draft"));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&draft)?.write_all(bytes)?;
    std::fs::rename(&draft, folder.join(name))
}

#[cfg(test)]
mod tests {
    use patchbay_vault::{OsEntropy, mint_token, system_context};
    use serde_json::json;

    use super::*;

    fn cache(folder: &Path, limits: CacheLimits) -> Cache {
        let key = LocalKey::from_base64(&patchbay_model::Secret::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")).unwrap();
        Cache::with_key(folder, "https://h.example", key, limits, system_context()).unwrap()
    }

    fn files(folder: &Path) -> Vec<Vec<u8>> {
        std::fs::read_dir(folder).unwrap().flatten().map(|entry| std::fs::read(entry.path()).unwrap()).collect()
    }

    #[test]
    fn an_answer_is_found_again_after_a_restart_and_is_unreadable_at_rest() {
        let folder = tempfile::tempdir().unwrap();
        let params = json!({"query": {"limit": 5, "filter": ["a"], "cursor": null}});
        cache(folder.path(), CacheLimits::default()).put("accounts.list", &params, &json!({"result": [{"name": "globex-corporation"}]}));
        for file in files(folder.path()) {
            assert!(!String::from_utf8_lossy(&file).contains("globex"), "at rest it is sealed");
        }
        let again = cache(folder.path(), CacheLimits::default());
        let same = json!({"query": {"filter": ["a"], "limit": 5}});
        assert_eq!(again.get("accounts.list", &same).unwrap().answer["result"][0]["name"], "globex-corporation");
        assert!(again.get("accounts.list", &json!({"query": {"limit": 6, "filter": ["a"]}})).is_none());
        assert!(again.get("accounts.get", &same).is_none());
        let stranger = Cache::with_key(folder.path(), "https://h.example", LocalKey::generate(&OsEntropy), CacheLimits::default(), system_context()).unwrap();
        assert!(stranger.get("accounts.list", &same).is_none());
        again.clear();
        assert!(files(folder.path()).is_empty() && again.get("accounts.list", &same).is_none());
    }

    #[test]
    fn a_file_that_was_moved_or_changed_is_no_answer() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), CacheLimits::default());
        for id in ["a", "b"] {
            cache.put("accounts.get", &json!({"path": {"account_id": id}}), &json!({"result": id}));
        }
        let name = |id: &str| folder.path().join(cache.inner.name("accounts.get", &json!({"path": {"account_id": id}})));
        std::fs::copy(name("a"), name("b")).unwrap();
        assert!(cache.get("accounts.get", &json!({"path": {"account_id": "b"}})).is_none());
        std::fs::write(name("a"), b"rubbish").unwrap();
        assert!(cache.get("accounts.get", &json!({"path": {"account_id": "a"}})).is_none());
    }

    #[test]
    fn it_is_bounded_and_the_oldest_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let limits = CacheLimits { answers: 3, bytes: 10_000, largest: 2_000, age: Duration::from_secs(3600) };
        let cache = cache(folder.path(), limits);
        let params = |n: usize| json!({"path": {"n": n}});
        for n in 0..5 {
            cache.put("accounts.get", &params(n), &json!({ "result": n }));
        }
        let kept: Vec<_> = (0..5).filter(|n| cache.get("accounts.get", &params(*n)).is_some()).collect();
        assert_eq!(kept, [2, 3, 4]);
        cache.put("accounts.get", &params(4), &json!({"result": "x".repeat(3_000)}));
        assert!(cache.get("accounts.get", &params(4)).is_none(), "what is too large takes the place of what was there");
        let tight = self::cache(folder.path(), CacheLimits { bytes: 150, ..limits });
        assert!(files(folder.path()).len() < 2 && tight.inner.lock().bytes <= 150, "bounds hold from the start");
    }

    #[test]
    fn what_holds_a_token_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), CacheLimits::default());
        for kind in SecretKind::ALL {
            let secret = mint_token(kind, &OsEntropy);
            for text in [secret.expose().to_owned(), format!("https://h.example/#/welcome/{}", secret.expose()), format!("pbo_ {}.", secret.expose())] {
                cache.put("accounts.get", &json!({}), &json!({"result": {"deep": [{"secret": text}]}}));
            }
        }
        assert!(files(folder.path()).is_empty());
        cache.put("accounts.get", &json!({}), &json!({"result": "pbo_ is how a token begins"}));
        assert!(cache.get("accounts.get", &json!({})).is_some());
    }
}

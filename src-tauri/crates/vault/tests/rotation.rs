//! From one key to the next, with an interruption between any two steps: the store opens with the key before or the key
//! behind, and what was sealed opens throughout.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail the test")]

use std::path::PathBuf;
use std::time::Duration;

use patchbay_model::{Code, OrganizationId, Problem, Secret, Timestamp};
use patchbay_vault::{Aad, KeyAccess, KeyHeader, KeySource, OpenedBy, OsEntropy, SourceKind, Vault, system_context};
use uuid::Uuid;

fn lease() -> Timestamp {
    system_context().now().plus(Duration::from_secs(20))
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("patchbay-rotation-{}", system_context().new_uuid()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> KeyAccess {
        KeySource::File(self.0.join(name)).into()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn place() -> Aad<'static> {
    Aad::new(OrganizationId::from_uuid(Uuid::from_u128(1)), None, "shared_credentials", Uuid::from_u128(2))
}

fn problem<T>(result: Result<T, Problem>) -> Problem {
    result.err().expect("it must be refused")
}

/// A header as another process reads it.
fn read_anew(header: &KeyHeader) -> KeyHeader {
    serde_json::from_value(serde_json::to_value(header).unwrap()).unwrap()
}

#[test]
fn a_master_key_goes_from_one_file_to_another_and_opens_between_the_steps() {
    let (folder, context) = (Folder::new(), system_context());
    let (old, new) = (folder.file("old"), folder.file("new"));
    let (vault, first) = old.create_database_vault(Uuid::from_u128(7), &context).unwrap();
    let sealed = vault.seal(&place(), &Secret::new("hunter2"), &OsEntropy).unwrap();
    let opens = |access: &KeyAccess, header: &KeyHeader, by: OpenedBy| {
        let vault = access.open_vault(&read_anew(header)).unwrap();
        assert_eq!(vault.open(&place(), &sealed).unwrap().expose(), "hunter2");
        assert_eq!(vault.keyed_hash("p", b"x"), vault_hash(&old, &first), "tokens live on");
        assert_eq!(vault.opened_by(), by);
    };

    let next = new.next_master(&first, &context).unwrap();
    assert_eq!(folder.names(), ["old"], "nothing is written yet");
    let pending = vault.with_next_master(&first, &next, &context).unwrap();
    opens(&old, &pending, OpenedBy::Current);
    assert_eq!(problem(new.open_vault(&pending)).code, Code::KeyUnavailable, "the next key is not in its source");
    assert!(new.open_pending(&pending).unwrap().is_none());

    new.place(&pending, &next, &context).unwrap();
    opens(&old, &pending, OpenedBy::Current);
    opens(&new, &pending, OpenedBy::Pending);
    let proven = new.open_pending(&pending).unwrap().unwrap();
    assert!(vault.agrees_with(&pending, &proven).unwrap(), "the same keys under another");
    assert_eq!(new.settle(&pending).unwrap(), None, "a file of its own has no other to replace");

    let last = pending.with_pending_in_place(true, context.now()).unwrap();
    opens(&new, &last, OpenedBy::Current);
    let refused = problem(old.open_vault(&last));
    assert!(refused.code == Code::WrongKey && refused.message.contains("rotated at"), "{}", refused.message);
    assert_eq!((last.lock.made_with, last.retired.len()), (SourceKind::File, 0), "an old key file stays with its owner");
    assert_eq!(folder.names(), ["new", "old"]);
    assert_eq!(proven.database_key().unwrap().expose(), vault.database_key().unwrap().expose(), "the database key is wrapped anew, not exchanged");
}

fn vault_hash(access: &KeyAccess, header: &KeyHeader) -> [u8; 32] {
    access.open_vault(header).unwrap().keyed_hash("p", b"x")
}

#[test]
fn a_key_file_is_exchanged_for_the_next_one_and_the_one_before_is_kept() {
    let (folder, context) = (Folder::new(), system_context());
    let access = folder.file("key");
    let (vault, first) = access.create_vault(Uuid::from_u128(7), &context).unwrap();
    let before = std::fs::read(folder.0.join("key")).unwrap();
    let next = access.next_master(&first, &context).unwrap();
    let pending = vault.with_next_master(&first, &next, &context).unwrap();
    access.place(&pending, &next, &context).unwrap();
    assert_eq!(std::fs::read(folder.0.join("key")).unwrap(), before, "the key file is as it was until the next key has opened the store");
    assert!(access.open_pending(&pending).unwrap().is_some());
    assert_eq!(access.open_vault(&pending).unwrap().opened_by(), OpenedBy::Current);

    let kept = access.settle(&pending).unwrap().unwrap();
    assert_eq!(std::fs::read(&kept).unwrap(), before, "other stores may use the key before");
    assert_ne!(std::fs::read(folder.0.join("key")).unwrap(), before);
    assert_eq!(access.open_vault(&pending).unwrap().opened_by(), OpenedBy::Pending, "interrupted here, the key file opens the store");
    assert_eq!(access.settle(&pending).unwrap(), None, "a second time there is nothing left to do");
    assert!(access.open_pending(&pending).unwrap().is_some());
    assert!(access.open_vault(&pending.with_pending_in_place(true, context.now()).unwrap()).is_ok());
    assert_eq!(folder.names().len(), 2, "{:?}", folder.names());
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(folder.0.join("key")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn an_interrupted_exchange_of_a_key_file_can_be_done_again_at_each_step() {
    let (folder, context) = (Folder::new(), system_context());
    let access = folder.file("key");
    let (vault, first) = access.create_vault(Uuid::from_u128(7), &context).unwrap();
    let next = access.next_master(&first, &context).unwrap();
    let pending = vault.with_next_master(&first, &next, &context).unwrap();
    access.place(&pending, &next, &context).unwrap();
    // Ended between the link that keeps the old key and the renaming.
    std::fs::hard_link(folder.0.join("key"), folder.0.join(format!("key.old-{}", next.id()))).unwrap();
    let kept = access.settle(&pending).unwrap().unwrap();
    let old: KeyAccess = KeySource::File(kept).into();
    assert_eq!(old.open_vault(&pending).unwrap().opened_by(), OpenedBy::Current, "the kept file holds the key before");
    assert_eq!(access.open_vault(&pending).unwrap().opened_by(), OpenedBy::Pending);

    // Given up instead: the file beside goes, the key file stays.
    let last = pending.with_pending_in_place(true, context.now()).unwrap();
    let vault = access.open_vault(&last).unwrap();
    let next = access.next_master(&last, &context).unwrap();
    let pending = vault.with_next_master(&last, &next, &context).unwrap();
    access.place(&pending, &next, &context).unwrap();
    access.withdraw(&pending).unwrap();
    assert_eq!(folder.names().len(), 2, "{:?}", folder.names());
    assert!(access.open_pending(&pending).unwrap().is_none());
    assert_eq!(access.open_vault(&pending.without_pending()).unwrap().opened_by(), OpenedBy::Current);
}

#[test]
fn a_passphrase_takes_the_place_of_a_file_and_another_passphrase_its_place() {
    let (folder, context) = (Folder::new(), system_context());
    let file = folder.file("key");
    let (vault, first) = file.create_vault(Uuid::from_u128(7), &context).unwrap();
    let weak = KeyAccess::with_passphrase(Secret::new("short"));
    assert_eq!(problem(weak.next_master(&first, &context).map(drop)).code, Code::WeakPassword);
    let one = KeyAccess::with_passphrase(Secret::new("correct horse battery"));
    let next = one.next_master(&first, &context).unwrap();
    let pending = vault.with_next_master(&first, &next, &context).unwrap();
    one.place(&pending, &next, &context).unwrap();
    assert_eq!(file.open_vault(&pending).unwrap().opened_by(), OpenedBy::Current);
    assert_eq!(one.open_vault(&pending).unwrap().opened_by(), OpenedBy::Pending);
    let wrong = KeyAccess::with_passphrase(Secret::new("correct horse batterz"));
    assert!(wrong.open_pending(&pending).unwrap().is_none());
    assert_eq!(problem(wrong.open_vault(&pending)).code, Code::WrongKey);

    let second = pending.with_pending_in_place(true, context.now()).unwrap();
    assert!(problem(file.open_vault(&second)).message.contains("locked with a passphrase"));
    let two = KeyAccess::with_passphrase(Secret::new("another horse battery"));
    let vault = one.open_vault(&second).unwrap();
    let next = two.next_master(&second, &context).unwrap();
    let pending = vault.with_next_master(&second, &next, &context).unwrap();
    assert_ne!(pending.lock.kdf, pending.pending.as_ref().unwrap().lock.kdf, "the salt is new");
    assert_eq!((one.open_vault(&pending).unwrap().opened_by(), two.open_vault(&pending).unwrap().opened_by()), (OpenedBy::Current, OpenedBy::Pending));
}

#[test]
fn a_source_that_holds_the_present_key_gives_no_next_one() {
    let (folder, context) = (Folder::new(), system_context());
    let file = folder.file("key");
    let (_, header) = file.create_vault(Uuid::from_u128(7), &context).unwrap();
    std::os::unix::fs::symlink("key", folder.0.join("link")).unwrap();
    let refused = problem(folder.file("link").next_master(&header, &context).map(drop));
    assert!(refused.code == Code::InvalidField && refused.message.contains("symbolic link"), "{}", refused.message);
    let (_, other) = folder.file("other").create_vault(Uuid::from_u128(8), &context).unwrap();
    assert_eq!(other.lock.made_with, SourceKind::File);
    let taken = folder.file("other").next_master(&header, &context).unwrap();
    folder.file("other").place(&header, &taken, &context).unwrap();
    assert_eq!(folder.names(), ["key", "link", "other"], "a file that holds another key is used as it is");
}

#[test]
fn data_keys_are_exchanged_while_both_open_and_the_old_one_is_dropped_last() {
    let (folder, context) = (Folder::new(), system_context());
    let access = folder.file("key");
    let (old, first) = access.create_database_vault(Uuid::from_u128(7), &context).unwrap();
    let sealed = old.seal(&place(), &Secret::new("before"), &OsEntropy).unwrap();
    let known = old.with_next_data_key(&first, "one", lease(), &context).unwrap();
    assert_eq!((&known.active, &known.active_database, known.lock.data_keys.len()), (&first.active, &first.active_database, 2), "known before it is used");
    let both = known.with_next_keys_active();
    assert!(both.active != first.active && both.active_database != first.active_database && both.with_next_keys_active() == both);
    let again = old.with_next_data_key(&both, "two", lease(), &context).unwrap();
    assert_eq!((again.lock.data_keys.len(), &again.active), (2, &both.active), "a rotation that was begun makes no third key");
    assert_eq!(again.rotation.as_ref().unwrap().owner, "two");

    // A process that opened the store before needs no source to follow.
    assert!(!old.holds_all(&both) && old.fits(&both).unwrap());
    let now = old.reloaded(&read_anew(&both)).unwrap().unwrap();
    assert_eq!(now.open(&place(), &sealed).unwrap().expose(), "before");
    let fresh = now.seal(&place(), &Secret::new("behind"), &OsEntropy).unwrap();
    assert!(fresh.key_id == both.active && fresh.key_id != sealed.key_id);
    assert!(old.open(&place(), &fresh).is_err() && !old.knows(&fresh.key_id));
    let ids: Vec<String> = now.database_keys().into_iter().map(|key| key.id).collect();
    assert_eq!((ids.len(), Some(&ids[0])), (2, both.active_database.as_ref()), "the active one comes first");
    assert_ne!(now.database_key().unwrap().expose(), old.database_key().unwrap().expose());

    let last = both.with_active_keys_alone(context.now());
    assert_eq!((last.lock.data_keys.len(), last.lock.database_keys.len(), last.rotation.is_none()), (1, 1, true));
    let follower = now.reloaded(&last).unwrap().unwrap();
    assert_eq!(follower.open(&place(), &sealed).unwrap().expose(), "before", "a value that was read before the end still opens here");
    assert!(access.open_vault(&last).unwrap().open(&place(), &sealed).is_err(), "the key is gone from the store");
    assert_eq!(follower.database_keys().len(), 1);
}

#[test]
fn rotations_do_not_cross() {
    let (folder, context) = (Folder::new(), system_context());
    let (file, next_file) = (folder.file("key"), folder.file("next"));
    let (vault, first) = file.create_vault(Uuid::from_u128(7), &context).unwrap();
    assert!(vault.database_key().is_none() && vault.database_keys().is_empty(), "a file has no database");
    let next = next_file.next_master(&first, &context).unwrap();
    let pending = vault.with_next_master(&first, &next, &context).unwrap();
    assert_eq!(problem(vault.with_next_data_key(&pending, "one", lease(), &context)).code, Code::UpdateConflict);
    assert_eq!(problem(first.with_pending_in_place(true, context.now())).code, Code::UpdateConflict);

    // A data key that is being exchanged is wrapped under the next master key like every other.
    let both = vault.with_next_data_key(&first, "one", lease(), &context).unwrap().with_next_keys_active();
    let vault = vault.reloaded(&both).unwrap().unwrap();
    let next = next_file.next_master(&both, &context).unwrap();
    let pending = vault.with_next_master(&both, &next, &context).unwrap();
    next_file.place(&pending, &next, &context).unwrap();
    // Whoever exchanges the data key may be at its end meanwhile: this process holds one key then, the pending header two.
    let proven = next_file.open_pending(&pending).unwrap().unwrap();
    let ended = vault.reloaded(&pending.with_active_keys_alone(context.now())).unwrap().unwrap();
    assert!(vault.agrees_with(&pending, &proven).unwrap() && ended.agrees_with(&pending, &proven).unwrap());
    assert!(!ended.agrees_with(&pending, &ended).unwrap(), "a key is missing");
    assert!(ended.with_next_master(&both, &next, &context).is_ok(), "a vault that lags behind reads the keys anew");
    let last = pending.with_pending_in_place(true, context.now()).unwrap();
    let moved = next_file.open_vault(&last).unwrap();
    assert!(!vault.agrees_with(&last, &moved).unwrap() && last.rotation.is_some(), "the key before opens the last header no more");
    // The process with the key before goes on with what it holds, and says that it cannot follow.
    assert!(vault.reloaded(&last).unwrap().is_none() && vault.holds_all(&last) && !vault.fits(&last).unwrap());
    assert_eq!(problem(vault.with_next_data_key(&last.with_active_keys_alone(context.now()), "one", lease(), &context)).code, Code::WrongKey);
}

#[test]
fn a_header_of_the_first_stores_is_read_and_written_alike() {
    let (folder, context) = (Folder::new(), system_context());
    let (_, header) = folder.file("key").create_vault(Uuid::from_u128(7), &context).unwrap();
    let mut json = serde_json::to_value(&header).unwrap();
    for key in ["data_keys", "hash_key"] {
        let key = if json[key].is_array() { &mut json[key][0] } else { &mut json[key] };
        key.as_object_mut().unwrap().remove("created_at");
    }
    let names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names.len(), 7, "version, store_id, made_with, check, active, data_keys, hash_key: {names:?}");
    let read: KeyHeader = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), json);
    assert!(folder.file("key").open_vault(&read).is_ok());
    let _: Vault = folder.file("key").open_vault(&header).unwrap();
}

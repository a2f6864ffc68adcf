//! Disks that are full or cannot be written. They are small file systems in memory, mounted for the test. Where mounting is
//! not allowed (anyone but root), the test runs once more in a namespace of its own, in which it is; where not even that is
//! possible it fails, since a test that did not try anything proves nothing.

use std::path::Path;
use std::process::Command;

use patchbay_model::list::ListQuery;
use patchbay_model::*;
use patchbay_store::{Store, StoreError};

use crate::place::*;

/// Says that a test runs in its own namespace already.
const WITHIN: &str = "PATCHBAY_TEST_NAMESPACE";

/// A mounted file system; unmounted with the test.
struct Disk(Directory);

impl Disk {
    /// A disk, or nothing when the calling test has passed in a namespace of its own instead.
    fn mount(size: &str) -> Option<Self> {
        let directory = Directory::new();
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&directory.0).output().unwrap();
        if done.status.success() {
            return Some(Self(directory));
        }
        let refused = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(std::env::var_os(WITHIN).is_none(), "not even in its own namespace can the test mount a disk: {refused}");
        let test = std::thread::current().name().unwrap().to_owned();
        let mut again = Command::new("unshare");
        again.args(["--mount", "--map-root-user"]).arg(std::env::current_exe().unwrap()).args([&test, "--exact", "--nocapture"]).env(WITHIN, "1");
        let again = again.output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&again.stdout), String::from_utf8_lossy(&again.stderr));
        assert!(again.status.success() && said.contains("1 passed"), "{test} needs root, or user namespaces to be root in ({}): {said}", refused.trim());
        None
    }

    fn remount(&self, options: &str) {
        // With its type and source, or mount adds the options of before, some of which are not for a namespace to set.
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("remount,{options}"), "tmpfs"]).arg(&self.0.0).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0.0).output();
    }
}

/// A store with one organization and one account.
async fn small_store(directory: &Directory) -> (Store, Scope, account::Account) {
    let store = empty_store(directory).await;
    let organization = organization("small");
    let account = account(organization.id, "one");
    let scope = Scope::Organization(organization.id);
    let mut tx = store.write(scope, Origin::Api).await.unwrap();
    tx.insert_organization(&organization).await.unwrap();
    tx.insert_account(&account).await.unwrap();
    tx.commit().await.unwrap();
    (store, scope, account)
}

/// Writes one large row of the log.
async fn write_large(store: &Store, scope: Scope, number: i64) -> Result<(), StoreError> {
    let mut tx = store.write(scope, Origin::Api).await?;
    let mut event = audit(scope.organization().unwrap(), None, number);
    event.body = Some(serde_json::Value::String("x".repeat(100_000)));
    tx.insert_audit(&event).await?;
    tx.commit().await.map(drop)
}

#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let Some(disk) = Disk::mount("4m") else { return };
    let (store, scope, _) = small_store(&disk.0).await;
    let mut written = 0;
    let error = loop {
        match write_large(&store, scope, written).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 1000, "the disk has an end");
    };
    assert!(matches!(error, StoreError::DiskFull), "{error:?}");
    let problem = Problem::from(error);
    assert_eq!(problem.code, Code::StoreReadOnly);
    assert!(problem.message.contains("full"), "{}", problem.message);
    let count = async |store: &Store| {
        let mut tx = store.read(scope).await.unwrap();
        tx.audit_events(&ListQuery { total: true, limit: Some(1), ..ListQuery::default() }).await.unwrap().total.unwrap()
    };
    assert_eq!(count(&store).await, u64::try_from(written).unwrap(), "neither lost nor half-written");
    disk.remount("size=16m");
    write_large(&store, scope, written).await.unwrap();
    assert_eq!(count(&store).await, u64::try_from(written + 1).unwrap(), "it goes on when there is space");
    assert_eq!(store.verify_structure().await.unwrap(), []);
    store.close().await;
}

#[tokio::test]
async fn a_store_on_a_read_only_disk_is_read() {
    let Some(disk) = Disk::mount("8m") else { return };
    let (store, scope, account) = small_store(&disk.0).await;
    store.close().await;
    drop(store);
    disk.remount("ro");
    let store = Store::open(&disk.0.file()).await.unwrap();
    assert!(store.is_read_only());
    let mut tx = store.read(scope).await.unwrap();
    assert_eq!(tx.account(account.id).await.unwrap(), Some(account));
    drop(tx);
    assert_eq!(store.verify_structure().await.unwrap(), []);
    let refused = store.write(scope, Origin::Api).await.err().unwrap();
    assert_eq!(Problem::from(refused).code, Code::StoreReadOnly);
    assert!(matches!(Store::create(&disk.0.0.join("another")).await, Err(StoreError::ReadOnly)), "nothing new is made there");
    store.close().await;
}

#[tokio::test]
async fn changes_that_were_never_merged_are_not_passed_over() {
    let Some(disk) = Disk::mount("8m") else { return };
    let origin = Directory::new();
    let (store, ..) = small_store(&origin).await;
    // As after a crash: the file, and the log beside it with all that was acknowledged.
    for suffix in ["", "-wal"] {
        let beside = |path: &Path| std::path::PathBuf::from(format!("{}{suffix}", path.display()));
        std::fs::copy(beside(&origin.file()), beside(&disk.0.file())).unwrap();
    }
    store.close().await;
    disk.remount("ro");
    let error = Store::open(&disk.0.file()).await.err().unwrap();
    assert!(matches!(error, StoreError::ReadOnlyUnmerged(_)), "{error:?}");
    assert!(Problem::from(error).message.contains("-wal"));
    disk.remount("rw");
    let store = Store::open(&disk.0.file()).await.unwrap();
    assert_eq!(store.verify_structure().await.unwrap(), [], "on a disk that can be written the log is merged");
    store.close().await;
}

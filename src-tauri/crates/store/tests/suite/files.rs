//! The file itself: what is no store, what is newer, damaged, read-only, or held by another.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};

use patchbay_model::*;
use patchbay_store::{Store, StoreError};

use crate::place::*;

fn code(error: StoreError) -> Code {
    let problem = Problem::from(error);
    assert!(problem.message.len() > 20 && problem.message.contains(". "), "the message says what to do: {}", problem.message);
    problem.code
}

async fn refused(path: &std::path::Path) -> StoreError {
    match Store::open(path).await {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

/// Runs SQL on the file behind the store's back.
async fn behind_its_back(path: &std::path::Path, sql: &'static str) {
    use sqlx::{ConnectOptions, Connection};
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new().filename(path).foreign_keys(false).connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_not_there_or_something_else_is_refused() {
    let directory = Directory::new();
    assert_eq!(code(refused(&directory.file()).await), Code::StoreMissing);
    assert!(!directory.file().exists(), "opening creates nothing");
    assert_eq!(code(refused(&directory.0).await), Code::StoreDamaged, "a directory");
    fs::write(directory.file(), "This is a letter, and no store. ".repeat(200)).unwrap();
    assert!(matches!(refused(&directory.file()).await, StoreError::NotAStore(_)));
    assert!(matches!(Store::create(&directory.file()).await, Err(StoreError::NotAStore(_))), "creating does not overwrite");
    assert!(fs::read_to_string(directory.file()).unwrap().starts_with("This is a letter"));
    let other = directory.0.join("other.db");
    fs::write(&other, "").unwrap();
    assert!(matches!(refused(&other).await, StoreError::NotAStore(_)), "an empty file");
    fs::remove_file(&other).unwrap();
    fs::File::create(&other).unwrap();
    behind_its_back(&other, "CREATE TABLE theirs (x)").await;
    assert!(matches!(refused(&other).await, StoreError::NotAStore(_)), "another program's database");
    assert!(matches!(Store::create(&other).await, Err(StoreError::NotAStore(_))));
    let nowhere = directory.0.join("no/such/directory/store");
    assert!(Store::create(&nowhere).await.is_err());
}

#[tokio::test]
async fn creating_is_complete_only_with_a_header() {
    let directory = Directory::new();
    let unfinished = Store::create(&directory.file()).await.unwrap();
    unfinished.close().await;
    drop(unfinished);
    assert!(matches!(refused(&directory.file()).await, StoreError::NotAStore(_)), "half a creation is no store");
    let store = empty_store(&directory).await;
    store.close().await;
    drop(store);
    assert!(matches!(Store::create(&directory.file()).await, Err(StoreError::Exists(_))));
    let store = Store::open(&directory.file()).await.unwrap();
    assert_eq!(store.path(), Some(directory.file().as_path()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(directory.file()).unwrap().permissions().mode() & 0o777, 0o600, "nobody else reads it");
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let directory = Directory::new();
    let store = empty_store(&directory).await;
    store.close().await;
    drop(store);
    behind_its_back(&directory.file(), "PRAGMA user_version = 99").await;
    let before = fs::read(directory.file()).unwrap();
    let error = refused(&directory.file()).await;
    assert!(matches!(error, StoreError::Newer { found: 99, .. }));
    assert_eq!(code(error), Code::StoreNewer);
    assert!(matches!(Store::create(&directory.file()).await, Err(StoreError::Newer { .. })));
    assert_eq!(fs::read(directory.file()).unwrap(), before);
}

#[tokio::test]
async fn damage_is_found_and_named() {
    let directory = Directory::new();
    let place = Place::new(Backend::Sqlite).await;
    place.store.close().await;
    let whole = fs::read(place.directory.file()).unwrap();
    drop(place);
    // Every page but the first is overwritten: the file still begins like a database.
    let mut broken = whole.clone();
    broken[4096..].iter_mut().for_each(|byte| *byte = 0x55);
    fs::write(directory.file(), &broken).unwrap();
    assert_eq!(code(refused(&directory.file()).await), Code::StoreDamaged);
    // A few bytes in the middle: it opens, and verification finds them.
    fs::write(directory.file(), &whole).unwrap();
    let mut file = fs::OpenOptions::new().read(true).write(true).open(directory.file()).unwrap();
    let mut found = 0;
    let pages = whole.len() / 4096;
    for page in pages / 2..pages {
        let mut kind = [0];
        file.seek(SeekFrom::Start(u64::try_from(page * 4096).unwrap())).unwrap();
        file.read_exact(&mut kind).unwrap();
        if kind[0] == 0x0a || kind[0] == 0x0d {
            file.seek(SeekFrom::Start(u64::try_from(page * 4096 + 3).unwrap())).unwrap();
            file.write_all(&[0xff, 0xff, 0xff, 0xff]).unwrap();
            found += 1;
        }
    }
    assert!(found > 0);
    file.sync_all().unwrap();
    match Store::open(&directory.file()).await {
        Err(error) => assert_eq!(code(error), Code::StoreDamaged),
        Ok(store) => match store.verify_structure().await {
            Ok(findings) => assert!(findings.iter().any(|finding| finding.check == "integrity"), "{findings:?}"),
            Err(error) => assert_eq!(code(error), Code::StoreDamaged),
        },
    }
}

#[tokio::test]
async fn a_row_that_lies_is_found() {
    let place = Place::new(Backend::Sqlite).await;
    behind_its_back(
        &place.directory.file(),
        "UPDATE accounts SET labels = 'x'; UPDATE integration_instances SET provider = 'ticketing_jira', integration_point_id = randomblob(16)",
    )
    .await;
    let findings = place.store.verify_structure().await.unwrap();
    for check in ["references", "relations", "structures"] {
        assert!(findings.iter().any(|finding| finding.check == check && finding.sentence.ends_with('.')), "{check}: {findings:?}");
    }
    let mut tx = place.store.read(place.ours.scope()).await.unwrap();
    assert!(tx.account(place.ours.accounts[0].account.id).await.is_err(), "and is not read as something else");
}

#[cfg(unix)]
#[tokio::test]
async fn a_read_only_file_is_read() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new(Backend::Sqlite).await;
    let (scope, account) = (place.ours.scope(), place.ours.accounts[0].account.clone());
    place.store.close().await;
    let mode = |path: &std::path::Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&place.directory.file(), 0o400);
    mode(&place.directory.0, 0o500);
    let root = fs::OpenOptions::new().write(true).open(place.directory.file()).is_ok();
    if root {
        // Whoever runs as root writes everywhere: the same test runs once more as nobody.
        use std::os::unix::process::CommandExt;
        let again = std::process::Command::new(std::env::current_exe().unwrap()).args(["--exact", "files::a_read_only_file_is_read"]).uid(65_534).gid(65_534).status();
        match again {
            Ok(status) => assert!(status.success(), "as nobody: {status}"),
            Err(error) => println!("not tried as nobody, who cannot run the test: {error}"),
        }
    } else {
        let store = Store::open(&place.directory.file()).await.unwrap();
        assert!(store.is_read_only());
        let mut tx = store.read(scope).await.unwrap();
        assert_eq!(tx.account(account.id).await.unwrap().as_ref(), Some(&account));
        match store.write(scope, Origin::Api).await {
            Err(error) => assert_eq!(code(error), Code::StoreReadOnly),
            Ok(_) => panic!("a read-only store was written"),
        };
        assert_eq!(store.verify_structure().await.unwrap(), []);
    }
    mode(&place.directory.0, 0o700);
}

#[tokio::test]
async fn several_handles_share_a_store() {
    let place = Place::new(Backend::Sqlite).await;
    let other = place.second_handle().await;
    let mut tx = other.write(place.ours.scope(), Origin::Cli).await.unwrap();
    tx.insert_account(&account(place.ours.organization.id, "from-the-other")).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = place.store.read(place.ours.scope()).await.unwrap();
    assert!(tx.find_account("from-the-other").await.unwrap().is_some());
    drop(tx);
    let error = Store::create(&place.directory.file()).await.err().unwrap();
    assert!(matches!(error, StoreError::Exists(_)), "{error:?}");
    assert_eq!(code(error), Code::NameTaken);
}

#[tokio::test]
async fn a_second_writer_waits_and_then_is_told() {
    let place = Place::new(Backend::Sqlite).await;
    let other = place.second_handle().await;
    let mut held = place.write().await;
    assert!(held.find_account("nobody").await.unwrap().is_none());
    let started = std::time::Instant::now();
    let mut waiting = other.write(place.ours.scope(), Origin::Cli).await.unwrap();
    let refused = waiting.find_account("nobody").await.unwrap_err();
    assert!(started.elapsed() >= std::time::Duration::from_secs(4), "it waits");
    assert_eq!(code(refused), Code::StoreBusy);
    drop(waiting);
    held.rollback().await.unwrap();
    let mut next = other.write(place.ours.scope(), Origin::Cli).await.unwrap();
    assert!(next.find_account("nobody").await.unwrap().is_none());
    next.rollback().await.unwrap();
}

#[tokio::test]
async fn a_look_begins_with_its_second_question() {
    let place = Place::new(Backend::Sqlite).await;
    let add = async |name: &str| {
        let mut tx = place.write().await;
        tx.insert_account(&account(place.ours.organization.id, name)).await.unwrap();
        tx.commit().await.unwrap();
    };
    let mut look = place.store.look(place.ours.scope()).await.unwrap();
    assert!(look.find_account("first").await.unwrap().is_none());
    add("first").await;
    assert!(look.find_account("first").await.unwrap().is_some(), "the second question is asked of a later view");
    add("second").await;
    assert!(look.find_account("second").await.unwrap().is_none(), "which is that of all that follow");
}

#[tokio::test]
async fn a_transaction_without_a_question_holds_up_nobody() {
    let place = Place::new(Backend::Sqlite).await;
    let other = place.second_handle().await;
    let mut silent = place.write().await;
    other.write(place.ours.scope(), Origin::Cli).await.unwrap().commit().await.unwrap();
    let mut tx = other.write(place.ours.scope(), Origin::Cli).await.unwrap();
    tx.insert_account(&account(place.ours.organization.id, "from-the-other")).await.unwrap();
    tx.commit().await.unwrap();
    assert!(silent.find_account("from-the-other").await.unwrap().is_some(), "it begins with its first question");
    silent.rollback().await.unwrap();
}

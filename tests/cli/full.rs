//! Disks that are full, fail or are read-only, at every moment of a command and for whoever runs the tests: a small library
//! between the program and the C library lets the store's folder run out of room at a chosen operation (peers/full_disk.c).
//! Whatever the moment, the command says so in words and ends with 1, the store is clean, nothing half-made lies about, and
//! the same command goes through when there is room.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::bench::{Bench, Said, Server};
use crate::kill::accounts;

/// Errors of the operating system (errno.h of Linux).
pub(crate) const FULL: i32 = 28;
const QUOTA: i32 = 122;
const READ_ONLY: i32 = 30;
const BROKEN: i32 = 5;
/// Each in turn.
pub(crate) const ERRORS: [i32; 4] = [FULL, QUOTA, READ_ONLY, BROKEN];

/// The library, made once by the compiler that links Rust programs too.
pub(crate) fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/peers/full_disk.c");
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("full_disk-{}.so", std::process::id()));
        let said =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&made).arg(&source).arg("-ldl").output().expect("a C compiler, which Rust needs to link, must be there");
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        made
    })
}

/// The command with its folder on such a disk.
pub(crate) fn on_disk(folder: &Path, mut command: Command, error: i32) -> Command {
    command.env("LD_PRELOAD", library()).env("FULL_FOLDER", folder.canonicalize().unwrap()).env("FULL_ERROR", error.to_string());
    command
}

/// How many operations of the command need room.
pub(crate) fn operations(bench: &Bench, words: &[&str]) -> u64 {
    let count = std::env::temp_dir().join(format!("patchbay-count-{}", patchbay_vault::system_context().new_uuid()));
    let mut command = on_disk(&bench.folder, bench.command(words), FULL);
    Said::of(command.env("FULL_COUNT", &count).output().unwrap()).done();
    let text = std::fs::read_to_string(&count).unwrap();
    std::fs::remove_file(&count).unwrap();
    text.parse().unwrap()
}

/// So many cases, times `PATCHBAY_CASES`; at least two.
pub(crate) fn cases(number: u32) -> u64 {
    let scale: f64 = std::env::var("PATCHBAY_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number of cases")]
    let wanted = (f64::from(number) * scale) as u64;
    wanted.max(2)
}

/// Which of so many operations meet the end of the disk: the first, the last, and as many between as there are cases.
pub(crate) fn points(operations: u64) -> Vec<u64> {
    let wanted = cases(8).min(operations);
    let mut points: Vec<u64> = (0..wanted).map(|number| 1 + number * (operations - 1) / (wanted - 1).max(1)).collect();
    points.dedup();
    points
}

/// A copy of a folder in which nothing runs.
pub(crate) fn copy(from: &Bench) -> Bench {
    fn all(from: &Path, to: &Path) {
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let place = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                std::fs::create_dir(&place).unwrap();
                all(&entry.path(), &place);
            } else {
                std::fs::copy(entry.path(), place).unwrap();
            }
        }
    }
    let to = Bench::empty();
    all(&from.folder, &to.folder);
    to
}

/// Runs out of room at many moments of a command. `whole` looks at the store when the command has gone through.
fn runs_out(ready: &Bench, words: &[&str], whole: impl Fn(&Bench)) {
    runs_out_leaving(ready, words, |_| false, whole);
}

/// The same for a command that leaves files on purpose, even when it fails at its very end.
fn runs_out_leaving(ready: &Bench, words: &[&str], meant: impl Fn(&str) -> bool, whole: impl Fn(&Bench)) {
    let operations = operations(&copy(ready), words);
    assert!(operations > 2, "{words:?} needs room");
    let mut refused = 0;
    for (turn, point) in points(operations).into_iter().enumerate() {
        let error = ERRORS[turn % ERRORS.len()];
        let place = format!("{words:?}: error {error} at operation {point} of {operations}");
        let bench = copy(ready);
        let mut command = on_disk(&bench.folder, bench.command(words), error);
        let said = Said::of(command.env("FULL_AFTER", point.to_string()).output().unwrap());
        assert!(!said.err.contains("panicked"), "{place}: {}", said.err);
        if said.status == 0 {
            // What failed was not needed, such as tidying up behind the last commit. What was told must be so.
            whole(&bench);
        } else {
            refused += 1;
            let problem = said.json()["problem"].clone();
            assert_eq!(said.status, 1, "{place}: {}{}", said.out, said.err);
            told(&problem, error, &place);
            if ready.store().exists() {
                clean(&bench, &place);
            }
            left_nothing(&bench, ready, &meant, &place);
            bench.run(words).done();
            whole(&bench);
        }
        clean(&bench, &place);
    }
    assert!(refused > 0, "{words:?}: of {operations} operations none was needed");
}

/// That a person learns what is wrong with the disk. SQLite tells a disk without room from everything else, and nothing more.
pub(crate) fn told(problem: &Value, error: i32, place: &str) {
    let (code, message) = (problem["code"].as_str().unwrap_or_default(), problem["message"].as_str().unwrap_or_default().to_lowercase());
    assert!(["store_read_only", "backup_failed", "key_unavailable", "invalid_field"].contains(&code), "{place}: {problem}");
    let words: &[&str] = match error {
        // For some files that SQLite makes beside the store it does not even tell that.
        FULL => &["full", "no space left", "check the disk"],
        QUOTA => &["disk"],
        READ_ONLY => &["read-only", "disk"],
        _ => &["disk", "input/output error"],
    };
    assert!(words.iter().any(|word| message.contains(word)), "{place}: {message}");
}

fn clean(bench: &Bench, place: &str) {
    let verified = bench.run(&["store", "verify"]);
    assert_eq!(verified.status, 0, "{place}: {}{}", verified.out, verified.err);
}

/// That no file lies about that was not there before, but those which SQLite and the lock keep beside a store.
fn left_nothing(bench: &Bench, ready: &Bench, meant: impl Fn(&str) -> bool, place: &str) {
    let names = |bench: &Bench| -> std::collections::BTreeSet<String> {
        let all = std::fs::read_dir(&bench.folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        all.filter(|name| !meant(name) && !["store.db-wal", "store.db-shm", "store.db-lock", "backups"].contains(&name.as_str())).collect()
    };
    let mut before = names(ready);
    // A store whose making was interrupted is completed by the next attempt, with the key that was made for it.
    before.extend(["store.db".to_owned(), "key".to_owned()]);
    let now = names(bench);
    assert!(now.is_subset(&before), "{place}: {:?} were left", now.difference(&before));
}

#[test]
fn a_store_is_made_whole_or_not_at_all() {
    runs_out(&Bench::empty(), &["init", "--organization", "acme"], |bench| {
        bench.run(&["token", "list"]).done();
    });
}

#[test]
fn a_token_is_minted_whole_or_not_at_all() {
    let (bench, _) = Bench::new();
    runs_out(&bench, &["token", "mint", "--permission-set", "viewer", "--ttl", "1h", "--name", "ci"], |bench| {
        let listed = bench.run(&["token", "list", "--filter", "name[eq]ci"]).done().json();
        assert!(!listed["tokens"].as_array().unwrap().is_empty(), "it was told to be there");
    });
}

#[test]
fn an_import_goes_on_where_the_disk_was_full() {
    let (bench, made) = Bench::new();
    let token = made["organization"]["token"]["access"]["secret"].as_str().unwrap();
    let lines: String = (0..300).map(|number| format!("{}\n", json!({ "account": { "name": format!("customer-{number}"), "environment": "test" } }))).collect();
    std::fs::write(bench.folder.join("customers.jsonl"), lines).unwrap();
    runs_out(&bench, &["import", "customers.jsonl"], |bench| {
        assert_eq!(accounts(bench, token).len(), 300, "each is there");
    });
}

#[test]
fn an_export_to_a_full_disk_leaves_no_half_file() {
    let (bench, _) = Bench::new();
    runs_out(&bench, &["export", "--to", "patchbay.yaml"], |bench| {
        let text = std::fs::read_to_string(bench.folder.join("patchbay.yaml")).unwrap();
        assert!(text.contains("acme"), "{text}");
    });
}

/// A pair made for these tests; it protects nothing (the age specification's own test kit).
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

#[test]
fn a_backup_to_a_full_disk_leaves_no_half_file() {
    let (bench, _) = Bench::new();
    runs_out(&bench, &["store", "backup", "--to", "acme.age", "--recipient", RECIPIENT], |bench| {
        assert!(bench.folder.join("acme.age").exists());
    });
}

#[test]
fn a_restore_onto_a_full_disk_leaves_the_store_of_before_or_none() {
    let (bench, made) = Bench::new();
    let token = made["organization"]["token"]["access"]["secret"].as_str().unwrap();
    let server = bench.serve(&[]);
    assert_eq!(server.call("POST", "/v1/accounts", token, Some(&json!({ "name": "customer-of-the-backup" }))).unwrap().0, 201);
    let (status, backup) = server.call("POST", "/v1/x/backups", token, None).unwrap();
    assert_eq!(status, 201, "{backup}");
    assert_eq!(server.call("POST", "/v1/accounts", token, Some(&json!({ "name": "customer-since" }))).unwrap().0, 201);
    server.signal("TERM");
    server.ended();
    let file = format!("backups/{}", backup["result"]["name"].as_str().unwrap());
    // Over the store that is there: whatever happens, one of the two stands.
    let kept = copy(&bench);
    let words = ["store", "restore", &file, "--replace"];
    runs_out_leaving(
        &kept,
        &words,
        |name| name.contains(".before-"),
        |bench| {
            assert_eq!(accounts(bench, token).into_iter().collect::<Vec<_>>(), ["customer-of-the-backup"]);
        },
    );
    // Where there is none: a whole one, or none.
    for suffix in ["", "-wal", "-shm", "-lock"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", bench.store().display()));
    }
    runs_out(&bench, &["store", "restore", &file], |bench| {
        assert_eq!(accounts(bench, token).into_iter().collect::<Vec<_>>(), ["customer-of-the-backup"]);
    });
}

#[test]
fn a_backup_that_a_server_cannot_make_is_told_and_made_when_there_is_room() {
    let (bench, made) = Bench::new();
    let token = made["organization"]["token"]["access"]["secret"].as_str().unwrap();
    let switch = std::env::temp_dir().join(format!("patchbay-full-{}", patchbay_vault::system_context().new_uuid()));
    std::fs::create_dir(bench.folder.join("backups")).unwrap();
    let mut command = on_disk(&bench.folder.join("backups"), bench.command(&["serve", "--listen", "127.0.0.1:0", "--drain", "0"]), FULL);
    command.env("FULL_WHILE", &switch);
    let server = Server::start(command);
    std::fs::write(&switch, "").unwrap();
    let (status, answer) = server.call("POST", "/v1/x/backups", token, None).unwrap();
    assert_eq!((status, answer["code"].as_str()), (503, Some("backup_failed")), "{answer}");
    told(&answer, FULL, "a backup by hand");
    let (status, _) = server.call("POST", "/v1/accounts", token, Some(&json!({ "name": "customer-meanwhile" }))).unwrap();
    assert_eq!(status, 201, "the store lies elsewhere and is written");
    std::fs::remove_file(&switch).unwrap();
    let (status, answer) = server.call("POST", "/v1/x/backups", token, None).unwrap();
    assert_eq!(status, 201, "{answer}");
    let (_, listed) = server.call("GET", "/v1/x/backups", token, None).unwrap();
    assert_eq!(listed["result"]["backups"].as_array().unwrap().len(), 1, "{listed}");
    let left: Vec<_> = std::fs::read_dir(bench.folder.join("backups")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.ends_with(".partial")), "{left:?}");
}

/// Makes accounts until one is refused; gives how many were made, and the refusal.
fn write_until_refused(server: &Server, token: &str, word: &str) -> (usize, u16, Value) {
    for number in 0..10_000 {
        let (status, answer) = server.call("POST", "/v1/accounts", token, Some(&json!({ "name": format!("customer-{word}-{number}") }))).unwrap();
        if status != 201 {
            return (number, status, answer);
        }
    }
    panic!("the disk has an end");
}

#[test]
fn a_server_on_a_full_disk_answers_reads_and_goes_on_when_there_is_room() {
    for error in [FULL, READ_ONLY, BROKEN] {
        let (bench, made) = Bench::new();
        let token = made["organization"]["token"]["access"]["secret"].as_str().unwrap();
        let switch = std::env::temp_dir().join(format!("patchbay-full-{}", patchbay_vault::system_context().new_uuid()));
        let mut command = on_disk(&bench.folder, bench.command(&["serve", "--listen", "127.0.0.1:0"]), error);
        command.env("FULL_WHILE", &switch);
        let server = Server::start(command);
        let mut made = 0;
        for word in ["first", "second"] {
            for number in 0..5 {
                let (status, answer) = server.call("POST", "/v1/accounts", token, Some(&json!({ "name": format!("customer-{word}-before-{number}") }))).unwrap();
                assert_eq!(status, 201, "error {error}: {answer}");
                made += 1;
            }
            std::fs::write(&switch, "").unwrap();
            let (more, status, answer) = write_until_refused(&server, token, word);
            made += more;
            assert_eq!(status, 503, "error {error}: {answer}");
            told(&answer, error, &format!("error {error}"));
            let (status, answer) = server.call("GET", "/v1/accounts?limit=1", token, None).unwrap();
            assert_eq!(status, 200, "error {error}: reading goes on: {answer}");
            assert_eq!(server.call("GET", "/healthz", "", None).unwrap().0, 200, "error {error}: it lives");
            std::fs::remove_file(&switch).unwrap();
        }
        let (status, answer) = server.call("POST", "/v1/accounts", token, Some(&json!({ "name": "customer-after" }))).unwrap();
        assert_eq!(status, 201, "error {error}: it goes on without a restart: {answer}");
        server.signal("TERM");
        assert_eq!(server.ended().0, Some(0));
        clean(&bench, &format!("error {error}"));
        let names = accounts(&bench, token);
        assert_eq!(names.len(), made + 1, "error {error}: what was acknowledged is there, and nothing else: {names:?}");
    }
}

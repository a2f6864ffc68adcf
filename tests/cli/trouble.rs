//! Stores and keys in trouble: each has its sentence, and nothing is lost or half-written.

use std::path::Path;
use std::process::Command;

use crate::bench::{Bench, Said};

/// Every command that opens a store; each must meet the trouble in the same words.
const OPENERS: &[&[&str]] = &[&["store", "verify"], &["export"], &["token", "list"], &["serve", "--listen", "127.0.0.1:0"], &["init", "--organization", "globex"]];

#[test]
fn a_wrong_key_is_recognised_and_changes_nothing() {
    let (bench, _) = Bench::new();
    let other = Bench::new().0;
    let before = std::fs::read(bench.store()).unwrap();
    for words in OPENERS {
        let said = Said::of(bench.on(words, &bench.store(), &other.key()).output().unwrap()).refused("wrong_key");
        assert!(said.err.contains("does not belong to this store"), "{words:?}: {}", said.err);
    }
    assert_eq!(std::fs::read(bench.store()).unwrap(), before, "the store is as it was");
    bench.run(&["store", "verify"]).done();
}

#[test]
fn a_key_that_is_gone_is_not_made_anew() {
    let (bench, _) = Bench::new();
    std::fs::rename(bench.key(), bench.folder.join("kept")).unwrap();
    for words in OPENERS {
        let said = bench.run(words).refused("key_unavailable");
        assert!(said.err.contains("is not there"), "{words:?}: {}", said.err);
        assert!(!bench.key().exists(), "{words:?} makes no new key for a store that has one");
    }
    std::fs::rename(bench.folder.join("kept"), bench.key()).unwrap();
    bench.run(&["store", "verify"]).done();
}

#[test]
fn a_store_that_is_not_there_is_missing() {
    let bench = Bench::empty();
    for words in OPENERS.iter().filter(|words| words[0] != "init") {
        bench.run(words).refused("store_missing");
    }
    assert!(!bench.store().exists(), "opening makes no store");
    bench.run(&["init", "--organization", "acme"]).done();
}

#[test]
fn a_file_that_is_no_store_is_left_alone() {
    let bench = Bench::empty();
    for content in [&b"not a database, but somebody's letter"[..], &[0; 8192], b"SQLite format 3\0 and then nothing that makes sense"] {
        std::fs::write(bench.store(), content).unwrap();
        for words in OPENERS {
            let said = bench.run(words).refused("store_damaged");
            assert!(said.err.contains("store.db") || said.err.contains("damaged"), "{words:?}: {}", said.err);
            assert_eq!(std::fs::read(bench.store()).unwrap(), content, "{words:?} must not touch it");
        }
    }
}

#[test]
fn damage_in_the_middle_is_found() {
    let (bench, _) = Bench::new();
    let good = std::fs::read(bench.store()).unwrap();
    let page = usize::from(u16::from_be_bytes([good[16], good[17]]));
    assert!(good.len() > 4 * page, "there are pages to damage");
    // Every page but the first, one at a time: whatever it holds, verify or the opening before it must notice.
    for number in (1..good.len() / page).step_by(3) {
        let mut damaged = good.clone();
        damaged[number * page..(number + 1) * page].fill(0xA5);
        std::fs::write(bench.store(), &damaged).unwrap();
        let said = bench.run(&["store", "verify"]);
        assert_eq!(said.status, 1, "page {number}: {}{}", said.out, said.err);
        assert!(!said.err.contains("panicked"), "page {number}: {}", said.err);
    }
    // Cut off in the middle.
    std::fs::write(bench.store(), &good[..good.len() / 2]).unwrap();
    assert_eq!(bench.run(&["store", "verify"]).status, 1);
    std::fs::write(bench.store(), &good).unwrap();
    bench.run(&["store", "verify"]).done();
}

#[test]
fn a_store_of_a_newer_version_is_refused_in_one_sentence() {
    let (bench, _) = Bench::new();
    let mut bytes = std::fs::read(bench.store()).unwrap();
    // `user_version`, by which a store tells its schema, is at offset 60 of the file (SQLite file format, section 1.3).
    bytes[60..64].copy_from_slice(&9999_u32.to_be_bytes());
    std::fs::write(bench.store(), &bytes).unwrap();
    for words in OPENERS {
        let said = bench.run(words).refused("store_newer");
        assert!(said.err.contains("newer Patchbay") && said.err.contains("9999"), "{words:?}: {}", said.err);
    }
    assert_eq!(std::fs::read(bench.store()).unwrap(), bytes, "nothing was changed");
}

#[test]
fn a_store_that_is_held_alone_names_its_holder() {
    let (bench, _) = Bench::new();
    // What a migration or a restore does: the lock file, exclusively.
    let lock = std::fs::OpenOptions::new().read(true).write(true).open(bench.folder.join("store.db-lock")).unwrap();
    lock.lock().unwrap();
    let said = bench.run(&["store", "verify"]).refused("store_locked");
    assert!(said.err.contains(&format!("process {}", std::process::id())), "it names who holds it: {}", said.err);
    lock.unlock().unwrap();
    bench.run(&["store", "verify"]).done();
}

/// Runs a command while the folder is mounted read-only, in a mount namespace of its own.
fn read_only(folder: &Path, mut inner: Command) -> Said {
    let root = String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap().trim() == "0";
    let mut command = Command::new("unshare");
    // Anybody else needs a user namespace to mount in; root has no need of one, and cannot make one inside a chroot.
    command.args(if root { &["--mount"][..] } else { &["--mount", "--map-root-user"] });
    command.args(["sh", "-ec", "mount --bind \"$0\" \"$0\"; mount -o remount,bind,ro \"$0\"; exec \"$@\""]).arg(folder).arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let said = Said::of(command.output().expect("unshare must be installed (Debian package util-linux)"));
    assert!(!said.err.contains("unshare:") && !said.err.contains("mount:"), "a read-only mount must be possible here: {}", said.err);
    inner.env_clear();
    said
}

#[test]
fn a_read_only_disk_is_told_and_reading_still_works() {
    let (bench, _) = Bench::new();
    let before = std::fs::read(bench.store()).unwrap();
    let said = read_only(&bench.folder, bench.command(&["init", "--organization", "globex"])).refused("store_read_only");
    assert!(said.err.contains("read-only"), "{}", said.err);
    read_only(&bench.folder, bench.command(&["store", "verify"])).done();
    read_only(&bench.folder, bench.command(&["token", "list"])).done();
    // An export leaves an audit row, so there is none where nothing can be written.
    read_only(&bench.folder, bench.command(&["export"])).refused("store_read_only");
    assert_eq!(std::fs::read(bench.store()).unwrap(), before);

    let empty = Bench::empty();
    let said = read_only(&empty.folder, empty.command(&["init", "--organization", "acme"]));
    assert_eq!(said.status, 1, "{}", said.err);
    assert!(said.err.contains("cannot be made") || said.err.contains("read-only"), "{}", said.err);
    assert_eq!(std::fs::read_dir(&empty.folder).unwrap().count(), 0, "nothing is left half-written");
}

#[test]
fn doctor_tells_each_trouble_and_what_to_do() {
    let (bench, _) = Bench::new();
    let state = |said: &Said, name: &str| {
        let value = said.json();
        let checks = value["checks"].as_array().unwrap().clone();
        let worst = ["bad", "note", "good"].into_iter().find(|state| checks.iter().any(|check| check["name"] == name && check["state"] == *state));
        worst.unwrap_or_else(|| panic!("there is no check {name}: {value}")).to_owned()
    };
    let well = bench.run(&["doctor"]).done();
    assert_eq!(well.json()["healthy"], true, "{}", well.out);
    for name in ["clock", "catalog", "key source", "store file", "permissions", "key", "schema", "private networks"] {
        assert_eq!(state(&well, name), "good", "{name}: {}", well.out);
    }

    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(bench.store(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = bench.run(&["doctor"]).done();
    assert_eq!(state(&open, "permissions"), "note");
    assert!(open.out.contains("chmod 600"), "{}", open.out);
    std::fs::set_permissions(bench.store(), std::fs::Permissions::from_mode(0o600)).unwrap();

    let other = Bench::new().0;
    let wrong = Said::of(bench.on(&["doctor"], &bench.store(), &other.key()).output().unwrap());
    assert_eq!((wrong.status, state(&wrong, "key").as_str()), (1, "bad"), "{}", wrong.out);

    std::fs::write(bench.store(), "a letter").unwrap();
    let damaged = bench.run(&["doctor"]);
    assert_eq!((damaged.status, state(&damaged, "store").as_str()), (1, "bad"), "{}", damaged.out);
    std::fs::remove_file(bench.store()).unwrap();
    let missing = bench.run(&["doctor"]);
    assert_eq!((missing.status, state(&missing, "store file").as_str()), (1, "bad"), "{}", missing.out);
    assert!(!bench.store().exists(), "doctor makes nothing");

    let mut without = crate::bench::program();
    let no_bus = Said::of(without.args(["doctor", "--output", "json", "--key-source", "keyring"]).output().unwrap());
    assert_eq!((no_bus.status, state(&no_bus, "keyring").as_str()), (1, "bad"), "{}", no_bus.out);
    assert!(no_bus.out.contains("no D-Bus session"), "{}", no_bus.out);
}

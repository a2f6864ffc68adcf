//! The keyring against a real one: gnome-keyring in a D-Bus session of its own; and what is said where there is none.
//!
//! Each test runs itself again in the surroundings that it needs, since a process cannot change its own safely.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use patchbay_vault::{KeyAccess, KeyHeader, KeySource, Lock, OpenedBy, probe_keyring, system_context};
use uuid::Uuid;

/// Says which part a test plays that was started by itself.
const PART: &str = "PATCHBAY_TEST_PART";

fn keyring() -> KeyAccess {
    KeySource::Keyring.into()
}

/// This test program, about to run one test in a bare environment.
fn myself(test: &str, part: &str, program_before: &[&str]) -> Command {
    let me = std::env::current_exe().unwrap();
    let mut words: Vec<std::ffi::OsString> = program_before.iter().map(Into::into).collect();
    words.extend([me.into(), test.into(), "--exact".into(), "--nocapture".into()]);
    let mut command = Command::new(words.remove(0));
    command.args(words).env(PART, part);
    for inherited in ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY", "GNOME_KEYRING_CONTROL"] {
        command.env_remove(inherited);
    }
    command
}

/// The answers that the other process printed.
fn answers(mut command: Command) -> Vec<String> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} must run: {error}"));
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "the other process failed:\n{text}");
    let answers: Vec<String> = text.lines().filter_map(|line| line.split_once("ANSWER ")).map(|(_, answer)| answer.to_owned()).collect();
    assert!(!answers.is_empty(), "the other process said nothing:\n{text}");
    answers
}

/// A folder for the home of a keyring, removed at the end.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("patchbay-keyring-{}", system_context().new_uuid()));
        std::fs::create_dir_all(path.join("run")).unwrap();
        Self(path)
    }

    fn apply(&self, command: &mut Command) {
        command.env("HOME", &self.0).env("XDG_DATA_HOME", self.0.join("data")).env("XDG_RUNTIME_DIR", self.0.join("run"));
        command.env("XDG_CONFIG_HOME", self.0.join("config")).env("XDG_CACHE_HOME", self.0.join("cache"));
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A gnome-keyring of this process's session bus, ended when dropped. It stays in the foreground, so its id is ours.
struct Daemon(Child);

impl Daemon {
    /// Unlocked with a password, or not at all.
    fn start(unlocked: bool) -> Self {
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        if unlocked {
            command.arg("--unlock");
        }
        let mut child = command.spawn().expect("gnome-keyring-daemon must be installed (Debian package gnome-keyring)");
        child.stdin.take().unwrap().write_all(b"pw\n").unwrap();
        let daemon = Self(child);
        for _ in 0..100 {
            let mut ask = Command::new("dbus-send");
            ask.args(["--session", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"]);
            let output = ask.output().expect("dbus-send must be installed (Debian package dbus)");
            if String::from_utf8_lossy(&output.stdout).contains("true") {
                return daemon;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("gnome-keyring-daemon did not come up");
    }
}

impl Daemon {
    /// Lets it hang: it keeps its name on the bus and answers nobody.
    fn stop(&self) {
        let stopped = Command::new("kill").args(["-STOP", &self.0.id().to_string()]).status().unwrap();
        assert!(stopped.success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn in_session(test: &str, part: &str) -> Vec<String> {
    let home = Home::new();
    let mut command = myself(test, part, &["dbus-run-session", "--"]);
    home.apply(&mut command);
    answers(command)
}

#[test]
fn an_unlocked_keyring_keeps_gives_and_forgets_a_key() {
    if std::env::var_os(PART).is_none() {
        assert_eq!(in_session("an_unlocked_keyring_keeps_gives_and_forgets_a_key", "session"), ["done"]);
        return;
    }
    let _daemon = Daemon::start(true);
    let context = system_context();
    probe_keyring(&context).unwrap();
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let (vault, header) = keyring().create_vault(one, &context).unwrap();
    let (_, other) = keyring().create_vault(two, &context).unwrap();
    assert_eq!(keyring().open_vault(&header).unwrap().keyed_hash("p", b""), vault.keyed_hash("p", b""), "the key is the same when it is read again");
    let exchanged = KeyHeader { lock: Lock { check: other.lock.check, ..header.lock.clone() }, ..header.clone() };
    assert_eq!(keyring().open_vault(&exchanged).err().unwrap().code, patchbay_model::Code::WrongKey, "each store has a key of its own");
    keyring().forget(one).unwrap();
    keyring().forget(one).unwrap();
    let problem = keyring().open_vault(&header).err().unwrap();
    assert!(problem.code == patchbay_model::Code::KeyUnavailable && problem.message.contains(&one.to_string()), "{}", problem.message);
    keyring().forget(two).unwrap();
    println!("ANSWER done");
}

#[test]
fn a_master_key_is_rotated_within_the_keyring() {
    const NAME: &str = "a_master_key_is_rotated_within_the_keyring";
    if std::env::var_os(PART).is_none() {
        assert_eq!(in_session(NAME, "session"), ["done"]);
        return;
    }
    let _daemon = Daemon::start(true);
    let context = system_context();
    let store = Uuid::from_u128(1);
    let (vault, first) = keyring().create_vault(store, &context).unwrap();
    let next = keyring().next_master(&first, &context).unwrap();
    let pending = vault.with_next_master(&first, &next, &context).unwrap();
    assert_eq!(keyring().open_vault(&pending).unwrap().opened_by(), OpenedBy::Current, "the next key has no entry yet");
    assert!(keyring().open_pending(&pending).unwrap().is_none());
    keyring().place(&pending, &next, &context).unwrap();
    assert_eq!(keyring().open_vault(&pending).unwrap().opened_by(), OpenedBy::Current, "the entry before is as it was");
    assert!(vault.agrees_with(&pending, &keyring().open_pending(&pending).unwrap().unwrap()).unwrap());

    let last = pending.with_pending_in_place(true, context.now()).unwrap();
    assert!(keyring().open_vault(&last).is_ok());
    assert!(keyring().open_vault(&first).is_ok(), "a copy from before opens as long as the entry is kept");
    KeyAccess::remove_retired(store, &last.retired[0]).unwrap();
    KeyAccess::remove_retired(store, &last.retired[0]).unwrap();
    assert_eq!(keyring().open_vault(&first).err().unwrap().code, patchbay_model::Code::KeyUnavailable, "its entry is gone");
    let settled = last.without_retired(&last.retired[0]);
    assert!(settled.retired.is_empty() && keyring().open_vault(&settled).is_ok());

    // One that is given up takes its entry along, and no other.
    let next = keyring().next_master(&settled, &context).unwrap();
    let vault = keyring().open_vault(&settled).unwrap();
    let pending = vault.with_next_master(&settled, &next, &context).unwrap();
    keyring().place(&pending, &next, &context).unwrap();
    keyring().withdraw(&pending).unwrap();
    assert!(keyring().open_pending(&pending).unwrap().is_none() && keyring().open_vault(&pending).is_ok());
    println!("ANSWER done");
}

#[test]
fn a_keyring_that_cannot_be_used_is_told_in_one_sentence() {
    if let Some(part) = std::env::var_os(PART) {
        let daemon = (part == "locked" || part == "hanging").then(|| Daemon::start(part == "hanging"));
        if let Some(daemon) = daemon.as_ref().filter(|_| part == "hanging") {
            daemon.stop();
        }
        let problem = probe_keyring(&system_context()).err().unwrap();
        println!("ANSWER {}", problem.code.as_str());
        println!("ANSWER {}", problem.message);
        return;
    }
    const NAME: &str = "a_keyring_that_cannot_be_used_is_told_in_one_sentence";
    let home = Home::new();
    let mut bare = myself(NAME, "bare", &[]);
    home.apply(&mut bare);
    // A bus that takes the connection and says nothing.
    let silent = home.0.join("run/silent");
    let _listener = std::os::unix::net::UnixListener::bind(&silent).unwrap();
    let mut on_silent_bus = myself(NAME, "bare", &[]);
    home.apply(&mut on_silent_bus);
    on_silent_bus.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", silent.display()));
    // A bus that knows of no service and starts none, as where no keyring is installed.
    let bus = home.0.join("run/bus.conf");
    std::fs::write(
        &bus,
        "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context=\"default\"><allow send_destination=\"*\"/><allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>",
    )
    .unwrap();
    let mut nobody = myself(NAME, "nobody", &["dbus-run-session", &format!("--config-file={}", bus.display()), "--"]);
    home.apply(&mut nobody);
    for (part, said, expected) in [
        ("bare", answers(bare), "no D-Bus session is running here"),
        ("nobody", answers(nobody), "No keyring service answers here"),
        ("locked", in_session(NAME, "locked"), "locked"),
        ("hanging", in_session(NAME, "hanging"), "does not answer"),
        ("silent bus", answers(on_silent_bus), "does not answer"),
    ] {
        assert_eq!(said[0], "key_unavailable", "{part}: {said:?}");
        assert!(said[1].contains(expected), "{part}: {said:?}");
        assert!(said[1].ends_with("choose another key source: passphrase, file:PATH, env:NAME or systemd."), "it says what to do: {said:?}");
        assert_eq!(said[1].matches(". ").count(), 0, "one sentence: {said:?}");
    }
}

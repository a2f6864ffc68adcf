//! Wrong usage: exit status 64, a sentence on standard error, nothing on standard output, nothing made.

use crate::bench::{Bench, Said, program};

fn run(words: &[&str]) -> Said {
    Said::of(program().args(words).output().unwrap())
}

#[test]
fn wrong_usage_ends_with_64_and_says_what_is_wrong() {
    let bench = Bench::empty();
    let store = format!("sqlite:{}", bench.store().display());
    let key = format!("file:{}", bench.key().display());
    for (words, sentence) in [
        (&["nonsense"][..], "nonsense"),
        (&["init"], "--store"),
        (&["init", "--store", &store, "--key-source", &key], "--organization"),
        (&["init", "--store", &store, "--organization", "acme"], "name a key source"),
        (&["init", "--store", "mysql:x", "--organization", "acme", "--key-source", &key], "sqlite:PATH"),
        (&["init", "--store", &store, "--organization", "acme", "--key-source", "c2VjcmV0a2V5"], "keyring, passphrase, file:PATH, env:NAME, systemd"),
        (&["serve", "--store", &store, "--key-source", &key, "--listen", "nowhere"], "--listen"),
        (&["serve", "--store", &store, "--key-source", &key, "--listen", "0.0.0.0:0"], "--tls-cert"),
        (&["serve", "--store", &store, "--key-source", &key, "--tls-cert", "x"], "--tls-key"),
        (&["serve", "--store", &store, "--key-source", &key, "--trusted-proxy", "10.0.0.0/99"], "--trusted-proxy"),
        (&["serve", "--store", &store, "--key-source", &key, "--public-url", "ftp://x"], "--public-url"),
        (&["export", "--store", &store, "--key-source", &key, "--secrets", "sealed"], "--recipient"),
        (&["export", "--store", &store, "--key-source", &key, "--recipient", "age1x"], "--secrets sealed"),
        (&["export", "--store", &store, "--key-source", &key, "--secrets", "sealed", "--recipient", "age1x"], "is not an age recipient"),
        (&["call", "--store", &store, "--key-source", &key, "--integration", "acme", "query_tickets"], "ACCOUNT/NAME"),
        (&["call", "--store", &store, "--key-source", &key, "--integration", "acme/jira", "frobnicate"], "query_tickets"),
        (&["call", "--store", &store, "--key-source", &key, "--integration", "acme/jira", "get_ticket"], "ticket_id"),
        (&["call", "--store", &store, "--key-source", &key, "--integration", "acme/jira", "create_ticket", "--body", "{"], "not JSON"),
        (&["token", "mint", "--store", &store, "--key-source", &key, "--integration", "a/b", "--account", "a"], "--account"),
        (&["catalog", "show", "crm_nothing"], "crm_nothing"),
        (&["catalog", "list", "--connector", "nothing"], "nothing"),
        (&["store", "verify", "--store", &store, "--key-source", &key, "--output", "yaml"], "--output"),
    ] {
        let said = run(words);
        assert_eq!(said.status, 64, "{words:?}: {} {}", said.out, said.err);
        assert!(said.err.contains(sentence), "{words:?} must speak of {sentence:?}: {}", said.err);
        assert!(said.out.is_empty(), "{words:?}: standard output is for results: {}", said.out);
        assert!(!said.err.contains("c2VjcmV0a2V5"), "what could be a key is not repeated: {}", said.err);
    }
    assert_eq!(std::fs::read_dir(&bench.folder).unwrap().count(), 0, "nothing was made");
}

#[test]
fn help_and_version_are_results() {
    for words in [&["--help"][..], &["--version"], &["init", "--help"], &["token", "mint", "--help"]] {
        let said = run(words);
        assert!(said.status == 0 && !said.out.is_empty() && said.err.is_empty(), "{words:?}: {} {}", said.out, said.err);
    }
    let help = run(&["serve", "--help"]).out;
    for flag in ["--listen", "--public-url", "--tls-cert", "--tls-key", "--trusted-proxy", "--allow-private-networks", "--store", "--key-source", "--output"] {
        assert!(help.contains(flag), "{flag} is in the help");
    }
}

#[test]
fn the_passphrase_is_no_argument_and_is_not_waited_for_without_a_terminal() {
    let bench = Bench::empty();
    let store = format!("sqlite:{}", bench.store().display());
    let said = run(&["init", "--store", &store, "--organization", "acme", "--key-source", "passphrase", "--output", "json"]).refused("key_unavailable");
    assert!(said.err.contains("PATCHBAY_PASSPHRASE"), "it says what to do: {}", said.err);
    assert!(!bench.store().exists(), "no store is made without its key");
    let mut command = program();
    command.args(["init", "--store", &store, "--organization", "acme", "--output", "json"]).env("PATCHBAY_KEY_SOURCE", "passphrase");
    let weak = Said::of(command.env("PATCHBAY_PASSPHRASE", "short").output().unwrap());
    weak.refused("weak_password");
    assert!(!bench.store().exists(), "no store is made under a weak passphrase");
    let mut good = program();
    good.args(["init", "--store", &store, "--organization", "acme", "--output", "json", "--key-source", "passphrase"]).env("PATCHBAY_PASSPHRASE", "correct horse");
    let made = Said::of(good.output().unwrap()).done();
    assert!(!made.out.contains("correct horse") && !made.err.contains("correct horse"));
    let mut verify = program();
    verify.args(["store", "verify", "--store", &store, "--output", "json", "--key-source", "passphrase"]).env("PATCHBAY_PASSPHRASE", "correct house");
    Said::of(verify.output().unwrap()).refused("wrong_key");
}

/// Runs the program on a terminal of its own, and types a line at each prompt.
fn on_a_terminal(words: &[&str], lines: &[&str]) -> (Option<i32>, String) {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};
    let program = program();
    let quoted: Vec<String> = std::iter::once(program.get_program().to_str().unwrap()).chain(words.iter().copied()).map(|word| format!("'{word}'")).collect();
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--echo", "never", "--command", &quoted.join(" "), "/dev/null"]);
    command.env_remove("PATCHBAY_PASSPHRASE").env_remove("PATCHBAY_KEY_SOURCE").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("script must be installed (Debian package bsdutils)");
    let mut keyboard = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    let (mut shown, mut typed) = (Vec::new(), 0);
    let mut piece = [0; 1024];
    loop {
        let read = screen.read(&mut piece).unwrap();
        if read == 0 {
            break;
        }
        shown.extend_from_slice(&piece[..read]);
        let prompts = String::from_utf8_lossy(&shown).matches(": ").count();
        while typed < prompts.min(lines.len()) {
            writeln!(keyboard, "{}", lines[typed]).unwrap();
            typed += 1;
        }
    }
    drop(keyboard);
    (child.wait().unwrap().code(), String::from_utf8_lossy(&shown).into_owned())
}

#[test]
fn on_a_terminal_the_passphrase_is_asked_for_and_not_shown() {
    let bench = Bench::empty();
    let store = format!("sqlite:{}", bench.store().display());
    let init = ["init", "--store", &store, "--organization", "acme", "--key-source", "passphrase"];
    let (status, screen) = on_a_terminal(&init, &["correct horse", "other horse"]);
    assert!(status == Some(1) && screen.contains("differ") && !bench.store().exists(), "{status:?} {screen}");
    let (status, screen) = on_a_terminal(&init, &["correct horse", "correct horse"]);
    assert!(status == Some(0) && screen.contains("pbo_"), "{status:?} {screen}");
    assert!(!screen.contains("correct horse"), "what is typed is not shown: {screen}");
    let verify = ["store", "verify", "--store", &store, "--key-source", "passphrase"];
    let (status, screen) = on_a_terminal(&verify, &["correct horsf"]);
    assert!(status == Some(1) && screen.contains("does not belong to this store"), "{status:?} {screen}");
    let (status, screen) = on_a_terminal(&verify, &["correct horse"]);
    assert!(status == Some(0) && screen.contains("clean"), "{status:?} {screen}");
}

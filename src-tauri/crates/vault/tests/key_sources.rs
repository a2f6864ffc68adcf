//! Sources of the master key: files with their permissions, variables, systemd's folder, passphrases.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail the test")]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use patchbay_model::{Code, Problem, Secret};
use patchbay_vault::{KeyAccess, KeySource, OsEntropy, SourceKind, Vault, system_context};
use uuid::Uuid;

/// A folder of its own for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("patchbay-{name}-{}", system_context().new_uuid()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn access(source: &str) -> KeyAccess {
    source.parse::<KeySource>().unwrap().into()
}

fn problem<T>(result: Result<T, Problem>) -> Problem {
    result.err().expect("it must be refused")
}

#[test]
fn sources_are_read_and_written() {
    for text in ["keyring", "passphrase", "systemd", "file:/a b/c:d", "env:PATCHBAY_KEY"] {
        assert_eq!(text.parse::<KeySource>().unwrap().to_string(), text);
    }
    for text in ["", "file", "file:", "env", "env:", "env:1A", "env:A-B", "keyring:", "vault:x", "c2VjcmV0c2VjcmV0"] {
        let problem = problem(text.parse::<KeySource>());
        assert_eq!(problem.code, Code::InvalidField, "{text:?}");
        assert!(!problem.message.contains("c2Vj"), "what could be a key is not repeated: {}", problem.message);
        assert!(problem.message.contains("keyring, passphrase, file:PATH, env:NAME, systemd"), "it says what to do: {}", problem.message);
    }
}

#[test]
fn a_key_file_is_made_for_its_owner_alone_and_used_again() {
    let folder = Folder::new("keyfile");
    let path = folder.0.join("key");
    let access = access(&format!("file:{}", path.display()));
    let (vault, header) = access.create_vault(Uuid::from_u128(1), &system_context()).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1, "no draft is left behind");
    assert_eq!(header.lock.made_with, SourceKind::File);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.trim().len(), 44, "base64 of 32 bytes");

    let again = access.open_vault(&header).unwrap();
    assert_eq!(again.keyed_hash("p", b"x"), vault.keyed_hash("p", b"x"));
    let (_, second) = access.create_vault(Uuid::from_u128(2), &system_context()).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "a key file that is there is used, not replaced");
    assert!(access.open_vault(&second).is_ok());
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let folder = Folder::new("mode");
    let path = folder.0.join("key");
    let access = access(&format!("file:{}", path.display()));
    let (_, header) = access.create_vault(Uuid::from_u128(1), &system_context()).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o666] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let problem = problem(access.open_vault(&header));
        assert_eq!(problem.code, Code::KeyUnavailable);
        assert!(problem.message.contains("chmod 600") && problem.message.contains(&format!("{mode:04o}")), "{}", problem.message);
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    assert!(access.open_vault(&header).is_ok(), "read-only for the owner is fine");
}

#[test]
fn a_file_that_is_no_key_says_so_and_stays_as_it_was() {
    let folder = Folder::new("nokey");
    let path = folder.0.join("key");
    let access = access(&format!("file:{}", path.display()));
    for content in [&b"\xff\xfe"[..], b"", b"hello", b"c2hvcnQ=", &[b'A'; 5000]] {
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let problem = problem(access.create_vault(Uuid::nil(), &system_context()));
        assert_eq!(problem.code, Code::KeyUnavailable);
        assert!(problem.message.contains("base64 of") && !problem.message.contains("hello"), "{}", problem.message);
        assert_eq!(std::fs::read(&path).unwrap(), content, "nothing is overwritten");
    }
    let missing = KeyAccess::from(KeySource::File(folder.0.join("none/key")));
    assert!(problem(missing.create_vault(Uuid::nil(), &system_context())).message.contains("cannot be made"), "a folder that is not there");
    assert!(problem(KeyAccess::from(KeySource::File(folder.0.clone())).check(&system_context())).message.contains("is not a key file"), "a folder is no file");
}

#[test]
fn a_wrong_key_opens_nothing_and_makes_nothing() {
    let folder = Folder::new("wrong");
    let right = access(&format!("file:{}", folder.0.join("right").display()));
    let wrong = access(&format!("file:{}", folder.0.join("wrong").display()));
    let (_, header) = right.create_vault(Uuid::from_u128(1), &system_context()).unwrap();
    assert_eq!(problem(wrong.open_vault(&header)).code, Code::KeyUnavailable);
    assert!(!folder.0.join("wrong").exists(), "opening a store makes no key file");
    wrong.create_vault(Uuid::from_u128(2), &system_context()).unwrap();
    assert_eq!(problem(wrong.open_vault(&header)).code, Code::WrongKey);
    assert!(right.open_vault(&header).is_ok(), "the right key still opens it");
}

#[test]
fn a_passphrase_opens_with_itself_only() {
    let context = system_context();
    let right = KeyAccess::with_passphrase(Secret::new("correct horse battery"));
    let (vault, header) = right.create_vault(Uuid::from_u128(1), &context).unwrap();
    let kdf = header.lock.kdf.as_ref().unwrap();
    assert_eq!((kdf.memory_kib, kdf.iterations, kdf.lanes), (65536, 3, 4), "RFC 9106, second recommended option");
    assert_eq!(right.open_vault(&header).unwrap().keyed_hash("p", b""), vault.keyed_hash("p", b""));
    assert_eq!(problem(KeyAccess::with_passphrase(Secret::new("correct horse batterz")).open_vault(&header)).code, Code::WrongKey);
    assert_eq!(problem(KeyAccess::with_passphrase(Secret::new("short")).create_vault(Uuid::nil(), &context)).code, Code::WeakPassword);
    assert_eq!(problem(access("passphrase").open_vault(&header)).code, Code::KeyUnavailable, "none was given");
    assert!(problem(access("env:PATH").open_vault(&header)).message.contains("locked with a passphrase"), "the other source is told apart");

    let mut forged = header.clone();
    if let Some(kdf) = &mut forged.lock.kdf {
        kdf.memory_kib = u32::MAX;
    }
    assert_eq!(problem(right.open_vault(&forged)).code, Code::StoreDamaged, "a forged header does not make us spend 4 TiB");
}

#[test]
fn a_passphrase_is_no_use_on_a_store_without_one() {
    let (_, header) = Vault::create(&patchbay_vault::MasterKey::generate(&OsEntropy), Uuid::nil(), SourceKind::Keyring, None, &system_context()).unwrap();
    let problem = problem(KeyAccess::with_passphrase(Secret::new("correct horse")).open_vault(&header));
    assert!(problem.code == Code::KeyUnavailable && problem.message.contains("the system keyring"), "{}", problem.message);
}

/// Variables cannot be set safely within a test process, so this test runs itself again with others.
#[test]
fn variables_and_systemd_credentials_are_read_from_the_environment() {
    const NAME: &str = "variables_and_systemd_credentials_are_read_from_the_environment";
    if let Ok(source) = std::env::var("PATCHBAY_TEST_SOURCE") {
        match access(&source).check(&system_context()) {
            Ok(()) => println!("ANSWER usable"),
            Err(problem) => println!("ANSWER {} {}", problem.code.as_str(), problem.message),
        }
        return;
    }
    let folder = Folder::new("credentials");
    let key = patchbay_vault::MasterKey::generate(&OsEntropy).to_base64();
    let ask = |source: &str, variables: &[(&str, &str)]| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args([NAME, "--exact", "--nocapture"]).env_remove("CREDENTIALS_DIRECTORY").env("PATCHBAY_TEST_SOURCE", source);
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().find_map(|line| line.split_once("ANSWER ")).unwrap_or_else(|| panic!("no answer in {text}")).1.to_owned()
    };
    assert_eq!(ask("env:PATCHBAY_TEST_KEY", &[("PATCHBAY_TEST_KEY", key.expose())]), "usable");
    let unset = ask("env:PATCHBAY_TEST_KEY", &[]);
    assert!(unset.starts_with("key_unavailable ") && unset.contains("PATCHBAY_TEST_KEY is not set"), "{unset}");
    let wrong = ask("env:PATCHBAY_TEST_KEY", &[("PATCHBAY_TEST_KEY", "hunter2")]);
    assert!(wrong.contains("does not hold a key") && !wrong.contains("hunter2"), "the value is not repeated: {wrong}");

    let directory = [("CREDENTIALS_DIRECTORY", folder.0.to_str().unwrap())];
    assert!(ask("systemd", &[]).contains("LoadCredentialEncrypted=patchbay-key"), "it says how to give it");
    assert!(ask("systemd", &directory).contains("patchbay-key is not there"));
    std::fs::write(folder.0.join("patchbay-key"), key.expose()).unwrap();
    assert_eq!(ask("systemd", &directory), "usable");
}

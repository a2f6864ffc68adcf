//! Backup, restore, copy and verify, as a person runs them: what comes back is what was there, and whatever goes wrong leaves
//! what was there.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use patchbay_vault::AgeIdentity;
use serde_json::{Value, json};

use crate::bench::{Bench, Said};
use crate::kill::settings;

/// Secrets that must be in no file in clear.
const PLANTED: [&str; 3] = ["planted-token-4f8a1c", "planted-password-93bd20", "planted-webhook-secret-77e1"];

/// A provider that answers every request and remembers it.
pub(crate) struct Peer {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        // Ends with the test's process.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut text = String::new();
                let mut chunk = [0; 4096];
                while !text.contains("\r\n\r\n") {
                    match stream.read(&mut chunk) {
                        Ok(read) if read > 0 => text.push_str(&String::from_utf8_lossy(&chunk[..read])),
                        _ => break,
                    }
                }
                log.lock().unwrap().push(text);
                let body = r#"{"issues":[],"total_count":0,"offset":0,"limit":25,"user":{"id":1,"login":"ada"}}"#;
                let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            }
        });
        Self { url, seen }
    }

    fn last(&self) -> String {
        self.seen.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

/// A store with one of much, and secrets in it. Gives the organization's token.
pub(crate) fn filled(peer: &Peer) -> (Bench, String) {
    let (bench, made) = Bench::new();
    let token = made["organization"]["token"]["access"]["secret"].as_str().unwrap().to_owned();
    fill(&bench, &token, peer);
    (bench, token)
}

fn fill(bench: &Bench, token: &str, peer: &Peer) {
    let server = bench.serve(&["--allow-private-networks"]);
    let make = |path: &str, body: Value| {
        let (status, answer) = server.call("POST", path, token, Some(&body)).unwrap();
        assert!(status == 201 || status == 200, "{path}: {status} {answer}");
        answer["result"].clone()
    };
    for account in ["initech", "globex"] {
        make("/v1/accounts", json!({ "name": account, "environment": "test", "labels": ["a", "b"] }));
        let config = json!({ "type": "ticketing_redmine", "url": peer.url, "credential": { "type": "token", "secret": PLANTED[0] } });
        make(&format!("/v1/integrations/{account}"), json!({ "name": "desk", "provider_config": config }));
        make(&format!("/v1/integrations/{account}"), json!({ "name": "mock", "provider_config": { "type": "ticketing_mock_ticketing" } }));
        make(&format!("/v1/credentials/{account}"), json!({ "name": "shared", "config": { "type": "basic", "username": "ada", "secret": PLANTED[1] } }));
    }
    make("/v1/integration-points", json!({ "name": "desks", "connector": "ticketing", "environments": { "test": ["*"] } }));
    let hook = json!({ "name": "hook", "environment": "test", "filters": ["account_create"], "url": "https://hooks.example.com/x",
        "secret": { "value": PLANTED[2] } });
    let (status, answer) = server.call("POST", "/v1/organization/webhooks", token, Some(&hook)).unwrap();
    assert_eq!(status, 201, "{answer}");
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));
}

/// The configuration, and a call that only works with the right secret.
pub(crate) fn works(bench: &Bench, store: &Path, key: &Path, peer: &Peer) -> String {
    let call = ["call", "--integration", "initech/desk", "query_tickets", "--allow-private-networks"];
    Said::of(bench.on(&call, store, key).output().unwrap()).done();
    assert!(peer.last().contains(PLANTED[0]), "the provider is sent the secret: {}", peer.last());
    let verified = Said::of(bench.on(&["store", "verify"], store, key).output().unwrap()).done().json();
    assert!(verified["clean"] == true && verified["sealed_values"].as_u64().unwrap() >= 5, "{verified}");
    Said::of(bench.on(&["export"], store, key).output().unwrap()).done().json()["configuration"].as_str().unwrap().to_owned()
}

/// That a file has none of the secrets in clear.
fn has_no_secret(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    for secret in PLANTED {
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} is in {}", path.display());
    }
}

pub(crate) fn has_no_secret_within(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { has_no_secret_within(&path) } else { has_no_secret(&path) }
    }
}

struct Pair {
    recipient: String,
    file: PathBuf,
}

fn pair(bench: &Bench, name: &str) -> Pair {
    let identity = AgeIdentity::generate();
    let file = bench.folder.join(name);
    std::fs::write(&file, format!("# for a test\n{}\n", identity.to_text().expose())).unwrap();
    Pair { recipient: identity.recipient().to_string(), file }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_backup_brings_everything_back() {
    let peer = Peer::start();
    let (bench, token) = filled(&peer);
    let before = works(&bench, &bench.store(), &bench.key(), &peer);
    let pair = pair(&bench, "identity");
    // While a server has the store open and writes to it.
    let server = bench.serve(&[]);
    let made = bench.run(&["store", "backup", "--to", text(&bench.folder), "--recipient", &pair.recipient]).done().json();
    let file = PathBuf::from(made["backup"]["written"].as_str().unwrap());
    assert!(file.file_name().unwrap().to_str().unwrap().starts_with("store.db-") && text(&file).ends_with(".backup.age"), "{made}");
    let tables = made["backup"]["tables"].as_array().unwrap();
    let rows = |table: &str| tables.iter().find(|sum| sum["table"] == table).unwrap()["rows"].as_u64().unwrap();
    assert_eq!((rows("accounts"), rows("integration_instances"), rows("organization_webhooks")), (2, 4, 1), "{made}");
    let (status, _) = server.call("POST", "/v1/accounts", &token, Some(&json!({ "name": "later" }))).unwrap();
    assert_eq!(status, 201);
    has_no_secret_within(&bench.folder);

    let verified = Said::of(bench.on(&[], &bench.store(), &bench.key()).output().unwrap());
    assert_eq!(verified.status, 64, "a command is needed");
    let backup = text(&file).to_owned();
    let verify = |identity: &Path| {
        let mut command = crate::bench::program();
        command.args(["store", "verify", "--backup", &backup, "--identity", text(identity), "--output", "json", "--key-source"]);
        Said::of(command.arg(format!("file:{}", bench.key().display())).output().unwrap())
    };
    let verified = verify(&pair.file).done().json();
    assert!(verified["clean"] == true && verified["rows"] == made["backup"]["rows"], "{verified}");

    // Somebody has the store open: it cannot be replaced.
    let restore = |more: &[&str]| bench.run(&[&["store", "restore", &backup, "--identity", text(&pair.file)], more].concat());
    restore(&[]).refused("in_use");
    restore(&["--replace"]).refused("store_locked");
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));
    let restored = restore(&["--replace"]).done().json();
    assert_eq!(restored["restored"]["findings"], json!([]));
    assert_eq!(restored["restored"]["rows"], made["backup"]["rows"]);
    assert_eq!(works(&bench, &bench.store(), &bench.key(), &peer), before, "the configuration is as it was");
    let again = bench.serve(&[]);
    assert_eq!(again.call("GET", "/v1/accounts/initech", &token, None).unwrap().0, 200, "the token works as before");
    assert_eq!(again.call("GET", "/v1/accounts/later", &token, None).unwrap().0, 404, "what came after the backup is gone");
    again.signal("TERM");
    assert_eq!(again.ended().0, Some(0));
    // And is in the store that was kept.
    let kept = PathBuf::from(restored["restored"]["kept"].as_str().unwrap());
    let exported = Said::of(bench.on(&["export"], &kept, &bench.key()).output().unwrap()).done();
    assert!(exported.out.contains("later"));

    // Into a new place.
    let other = bench.folder.join("other.db");
    Said::of(bench.on(&["store", "restore", &backup, "--identity", text(&pair.file)], &other, &bench.key()).output().unwrap()).done();
    assert_eq!(works(&bench, &other, &bench.key(), &peer), before);
    assert!(!bench.folder.join("other.db.restoring").exists() && !bench.folder.join("other.db.restoring-lock").exists());
    has_no_secret_within(&bench.folder);
}

#[test]
fn a_backup_that_cannot_be_used_changes_nothing() {
    let peer = Peer::start();
    let (bench, _) = filled(&peer);
    let (right, wrong) = (pair(&bench, "right"), pair(&bench, "wrong"));
    let file = bench.folder.join("a.age");
    bench.run(&["store", "backup", "--to", text(&file), "--recipient", &right.recipient]).done();
    let bytes = std::fs::read(&file).unwrap();
    bench.run(&["store", "backup", "--to", text(&file), "--recipient", &right.recipient]).refused("name_taken");
    assert_eq!(std::fs::read(&file).unwrap(), bytes, "an earlier backup is not replaced");
    let missing = bench.folder.join("no/such/folder/a.age");
    bench.run(&["store", "backup", "--to", text(&missing), "--recipient", &right.recipient]).refused("backup_failed");

    let target = bench.folder.join("new.db");
    let restore = |file: &Path, identity: &[&str], key: &Path| {
        let said = Said::of(bench.on(&[&["store", "restore", text(file)], identity].concat(), &target, key).output().unwrap());
        assert!(!target.exists() || said.status == 0, "nothing is left: {}{}", said.out, said.err);
        said
    };
    let identity = ["--identity", text(&right.file)];
    restore(&file, &["--identity", text(&wrong.file)], &bench.key()).refused("seal_broken");
    restore(&file, &[], &bench.key()).refused("invalid_field");
    let mut with_passphrase = bench.on(&["store", "restore", text(&file), "--passphrase"], &target, &bench.key());
    Said::of(with_passphrase.env("PATCHBAY_BACKUP_PASSPHRASE", "a long passphrase").output().unwrap()).refused("invalid_field");
    let other_key = bench.folder.join("other-key");
    Bench::run(&bench, &["store", "verify"]).done();
    let other = bench.folder.join("other.db");
    Said::of(bench.on(&["init", "--organization", "other"], &other, &other_key).output().unwrap()).done();
    let said = restore(&file, &identity, &other_key).refused("wrong_key");
    assert!(said.err.contains("key"), "{}", said.err);

    let damaged = bench.folder.join("damaged.age");
    for cut in [0, 1, 20, 200, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&damaged, &bytes[..cut]).unwrap();
        let said = restore(&damaged, &identity, &bench.key());
        assert!(said.status == 1 && !said.err.is_empty(), "cut at {cut}: {}", said.out);
    }
    for place in (0..bytes.len()).step_by(bytes.len() / 12) {
        let mut changed = bytes.clone();
        changed[place] ^= 0x10;
        std::fs::write(&damaged, &changed).unwrap();
        let said = restore(&damaged, &identity, &bench.key());
        assert_eq!(said.status, 1, "changed at {place}: {}", said.out);
    }
    // Over a store that is there, nothing happens either.
    let before = std::fs::read(bench.store()).unwrap();
    std::fs::write(&damaged, &bytes[..bytes.len() - 100]).unwrap();
    bench.run(&["store", "restore", text(&damaged), "--replace", "--identity", text(&right.file)]).refused("invalid_image");
    assert_eq!(std::fs::read(bench.store()).unwrap(), before);
    assert!(!bench.folder.join("store.db.restoring").exists());
    restore(&file, &identity, &bench.key()).done();
}

#[test]
fn a_passphrase_seals_a_backup_too() {
    let (bench, _) = Bench::new();
    let file = bench.folder.join("p.age");
    let run = |words: &[&str], passphrase: &str| Said::of(bench.command(words).env("PATCHBAY_BACKUP_PASSPHRASE", passphrase).output().unwrap());
    run(&["store", "backup", "--to", text(&file), "--passphrase"], "short").refused("weak_password");
    assert!(!file.exists());
    run(&["store", "backup", "--to", text(&file), "--passphrase"], "correct horse battery").done();
    run(&["store", "restore", text(&file), "--replace", "--passphrase"], "correct horse batterY").refused("seal_broken");
    run(&["store", "restore", text(&file), "--replace", "--passphrase"], "correct horse battery").done();
    bench.run(&["store", "verify"]).done();
    let said = bench.run(&["store", "backup", "--to", text(&file)]);
    assert_eq!(said.status, 64, "a backup is sealed: {}", said.err);
    assert_eq!(bench.run(&["store", "backup", "--recipient", "age1nonsense"]).status, 64);
}

#[test]
fn a_copy_has_its_own_keys_and_the_same_tokens() {
    let peer = Peer::start();
    let (bench, token) = filled(&peer);
    let before = works(&bench, &bench.store(), &bench.key(), &peer);
    let (target, key) = (bench.folder.join("copy.db"), bench.folder.join("copy-key"));
    let copy = |from: &Path, from_key: &Path, to: &Path, to_key: &Path| {
        let mut command = crate::bench::program();
        command.args(["store", "copy", "--output", "json"]).arg(format!("sqlite:{}", from.display())).arg(format!("sqlite:{}", to.display()));
        command.arg("--key-source").arg(format!("file:{}", from_key.display())).arg("--to-key-source").arg(format!("file:{}", to_key.display()));
        Said::of(command.output().unwrap())
    };
    let copied = copy(&bench.store(), &bench.key(), &target, &key).done().json();
    assert!(copied["copied"]["sealed_values"].as_u64().unwrap() >= 5, "{copied}");
    assert_ne!(std::fs::read(&key).unwrap(), std::fs::read(bench.key()).unwrap());
    assert_eq!(works(&bench, &target, &key, &peer), before, "the same configuration");
    assert_eq!(Said::of(bench.on(&["store", "verify"], &target, &bench.key()).output().unwrap()).refused("wrong_key").status, 1, "the key of the source does not open the copy");
    let server = crate::bench::Server::start(bench.on(&["serve", "--listen", "127.0.0.1:0", "--drain", "0"], &target, &key));
    assert_eq!(server.call("GET", "/v1/accounts/initech", &token, None).unwrap().0, 200, "the token goes on working");
    copy(&bench.store(), &bench.key(), &target, &key).refused("in_use");
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));

    // A copy of the copy has the same sums: they speak of what is in the rows, not of how it is sealed. What was written by
    // looking at it is in the audit log alone.
    let (second, second_key) = (bench.folder.join("second.db"), bench.folder.join("second-key"));
    let again = copy(&target, &key, &second, &second_key).done().json();
    for (one, other) in copied["copied"]["tables"].as_array().unwrap().iter().zip(again["copied"]["tables"].as_array().unwrap()) {
        let telling = !["audit_events", "integration_counters", "status_minutes", "token_containers", "integration_instances", "members"].contains(&one["table"].as_str().unwrap());
        assert!(one == other || !telling, "{one} {other}");
    }
    has_no_secret_within(&bench.folder);

    // A source that cannot be opened leaves no target behind.
    let nothing = bench.folder.join("nothing.db");
    copy(&bench.store(), &key, &nothing, &second_key).refused("wrong_key");
    copy(&bench.folder.join("missing.db"), &key, &nothing, &second_key).refused("store_missing");
    assert!(!nothing.exists());
}

#[test]
fn verify_says_what_is_wrong() {
    let peer = Peer::start();
    let (bench, _) = filled(&peer);
    let said = bench.run(&["store", "verify"]).done().json();
    assert!(said["rows"].as_u64().unwrap() > 20 && said["tables"].as_array().unwrap().len() > 20, "{said}");
}

/// A kill -9 in the middle of each piece of work, in each round.
#[test]
fn kill_9_leaves_the_old_or_the_new() {
    let (rounds, seed) = settings("backup, restore and copy");
    let peer = Peer::start();
    let (bench, _) = filled(&peer);
    let before = works(&bench, &bench.store(), &bench.key(), &peer);
    let pair = pair(&bench, "identity");
    let backup = bench.folder.join("whole.age");
    bench.run(&["store", "backup", "--to", text(&backup), "--recipient", &pair.recipient]).done();
    // Longer than any of them takes, so that some get to their end.
    let moment = |round: u64, kind: u64| Duration::from_micros(seed.wrapping_add(round * 31 + kind).wrapping_mul(6_364_136_223_846_793_005).rotate_left(31) % 900_000);
    let killed = |mut command: std::process::Command, after: Duration| {
        let mut child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(after);
        // It may be done already.
        let _ = child.kill();
        let _ = child.wait();
    };
    for round in 0..rounds {
        let file = bench.folder.join(format!("{round}.age"));
        killed(bench.command(&["store", "backup", "--to", text(&file), "--recipient", &pair.recipient]), moment(round, 1));
        if file.exists() {
            let mut command = crate::bench::program();
            command.args(["store", "verify", "--backup", text(&file), "--identity", text(&pair.file), "--output", "json", "--key-source"]);
            Said::of(command.arg(format!("file:{}", bench.key().display())).output().unwrap()).done();
        }

        killed(bench.command(&["store", "restore", text(&backup), "--replace", "--identity", text(&pair.file)]), moment(round, 2));
        assert_eq!(works(&bench, &bench.store(), &bench.key(), &peer), before, "round {round}, seed {seed}: old and new have the same configuration");

        let (target, key) = (bench.folder.join(format!("copy-{round}.db")), bench.folder.join(format!("key-{round}")));
        let copy = || {
            let mut command = crate::bench::program();
            command.args(["store", "copy", "--output", "json"]).arg(format!("sqlite:{}", bench.store().display())).arg(format!("sqlite:{}", target.display()));
            command.arg("--key-source").arg(format!("file:{}", bench.key().display())).arg("--to-key-source").arg(format!("file:{}", key.display()));
            command
        };
        killed(copy(), moment(round, 3));
        let again = Said::of(copy().output().unwrap());
        if again.status != 0 {
            again.refused("in_use");
        }
        assert_eq!(works(&bench, &target, &key, &peer), before, "round {round}, seed {seed}: a copy is whole or made anew");
    }
    has_no_secret_within(&bench.folder);
    eprintln!("kill -9 of backup, restore and copy: {rounds} rounds, of the rows of {} backups and stores none lost; seed {seed}", rounds * 3);
}

#[test]
fn an_organization_goes_through_a_server() {
    let peer = Peer::start();
    let (bench, token) = filled(&peer);
    let before = works(&bench, &bench.store(), &bench.key(), &peer);
    let (other, other_key) = (bench.folder.join("other.db"), bench.folder.join("other-key"));
    let made = Said::of(bench.on(&["init", "--organization", "acme"], &other, &other_key).output().unwrap()).done().json();
    let arriving = made["organization"]["token"]["access"]["secret"].as_str().unwrap().to_owned();
    let server = bench.serve(&[]);
    let target = crate::bench::Server::start(bench.on(&["serve", "--listen", "127.0.0.1:0", "--drain", "0"], &other, &other_key));

    let (status, told) = target.call("GET", "/v1/x/configuration/recipient", &arriving, None).unwrap();
    assert_eq!(status, 200, "{told}");
    let copy = json!({ "recipient": told["result"]["recipient"] });
    let viewer = bench.run(&["token", "mint", "--permission-set", "viewer", "--name", "looker"]).done().json();
    let viewer = viewer["primary"]["access"]["secret"].as_str().unwrap().to_owned();
    for (method, path, body) in [("GET", "recipient", None), ("POST", "copy", Some(&copy)), ("POST", "fill", Some(&json!({ "image": "YWdl" })))] {
        let (status, answer) = server.call(method, &format!("/v1/x/configuration/{path}"), &viewer, body).unwrap();
        assert_eq!(status, 403, "{path} is an administrator's: {answer}");
    }
    assert_eq!(server.call("POST", "/v1/x/configuration/copy", &token, Some(&json!({ "recipient": "age1nonsense" }))).unwrap().0, 400);
    let (status, given) = server.call("POST", "/v1/x/configuration/copy", &token, Some(&copy)).unwrap();
    assert_eq!(status, 200, "{given}");
    let image = given["result"]["image"].as_str().unwrap().to_owned();

    // What is cut off, changed or for somebody else changes nothing.
    let mut changed = image.clone().into_bytes();
    let middle = changed.len() / 2;
    changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
    for bad in [String::from_utf8(changed).unwrap(), image[..image.len() / 8 * 4].to_owned(), "YWdl".to_owned(), "*".to_owned()] {
        let (status, answer) = target.call("POST", "/v1/x/configuration/fill", &arriving, Some(&json!({ "image": bad }))).unwrap();
        assert_eq!(status, 400, "{answer}");
    }
    let (status, answer) = server.call("POST", "/v1/x/configuration/fill", &token, Some(&json!({ "image": image }))).unwrap();
    assert_eq!((status, &answer["code"]), (400, &json!("invalid_image")), "sealed to the other store: {answer}");
    assert_eq!(target.call("GET", "/v1/accounts", &arriving, None).unwrap().1["result"], json!([]), "nothing came");

    let (status, filled) = target.call("POST", "/v1/x/configuration/fill", &arriving, Some(&json!({ "image": image }))).unwrap();
    assert_eq!(status, 200, "{filled}");
    assert!(filled["result"]["sealed_values"].as_u64().unwrap() >= 5, "{filled}");
    let (status, accounts) = target.call("GET", "/v1/accounts/initech", &arriving, None).unwrap();
    assert_eq!(status, 200, "the token goes on, for what it brought: {accounts}");
    let there = server.call("GET", "/v1/accounts/initech", &token, None).unwrap().1;
    assert_eq!(accounts["result"]["id"], there["result"]["id"], "ids stay");
    assert_eq!(target.call("GET", "/v1/accounts", &token, None).unwrap().0, 401, "tokens of the source are of the source");
    let (status, answer) = target.call("POST", "/v1/x/configuration/fill", &arriving, Some(&json!({ "image": image }))).unwrap();
    assert_eq!(status, 409, "it is not empty any more: {answer}");
    // Noted on both sides, without the image.
    for (server, token, operation) in [(&server, &token, "configuration.copy"), (&target, &arriving, "configuration.fill")] {
        let (_, log) = server.call("GET", "/v1/audit/organizations?limit=200", token, None).unwrap();
        let row = log["result"].as_array().unwrap().iter().any(|row| row["x_patchbay"]["operation"] == operation && row["x_patchbay"]["problem"] == "");
        assert!(row, "{operation} is in the log: {log}");
        assert!(!log.to_string().contains(&image[200..260]), "the image is not");
    }
    for server in [server, target] {
        server.signal("TERM");
        assert_eq!(server.ended().0, Some(0));
    }
    assert_eq!(works(&bench, &other, &other_key, &peer), before, "the same configuration, and secrets that work");
    has_no_secret_within(&bench.folder);
}

/// SQLite, PostgreSQL, another server, SQLite: after each the configuration is the same, byte by byte, and at the end the
/// secrets work.
#[test]
fn a_store_goes_round() {
    let peer = Peer::start();
    let (bench, token) = filled(&peer);
    let before = works(&bench, &bench.store(), &bench.key(), &peer);
    let cluster = crate::cluster::Cluster::start(&[]);
    let (_, database) = cluster.database();
    let key = |name: &str| format!("file:{}", bench.folder.join(name).display());
    let file = |name: &str| format!("sqlite:{}", bench.folder.join(name).display());
    let run = |words: &[&str], variables: &[(&str, &str)]| {
        let mut command = crate::bench::program();
        command.args(words).args(["--output", "json"]).envs(variables.iter().copied());
        Said::of(command.output().unwrap())
    };
    let export = |url: &str, key: &str| run(&["export", "--store", url, "--key-source", key], &[]).done().json()["configuration"].as_str().unwrap().to_owned();

    // Into PostgreSQL, where the token goes on working.
    let own = key("key");
    let source = format!("sqlite:{}", bench.store().display());
    let copied = run(&["store", "copy", &source, &database, "--key-source", &own, "--to-key-source", &key("pg-key")], &[]).done().json();
    assert!(copied["copied"]["sealed_values"].as_u64().unwrap() >= 5, "{copied}");
    assert!(!copied.to_string().contains("an-owners-password"), "no password is shown");
    assert_eq!(export(&database, &key("pg-key")), before, "the same from PostgreSQL");
    let verified = run(&["store", "verify", "--store", &database, "--key-source", &key("pg-key")], &[]).done().json();
    assert!(verified["clean"] == true && verified["sealed_values"] == copied["copied"]["sealed_values"], "{verified}");
    run(&["store", "copy", &source, &database, "--key-source", &own, "--to-key-source", &key("pg-key")], &[]).refused("in_use");
    let mut serve = crate::bench::program();
    serve.args(["serve", "--listen", "127.0.0.1:0", "--drain", "0", "--output", "json", "--store", &database, "--key-source", &key("pg-key")]);
    let server = crate::bench::Server::start(serve);
    assert_eq!(server.call("GET", "/v1/accounts/initech", &token, None).unwrap().0, 200, "the token goes on working");
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));

    // A backup of it, restored into a file.
    let pair = pair(&bench, "identity");
    let backup = bench.folder.join("pg.age");
    run(&["store", "backup", "--store", &database, "--key-source", &key("pg-key"), "--to", text(&backup), "--recipient", &pair.recipient], &[]).done();
    run(&["store", "restore", text(&backup), "--identity", text(&pair.file), "--store", &file("from-pg.db"), "--key-source", &key("pg-key")], &[]).done();
    assert_eq!(works(&bench, &bench.folder.join("from-pg.db"), &bench.folder.join("pg-key"), &peer), before);
    let (_, again) = cluster.database();
    run(&["store", "restore", text(&backup), "--identity", text(&pair.file), "--store", &again, "--key-source", &key("pg-key")], &[]).done();
    assert_eq!(export(&again, &key("pg-key")), before);

    // To a server, into the empty organization of a token.
    let made = run(&["init", "--organization", "waiting", "--store", &file("there.db"), "--key-source", &key("there-key")], &[]).done().json();
    let arriving = made["organization"]["token"]["access"]["secret"].as_str().unwrap().to_owned();
    let mut serve = crate::bench::program();
    serve.args(["serve", "--listen", "127.0.0.1:0", "--drain", "0", "--output", "json", "--store", &file("there.db"), "--key-source", &key("there-key")]);
    let there = crate::bench::Server::start(serve);
    let url = format!("http://{}", there.address);
    let said = run(&["store", "copy", &database, &url, "--key-source", &key("pg-key")], &[]);
    assert_eq!(said.status, 64, "a server needs a token: {}", said.err);
    let sent = run(&["store", "copy", &database, &url, "--key-source", &key("pg-key")], &[("PATCHBAY_TOKEN", &arriving)]).done().json();
    assert!(sent["copied"]["sealed_values"].as_u64().unwrap() >= 5, "{sent}");
    run(&["store", "copy", &database, &url, "--key-source", &key("pg-key")], &[("PATCHBAY_TOKEN", &arriving)]).refused("in_use");

    // And from there into a file.
    let fetched = run(&["store", "copy", &url, &file("back.db"), "--to-key-source", &key("back-key")], &[("PATCHBAY_TOKEN", &arriving)]).done().json();
    assert_eq!(fetched["copied"]["organization_id"], sent["copied"]["organization_id"]);
    let (status, answer) = there.call("GET", "/v1/organization", &arriving, None).unwrap();
    assert!(status == 200 && answer["result"]["id"] == fetched["copied"]["organization_id"], "{answer}");
    there.signal("TERM");
    assert_eq!(there.ended().0, Some(0));
    assert_eq!(export(&file("there.db"), &key("there-key")), before, "the same from the server");
    assert_eq!(works(&bench, &bench.folder.join("back.db"), &bench.folder.join("back-key"), &peer), before, "and from where it came back to");
    has_no_secret_within(&bench.folder);
}

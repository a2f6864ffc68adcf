//! Commands on a server instead of a store: `--store http://...` with a token, which is never an argument.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::bench::{Bench, Said, Server, program};

struct Away {
    bench: Bench,
    server: Server,
    token: String,
}

impl Away {
    fn new() -> Self {
        let (bench, made) = Bench::new();
        let token = made["organization"]["token"]["access"]["secret"].as_str().unwrap().to_owned();
        let server = bench.serve(&["--allow-private-networks"]);
        Self { bench, server, token }
    }

    fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// The program on the server, with the token in the variable.
    fn run(&self, words: &[&str]) -> Said {
        self.with(words, Some(&self.token))
    }

    fn with(&self, words: &[&str], token: Option<&str>) -> Said {
        let mut command = program();
        command.args(words).args(["--store", &self.url(), "--output", "json"]).current_dir(&self.bench.folder).env_remove("PATCHBAY_TOKEN");
        if let Some(token) = token {
            command.env("PATCHBAY_TOKEN", token);
        }
        Said::of(command.output().unwrap())
    }

    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.bench.folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        path
    }
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn work_on_a_server_is_the_work_on_a_store() {
    let away = Away::new();
    let lines = "{\"account\": {\"name\": \"globex\", \"environment\": \"test\"}}\n\n{\"integration\": {\"account\": \"globex\", \"name\": \"tickets\", \"provider_config\": {\"type\": \"ticketing_mock_ticketing\"}}}\n";
    let file = away.file("customers.jsonl", lines, 0o644);
    let imported = away.run(&["import", shown(&file)]).done().json();
    assert_eq!((&imported["imported"]["accounts"], &imported["imported"]["integrations"]), (&json!(1), &json!(1)), "{imported}");
    let again = away.run(&["import", shown(&file)]).done().json();
    assert_eq!(again["imported"]["already_there"], 2, "run again it goes on from there: {again}");
    let bad = away.file("bad.jsonl", "{\"account\": {\"name\": \"initech\"}}\n{\"account\": {\"name\": \"Not a name!\"}}\n", 0o644);
    let stopped = away.run(&["import", shown(&bad)]);
    assert!(stopped.status == 1 && stopped.err.contains("Line 2:") && stopped.err.contains("Up to line 1 everything is kept"), "{}", stopped.err);

    let called = away.run(&["call", "--integration", "globex/tickets", "query_tickets", "--limit", "2"]).done().json();
    assert!(called["result"].is_array(), "{called}");
    let minted = away.run(&["token", "mint", "--integration", "globex/tickets", "--ttl", "10m"]).done().json();
    assert!(minted["secret"].as_str().unwrap().starts_with("pbi_"), "{minted}");
    let tokens = away.run(&["token", "list"]).done().json();
    assert!(tokens["tokens"].as_array().unwrap().len() >= 2, "{tokens}");

    let from_server = away.run(&["export"]).done().json();
    let from_store = away.bench.run(&["export"]).done().json();
    assert_eq!(from_server, from_store, "the export is the same, byte by byte");
    let sealed = away.run(&["export", "--secrets", "sealed", "--recipient", "nonsense"]);
    assert_eq!(sealed.status, 64, "{}", sealed.err);

    let audit = away.run(&["audit", "list", "--filter", "operation[eq]accounts.create"]).done().json();
    let origins: Vec<&Value> = audit["audit"].as_array().unwrap().iter().map(|row| &row["x_patchbay"]["origin"]).collect();
    assert!(!origins.is_empty() && origins.iter().all(|origin| *origin == "api"), "{audit}");
    let exported = away.run(&["audit", "export", "--format", "csv"]).done().json();
    assert!(exported["audit"].as_str().unwrap().starts_with("id,created_at,") && exported["audit"].as_str().unwrap().contains("accounts.create"));

    let undone = away.run(&["undo", "--last"]).done().json();
    assert!(undone["x_patchbay"]["undo_of"].is_string(), "{undone}");
    assert_eq!(away.run(&["token", "list", "--organization", "other"]).refused("not_found").status, 1);
    away.run(&["token", "list", "--organization", "ACME"]).done();
}

#[test]
fn a_token_comes_from_the_variable_or_a_private_file() {
    let away = Away::new();
    let none = away.with(&["token", "list"], None);
    assert!(none.status == 64 && none.err.contains("PATCHBAY_TOKEN") && none.err.contains("--token-file"), "{}", none.err);
    let private = away.file("token", &format!("{}\n", away.token), 0o600);
    away.with(&["token", "list", "--token-file", shown(&private)], None).done();
    let open = away.file("open", &away.token, 0o644);
    let said = away.with(&["token", "list", "--token-file", shown(&open)], None);
    assert!(said.status == 1 && said.err.contains("can be read by others"), "{}", said.err);
    let missing = away.with(&["token", "list", "--token-file", "nowhere"], None);
    assert!(missing.status == 1 && missing.err.contains("nowhere"), "{}", missing.err);
    for (wrong, words) in [("rubbish", "holds no token"), (&away.token[..30], "cut off")] {
        let said = away.with(&["token", "list"], Some(wrong));
        assert!(said.status == 64 && said.err.contains(words) && !said.err.contains(wrong), "{}", said.err);
    }
    let refused = away.with(&["token", "list"], Some("pbo_0000000000000000000000000000000000000000000F8tm74")).refused("token_invalid");
    assert!(!refused.err.contains("pbo_"), "{}", refused.err);
}

#[test]
fn what_needs_the_store_itself_says_so_in_a_sentence() {
    let away = Away::new();
    for words in [&["init", "--organization", "other"][..], &["serve", "--listen", "127.0.0.1:0"], &["store", "verify"]] {
        let said = away.run(words);
        assert!(said.status == 1 && said.err.contains("whose store is opened by the server alone"), "{words:?}: {}", said.err);
        assert_eq!(said.err.trim().lines().count(), 1, "{words:?}: {}", said.err);
    }
    let plain = Said::of(program().args(["token", "list", "--store", "http://patchbay.example.com"]).output().unwrap());
    assert!(plain.status == 64 && plain.err.contains("in clear"), "{}", plain.err);
    let told = Said::of(program().args(["token", "list", "--store", "https://pbo_planted@patchbay.example.com"]).output().unwrap());
    assert!(told.status == 64 && !told.err.contains("holds the token pbo_planted "), "{}", told.err);
}

#[test]
fn a_server_that_is_gone_or_none_is_told_in_a_sentence() {
    let away = Away::new();
    away.server.signal("TERM");
    let address = away.server.address.clone();
    let Away { bench, server, token } = away;
    server.ended();
    let said = Said::of(program().args(["token", "list", "--store", &format!("http://{address}"), "--output", "json"]).env("PATCHBAY_TOKEN", &token).output().unwrap());
    assert!(said.refused("server_unreachable").err.contains(&address));
    drop(bench);
}

/// The doctor looks at a server as far as it can be seen from outside.
#[test]
fn the_doctor_looks_at_a_server() {
    let away = Away::new();
    let healthy = away.run(&["doctor"]).done().json();
    let names: Vec<&str> = healthy["checks"].as_array().unwrap().iter().filter_map(|check| check["name"].as_str()).collect();
    assert!(names.contains(&"server") && names.contains(&"token"), "{healthy}");
    let without = away.with(&["doctor"], None).done().json();
    assert!(without["checks"].as_array().unwrap().iter().any(|check| check["name"] == "token" && check["state"] == "note"), "{without}");
    let dead = away.with(&["doctor"], Some("pbo_0000000000000000000000000000000000000000000F8tm74"));
    assert!(dead.status == 1 && dead.json()["healthy"] == false, "{}", dead.out);
}

#[test]
fn tls_is_verified() {
    let (bench, made) = Bench::new();
    let token = made["organization"]["token"]["access"]["secret"].as_str().unwrap().to_owned();
    let tls = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/server/tls");
    let (certificate, key) = (tls.join("certificate.pem"), tls.join("key.pem"));
    let server = bench.serve(&["--tls-cert", shown(&certificate), "--tls-key", shown(&key)]);
    let port = server.address.rsplit(':').next().unwrap();
    let ask = |roots: Option<&Path>| {
        let mut command = program();
        command.args(["token", "list", "--store", &format!("https://localhost:{port}"), "--output", "json"]).env("PATCHBAY_TOKEN", &token).stderr(Stdio::piped());
        if let Some(roots) = roots {
            command.env("SSL_CERT_FILE", roots);
        }
        Said::of(command.output().unwrap())
    };
    let untrusted = ask(None).refused("server_unreachable");
    assert!(untrusted.err.contains("certificate does not verify") && untrusted.err.contains("Nothing was sent"), "{}", untrusted.err);
    ask(Some(&certificate)).done();
    let _ = std::io::stderr().flush();
}

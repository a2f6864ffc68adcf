//! `store copy` from one server to another, and between databases with two logins each.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::bench::{Bench, Said, program};
use crate::cluster::Cluster;
use crate::moving::{Peer, filled, has_no_secret_within, works};

/// A file that only its owner can read.
fn private(bench: &Bench, name: &str, text: &str) -> String {
    let path = bench.folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn copy(from: &str, to: &str) -> Command {
    let mut command = program();
    command.args(["store", "copy", from, to, "--output", "json"]);
    for name in ["PATCHBAY_TOKEN", "PATCHBAY_TO_TOKEN", "PATCHBAY_STORE_SVC", "PATCHBAY_TO_STORE_SVC"] {
        command.env_remove(name);
    }
    command
}

fn said(command: &mut Command) -> Said {
    Said::of(command.output().unwrap())
}

/// Rows and checksum of a table in what a copy answered.
fn sum<'a>(copied: &'a Value, table: &str) -> &'a Value {
    let tables = copied["copied"]["tables"].as_array().unwrap();
    tables.iter().find(|sum| sum["table"] == table).unwrap_or_else(|| panic!("nothing of {table}: {copied}"))
}

#[test]
fn an_organization_goes_from_a_server_to_another() {
    let peer = Peer::start();
    let (bench, token) = filled(&peer);
    let before = works(&bench, &bench.store(), &bench.key(), &peer);
    let other = Bench::empty();
    let made = other.run(&["init", "--organization", "waiting"]).done().json();
    let arriving = made["organization"]["token"]["access"]["secret"].as_str().unwrap().to_owned();
    let empty = other.run(&["export"]).done().json();
    // The one over plain HTTP of this machine, the other over TLS, which is verified.
    let tls = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/server/tls");
    let (certificate, key) = (tls.join("certificate.pem"), tls.join("key.pem"));
    let source = bench.serve(&[]);
    let target = other.serve(&["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()]);
    let from = format!("http://{}", source.address);
    let to = format!("https://localhost:{}", target.address.rsplit(':').next().unwrap());
    let across = |from_token: &str, to_token: &str| {
        let mut command = copy(&from, &to);
        said(command.env("SSL_CERT_FILE", &certificate).env("PATCHBAY_TOKEN", from_token).env("PATCHBAY_TO_TOKEN", to_token))
    };
    let there = || {
        let mut command = program();
        command.args(["export", "--store", &to, "--output", "json"]).env("SSL_CERT_FILE", &certificate).env("PATCHBAY_TOKEN", &arriving);
        said(&mut command).done().json()
    };

    // Each server has a token of its own; what is missing is named.
    let none = said(copy(&from, &to).env("SSL_CERT_FILE", &certificate).env("PATCHBAY_TOKEN", &token));
    assert!(none.status == 64 && none.err.contains("PATCHBAY_TO_TOKEN") && none.err.contains("--to-token-file"), "{}", none.err);
    let dead = "pbo_0000000000000000000000000000000000000000000F8tm74";
    across(dead, &arriving).refused("token_invalid");
    across(&token, dead).refused("token_invalid");
    across(&token, &token).refused("token_invalid");
    let untrusted = said(copy(&from, &to).env("PATCHBAY_TOKEN", &token).env("PATCHBAY_TO_TOKEN", &arriving)).refused("server_unreachable");
    assert!(untrusted.err.contains("certificate does not verify"), "{}", untrusted.err);
    assert_eq!(there(), empty, "nothing came");

    let copied = across(&token, &arriving).done();
    assert!(!format!("{}{}", copied.out, copied.err).contains("pbo_"), "no token is told: {}{}", copied.out, copied.err);
    let copied = copied.json();
    assert_eq!((&copied["copied"]["from"], &copied["copied"]["to"]), (&json!(from), &json!(to)));
    assert!(copied["copied"]["sealed_values"].as_u64().unwrap() >= 5, "{copied}");
    for (table, rows) in [("accounts", 2), ("integration_instances", 4), ("integration_points", 1), ("organization_webhooks", 1)] {
        assert_eq!(sum(&copied, table)["rows"], rows, "{copied}");
    }
    assert_eq!(there()["configuration"], json!(before), "the same export, byte by byte");

    // It is there, and taken once.
    let (from_file, to_file) = (private(&bench, "from-token", &token), private(&bench, "to-token", &arriving));
    said(copy(&from, &to).env("SSL_CERT_FILE", &certificate).args(["--token-file", &from_file, "--to-token-file", &to_file])).refused("in_use");

    // What came is what was sent: fetched from either server, the rows have the same sums.
    let fetched = |url: &str, token: &str, name: &str| {
        let file = format!("sqlite:{}", bench.folder.join(format!("{name}.db")).display());
        let mut command = copy(url, &file);
        command.env("SSL_CERT_FILE", &certificate).env("PATCHBAY_TOKEN", token).arg("--to-key-source").arg(format!("file:{}", bench.folder.join(format!("{name}-key")).display()));
        said(&mut command).done().json()
    };
    let (one, other_one) = (fetched(&from, &token, "one"), fetched(&to, &arriving, "other"));
    for table in ["accounts", "integration_points", "members", "roles"] {
        let sums = [&copied, &one, &other_one].map(|copied| sum(copied, table));
        assert!(sums[0]["sha256"].as_str().is_some_and(|digits| digits.len() == 64) && sums[0]["rows"] != 0, "{table}: {copied}");
        assert!(sums[0] == sums[1] && sums[1] == sums[2], "{table}: {sums:?}");
    }
    for copied in [&one, &other_one] {
        assert_eq!(copied["copied"]["organization_id"], one["copied"]["organization_id"]);
        assert_eq!(copied["copied"]["sealed_values"], one["copied"]["sealed_values"]);
    }
    for server in [source, target] {
        server.signal("TERM");
        assert_eq!(server.ended().0, Some(0));
    }
    assert_eq!(works(&other, &other.store(), &other.key(), &peer), before, "the secrets work where they came to");
    assert_eq!(works(&bench, &bench.folder.join("other.db"), &bench.folder.join("other-key"), &peer), before, "and in the copy of the copy");
    has_no_secret_within(&bench.folder);
    has_no_secret_within(&other.folder);
}

/// Passwords of the logins, in addresses that must be shown nowhere.
const PASSWORD: &str = "a-logins-password";

/// A database that an administrator has prepared for two logins, and their addresses.
fn prepared(cluster: &Cluster, name: &str) -> [String; 2] {
    let logins = [format!("{name}_manages"), format!("{name}_opens")];
    for login in &logins {
        cluster.sql("postgres", &format!("CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}'"));
    }
    cluster.sql("postgres", &format!("CREATE DATABASE {name}"));
    let script = said(program().args(["store", "sql", "--management", &logins[0], "--svc", &logins[1]])).done().out;
    cluster.sql(name, &script);
    logins.map(|login| format!("postgres://{login}:{PASSWORD}@127.0.0.1:{}/{name}", cluster.port()))
}

#[test]
fn a_database_with_two_logins_is_copied_from_and_to() {
    let peer = Peer::start();
    let (bench, token) = filled(&peer);
    let before = works(&bench, &bench.store(), &bench.key(), &peer);
    let cluster = Cluster::start(&[]);
    let (one, other) = (prepared(&cluster, "one"), prepared(&cluster, "other"));
    let key = |name: &str| format!("file:{}", bench.folder.join(name).display());
    let file = |name: &str| format!("sqlite:{}", bench.folder.join(name).display());
    let keyed = |from: &str, from_key: &str, to: &str, to_key: &str| {
        let mut command = copy(from, to);
        command.args(["--key-source", &key(from_key), "--to-key-source", &key(to_key)]);
        command
    };
    let looks = |place: &[String; 2], name: &str| {
        let run = |words: &[&str]| said(program().args(words).args(["--output", "json", "--store", &place[0], "--store-svc", &place[1], "--key-source", &key(name)])).done().json();
        let verified = run(&["store", "verify"]);
        assert_eq!(verified["clean"], true, "{verified}");
        assert_eq!(run(&["export"])["configuration"], json!(before), "{name}");
        let separation = run(&["doctor"]);
        let separation = separation["checks"].as_array().unwrap().iter().find(|check| check["name"] == "separation").unwrap().clone();
        assert_eq!(separation["state"], "good", "{separation}");
        verified
    };
    let shows_no_password = |said: Said| {
        assert!(!format!("{}{}", said.out, said.err).contains(PASSWORD), "{}{}", said.out, said.err);
        said
    };

    // From a file, with the second login as an argument. Without it there is nothing that could be filled.
    let source = file("store.db");
    let alone = shows_no_password(said(&mut keyed(&source, "key", &one[0], "one-key")));
    assert_eq!(alone.status, 1, "{}", alone.err);
    let copied = shows_no_password(said(keyed(&source, "key", &one[0], "one-key").args(["--to-store-svc", &one[1]])).done()).json();
    let verified = looks(&one, "one-key");
    assert_eq!(verified["sealed_values"], copied["copied"]["sealed_values"]);

    // From the one to the other, with both from the environment, where no other user of the machine can see them.
    let both = |command: &mut Command| {
        command.env("PATCHBAY_STORE_SVC", &one[1]).env("PATCHBAY_TO_STORE_SVC", &other[1]);
    };
    let alone = shows_no_password(said(keyed(&one[0], "one-key", &other[0], "other-key").env("PATCHBAY_TO_STORE_SVC", &other[1])));
    assert_eq!(alone.status, 1, "what is sealed cannot be read: {}", alone.err);
    let mut command = keyed(&one[0], "one-key", &other[0], "other-key");
    both(&mut command);
    let again = shows_no_password(said(&mut command).done()).json();
    for table in ["accounts", "integration_points", "credentials", "organization_webhooks", "token_secrets"] {
        assert!(sum(&copied, table) == sum(&again, table) && sum(&again, table)["rows"] != 0, "{table}: {copied} {again}");
    }
    looks(&other, "other-key");
    said(&mut command).refused("in_use");
    let becomes = |role: &str| cluster.psql_as("other_manages", PASSWORD, "other").args(["-c", &format!("SET ROLE {role}")]).output().unwrap().status.success();
    assert!(becomes("patchbay_management") && !becomes("svc_integration"), "who manages the copy does not become who opens it");

    // And back into a file.
    said(keyed(&other[0], "other-key", &file("back.db"), "back-key").env("PATCHBAY_STORE_SVC", &other[1])).done();
    assert_eq!(works(&bench, &bench.folder.join("back.db"), &bench.folder.join("back-key"), &peer), before);
    let server = crate::bench::Server::start(bench.on(&["serve", "--listen", "127.0.0.1:0", "--drain", "0"], &bench.folder.join("back.db"), &bench.folder.join("back-key")));
    assert_eq!(server.call("GET", "/v1/accounts/initech", &token, None).unwrap().0, 200, "the token went all the way");
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));

    // A second login belongs to a database, and to the same one.
    for (from, to, arguments, named) in [
        (&source, &one[0], ["--store-svc", &one[1]], "--store-svc"),
        (&one[0], &source, ["--to-store-svc", &one[1]], "--to-store-svc"),
        (&one[0], &other[0], ["--to-store-svc", &source], "--to-store-svc"),
    ] {
        let wrong = shows_no_password(said(keyed(from, "key", to, "other-key").args(arguments)));
        assert!(wrong.status == 64 && wrong.err.contains(&format!("{named} (or ")), "{}", wrong.err);
    }
    let mixed = shows_no_password(said(keyed(&one[0], "one-key", &file("mixed.db"), "mixed-key").args(["--store-svc", &other[1]])));
    assert!(mixed.status == 1 && mixed.err.contains("different databases") && !bench.folder.join("mixed.db").exists(), "{}", mixed.err);
    has_no_secret_within(&bench.folder);
}

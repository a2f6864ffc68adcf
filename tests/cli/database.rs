//! A store on PostgreSQL from nothing: made by a login that may, by an administrator for logins that may not, or refused.

use serde_json::Value;

use crate::bench::{Bench, Said, program};
use crate::cluster::Cluster;

/// What `doctor` says about a subject: how it is meant, and the words.
fn told(report: &Value, subject: &str) -> (String, String) {
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == subject).unwrap_or_else(|| panic!("nothing about {subject}: {report}"));
    (check["state"].as_str().unwrap().to_owned(), check["words"].as_str().unwrap().to_owned())
}

#[test]
fn a_database_becomes_a_store_in_either_way_or_says_what_is_missing() {
    let cluster = Cluster::start(&[]);

    // A login that may make roles does it all by itself.
    let (_, url) = cluster.database();
    let bench = Bench::elsewhere(url);
    let made = bench.run(&["init", "--organization", "acme"]).done().json();
    assert!(made["organization"]["token"]["access"]["secret"].as_str().is_some_and(|secret| !secret.is_empty()), "{made}");
    bench.run(&["init", "--organization", "acme"]).refused("name_taken");
    bench.run(&["init", "--organization", "globex"]).done();
    assert_eq!(bench.run(&["store", "verify"]).done().json()["clean"], true);
    let report = bench.run(&["doctor"]).done().json();
    let (state, words) = told(&report, "separation");
    assert!(state == "note" && words.contains("no separation by login"), "{words}");
    assert_eq!(told(&report, "transport").0, "good");

    // One that may not is told what to run, and nothing is changed.
    for sql in ["CREATE ROLE plain LOGIN PASSWORD 'plain'", "CREATE ROLE plain_svc LOGIN PASSWORD 'plain'", "CREATE DATABASE plain"] {
        cluster.sql("postgres", sql);
    }
    let url = |login: &str| format!("postgres://{login}:plain@127.0.0.1:{}/plain", cluster.port());
    let (bench, second) = (Bench::elsewhere(url("plain")), url("plain_svc"));
    let init = ["init", "--organization", "acme", "--store-svc", &second];
    let refused = bench.run(&init).refused("store_unprepared");
    assert!(refused.out.contains("patchbay store sql") && refused.out.contains("CREATE SCHEMA patchbay") && !refused.out.contains(":plain@"), "{}", refused.out);
    assert_eq!(cluster.sql("plain", "SELECT count(*) FROM pg_namespace WHERE nspname = 'patchbay'"), "0");

    // An administrator runs what the program prints, twice, and the same command works.
    let script = Said::of(program().args(["store", "sql", "--management", "plain", "--svc", "plain_svc"]).output().unwrap()).done().out;
    cluster.sql("plain", &script);
    cluster.sql("plain", &script);
    bench.run(&init).done();
    let report = bench.run(&["doctor", "--store-svc", &second]).done().json();
    let (state, words) = told(&report, "separation");
    assert!(state == "good" && words.contains("neither can become the other"), "{words}");
    assert_eq!(told(&report, "parameters").0, "good", "the script switched it off");
    // The first login alone cannot open what is sealed, and says so before it is needed.
    let alone = bench.run(&["store", "verify"]);
    assert!(alone.status == 1 && !alone.out.contains(":plain@"), "{} {}", alone.out, alone.err);
    assert_eq!(bench.run(&["store", "verify", "--store-svc", &second]).done().json()["clean"], true);
    // So are its keys, which need both.
    let rotated = bench.run(&["key", "rotate", "--store-svc", &second]).done().json();
    assert!(rotated["data"]["sealed_anew"].is_number() && rotated["master"]["kept_file"].is_string(), "{rotated}");
    assert_eq!(bench.run(&["key", "status", "--store-svc", &second]).done().json()["opens"], true);
    assert_eq!(bench.run(&["key", "forget", "--store-svc", &second]).done().json()["removed"], 0);

    // What holds another program's tables is left alone.
    let (name, url) = cluster.database();
    cluster.sql(&name, "CREATE TABLE invoices (id int)");
    let refused = Bench::elsewhere(url).run(&["init", "--organization", "acme"]).refused("store_damaged");
    assert!(refused.out.contains("tables of another program"), "{}", refused.out);
}

#[test]
fn the_doctor_tells_what_a_database_server_would_lose_and_that_it_cannot_be_written() {
    // As a server must be that can become a standby.
    let mut cluster = Cluster::start(&[("wal_level", "replica")]);
    let (_, url) = cluster.database();
    let bench = Bench::elsewhere(url);
    bench.run(&["init", "--organization", "acme"]).done();
    let well = bench.run(&["doctor"]).done().json();
    for subject in ["database", "durability", "database clock", "transport"] {
        assert_eq!(told(&well, subject).0, "good", "{subject}: {well}");
    }
    assert!(well["checks"].as_array().unwrap().iter().all(|check| check["name"] != "primary"), "{well}");

    let doctor = || {
        let said = bench.run(&["doctor"]);
        assert_eq!((said.status, &said.json()["healthy"]), (1, &Value::Bool(false)), "{}", said.out);
        said.json()
    };
    let switch = |setting: &str, to: &str| {
        cluster.sql("postgres", &format!("ALTER SYSTEM SET {setting} = {to}"));
        cluster.sql("postgres", "SELECT pg_reload_conf()");
        // New sessions have it as soon as the server has read it.
        while cluster.sql("postgres", &format!("SHOW {setting}")) != to {
            std::thread::yield_now();
        }
    };
    for (setting, loses) in [("fsync", "the whole database"), ("full_page_writes", "the whole database"), ("synchronous_commit", "the last changes")] {
        switch(setting, "off");
        let report = doctor();
        let (state, words) = told(&report, "durability");
        assert!(state == "bad" && words.contains(loses) && words.ends_with(&format!(": {setting}.")), "{setting}: {words}");
        switch(setting, "on");
    }
    bench.run(&["doctor"]).done();

    cluster.stand_by();
    let report = doctor();
    let (state, words) = told(&report, "primary");
    assert!(state == "bad" && words.contains("is a standby") && words.contains("the address of the primary"), "{words}");
}

#[test]
fn the_statements_for_an_administrator_are_a_result() {
    let said = Said::of(program().args(["store", "sql", "--output", "json"]).output().unwrap()).done();
    let sql = said.json()["sql"].as_str().unwrap().to_owned();
    for part in ["CREATE ROLE svc_integration NOLOGIN", "CREATE EXTENSION IF NOT EXISTS pgcrypto", "FORCE ROW LEVEL SECURITY", "GRANT patchbay_management TO \"patchbay\""] {
        assert!(sql.contains(part), "{part} is missing");
    }
    assert!(said.err.is_empty(), "{}", said.err);
}

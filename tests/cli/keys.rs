//! `patchbay key`: what it tells and what it changes.

use serde_json::{Value, json};

use crate::bench::{Bench, Said, program};
use crate::cluster::Cluster;

/// A store with sealed values, and how many.
pub(crate) fn filled(values: usize) -> (Bench, Value) {
    filled_at(Bench::empty(), values)
}

pub(crate) fn filled_at(bench: Bench, values: usize) -> (Bench, Value) {
    let made = bench.run(&["init", "--organization", "acme"]).done().json();
    let file = bench.folder.join("customers.jsonl");
    let mut lines = vec![json!({ "account": { "name": "globex", "environment": "test" } }).to_string()];
    lines.extend((0..values).map(|number| {
        let config = json!({ "type": "ticketing_redmine", "url": "https://redmine.example", "credential": { "type": "token", "secret": format!("planted-secret-{number}") } });
        json!({ "integration": { "account": "globex", "name": format!("desk-{number}"), "provider_config": config } }).to_string()
    }));
    std::fs::write(&file, lines.join("\n")).unwrap();
    bench.run(&["import", file.to_str().unwrap()]).done();
    (bench, made)
}

pub(crate) fn status(bench: &Bench) -> Value {
    bench.run(&["key", "status"]).done().json()
}

pub(crate) fn clean(bench: &Bench, values: usize) {
    let verified = bench.run(&["store", "verify"]).done().json();
    assert_eq!((&verified["clean"], &verified["sealed_values"]), (&json!(true), &json!(values)), "{verified}");
}

#[test]
fn keys_are_told_of_and_rotated() {
    let (bench, made) = filled(20);
    let before = status(&bench);
    assert_eq!(
        (&before["opens"], &before["master"]["source"], &before["values"], &before["data_keys"][0]["values"]),
        (&json!(true), &json!("file"), &json!(20), &json!(20)),
        "{before}"
    );
    assert_eq!(before["key_source"], format!("file:{}", bench.key().display()));

    // Beside a server, whose callers notice nothing.
    let server = bench.serve(&[]);
    let token = made["organization"]["token"]["access"]["secret"].as_str().unwrap();
    let rotated = bench.run(&["key", "rotate"]).done();
    let answer = rotated.json();
    assert_eq!(answer["data"]["sealed_anew"], 20, "{answer}");
    assert!(rotated.err.contains("20 of 20 values sealed anew (100 %)"), "progress goes to standard error: {}", rotated.err);
    let kept = answer["master"]["kept_file"].as_str().unwrap().to_owned();
    let body = json!({ "name": "later", "provider_config": { "type": "ticketing_redmine", "url": "https://redmine.example", "credential": { "type": "token", "secret": "planted-secret-later" } } });
    let (made, answer) = server.call("POST", "/v1/integrations/globex", token, Some(&body)).unwrap();
    assert_eq!(made, 201, "{answer}");
    let (seen, shown) = server.call("GET", "/v1/x/keys", token, None).unwrap();
    assert_eq!((seen, &shown["result"]["master"]["may_rotate"]), (200, &json!(false)), "{shown}");
    let (refused, answer) = server.call("POST", "/v1/x/keys/rotate", token, Some(&json!({ "key": "master", "to": "file:stolen" }))).unwrap();
    assert_eq!((refused, &answer["code"]), (403, &json!("permission_denied")), "{answer}");
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));

    let after = status(&bench);
    assert!(after["data_keys"][0]["id"] != before["data_keys"][0]["id"] && after["data_keys"].as_array().unwrap().len() == 1, "{after}");
    assert!(after["data_rotated_at"].is_string() && after["master"]["rotated_at"].is_string() && after["master"]["pending"].is_null(), "{after}");
    clean(&bench, 21);

    // The key before opens nothing; what can be told without a key is told.
    let refused = Said::of(bench.on(&["key", "status"], &bench.store(), kept.as_ref()).output().unwrap());
    assert_eq!((refused.status, &refused.json()["opens"], &refused.json()["values"]), (1, &json!(false), &json!(21)), "{}", refused.out);
    assert!(refused.json()["problem"].as_str().unwrap().contains("rotated at"), "{}", refused.out);

    let everything = format!("{before}{after}{}{}{}", rotated.out, rotated.err, refused.out);
    let key = std::fs::read_to_string(bench.key()).unwrap();
    assert!(!everything.contains("planted-secret") && !everything.contains(key.trim()), "no secret and no key is told");
    assert_eq!(bench.run(&["key", "forget"]).done().json()["removed"], 0);
}

#[test]
fn in_a_database_its_own_key_goes_along() {
    let cluster = Cluster::start(&[]);
    let (_, url) = cluster.database();
    let (bench, made) = filled_at(Bench::elsewhere(url), 20);
    let token = made["organization"]["token"]["access"]["secret"].as_str().unwrap();
    let before = status(&bench);
    assert_eq!((&before["values"], &before["database_keys"][0]["values"], &before["database_keys"][0]["active"]), (&json!(20), &json!(20), &json!(true)), "{before}");
    let server = bench.serve(&[]);
    let answer = bench.run(&["key", "rotate"]).done().json();
    assert_eq!(answer["data"]["sealed_anew"], 20, "{answer}");
    let body = json!({ "name": "later", "provider_config": { "type": "ticketing_redmine", "url": "https://redmine.example", "credential": { "type": "token", "secret": "planted-secret-later" } } });
    let (made, answer) = server.call("POST", "/v1/integrations/globex", token, Some(&body)).unwrap();
    assert_eq!(made, 201, "{answer}");
    let after = status(&bench);
    for keys in ["data_keys", "database_keys"] {
        assert!(after[keys].as_array().unwrap().len() == 1 && after[keys][0]["values"] == 21 && after[keys][0]["id"] != before[keys][0]["id"], "{keys}: {after}");
    }
    clean(&bench, 21);
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));
}

#[test]
fn the_next_key_comes_from_where_it_is_named() {
    let (bench, _) = filled(3);
    let next = bench.folder.join("next");
    bench.run(&["key", "rotate", "--to", &format!("file:{}", next.display())]).done();
    assert_eq!(Said::of(bench.command(&["key", "status"]).output().unwrap()).status, 1);
    let there = |words: &[&str]| bench.on(words, &bench.store(), &next);
    assert_eq!(Said::of(there(&["key", "status"]).output().unwrap()).done().json()["opens"], true);

    let passphrase = Said::of(there(&["key", "rotate", "--master", "--to", "passphrase"]).env("PATCHBAY_NEW_PASSPHRASE", "correct horse battery").output().unwrap()).done();
    assert_eq!(passphrase.json()["master"]["key_source"], "passphrase");
    let mut command = program();
    command.args(["key", "status", "--key-source", "passphrase", "--output", "json", "--store"]).arg(format!("sqlite:{}", bench.store().display()));
    let opened = Said::of(command.env("PATCHBAY_PASSPHRASE", "correct horse battery").output().unwrap()).done().json();
    assert_eq!((&opened["opens"], &opened["master"]["source"]), (&json!(true), &json!("passphrase")), "{opened}");

    // Wrong usage, which never repeats what could be a key.
    for words in [["key", "rotate", "--data", "--to", "keyring"].as_slice(), &["key", "rotate", "--to", "c2VjcmV0c2VjcmV0"], &["key", "rotate", "--to", ""]] {
        let said = Said::of(bench.command(words).output().unwrap());
        assert!(said.status == 64 && !said.err.contains("c2Vj"), "{words:?}: {}", said.err);
    }
}

#[test]
fn values_that_do_not_open_keep_the_key_before_until_they_are_mended() {
    let cluster = Cluster::start(&[]);
    let (name, url) = cluster.database();
    let (bench, _) = filled_at(Bench::elsewhere(url), 5);
    // Each under the other's row, where it does not open.
    let swap = || {
        cluster.sql(
            &name,
            "WITH pair AS (SELECT (array_agg(id ORDER BY id))[1] AS one, (array_agg(id ORDER BY id))[2] AS two FROM patchbay.integration_instances) \
             UPDATE patchbay.integration_instances AS mine SET credentials = other.credentials FROM patchbay.integration_instances AS other, pair \
             WHERE (mine.id, other.id) IN ((one, two), (two, one))",
        )
    };
    swap();
    for attempt in ["the first", "the second, which finds nobody at it"] {
        let refused = bench.run(&["key", "rotate", "--data"]).refused("seal_broken");
        assert!(refused.err.contains("2 sealed values do not open"), "{attempt}: {}", refused.err);
        let told = status(&bench);
        assert_eq!((&told["rotation"]["remaining"], &told["rotation"]["running"]), (&json!(2), &json!(false)), "{attempt}: {told}");
        assert_eq!((told["data_keys"].as_array().unwrap().len(), told["database_keys"].as_array().unwrap().len()), (2, 2), "{attempt}: {told}");
    }
    swap();
    bench.run(&["key", "rotate", "--data"]).done();
    let told = status(&bench);
    assert!(told["rotation"].is_null() && told["data_keys"].as_array().unwrap().len() == 1, "{told}");
    clean(&bench, 5);
}

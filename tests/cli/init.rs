//! `init`, and what it promises to scripts.

use serde_json::Value;

use crate::bench::Bench;

#[test]
fn init_prints_one_object_with_the_first_tokens() {
    let bench = Bench::empty();
    let said = bench.run(&["init", "--organization", "Acme"]).done();
    let made = said.json();
    assert_eq!(said.out.trim().lines().count(), 1, "one line, one object");
    let organization = &made["organization"];
    assert!(organization["id"].as_str().is_some_and(|id| id.len() == 36), "{organization}");
    assert_eq!(organization["name"], "acme", "names are slugs");
    assert_eq!(made["store"], format!("sqlite:{}", bench.store().display()));
    for (half, prefix) in [("access", "pbo_"), ("refresh", "pbr_")] {
        let token = &organization["token"][half];
        assert!(token["secret"].as_str().is_some_and(|secret| secret.starts_with(prefix)), "{half}");
        assert!(token["expires"].as_str().is_some_and(|expires| expires.ends_with('Z')), "{half}: {token}");
    }
    use std::os::unix::fs::PermissionsExt;
    for path in [bench.store(), bench.key()] {
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{} is its owner's alone", path.display());
    }
}

#[test]
fn a_second_init_adds_an_organization_and_refuses_a_name_that_is_there() {
    let (bench, first) = Bench::new();
    let said = bench.run(&["init", "--organization", "ACME"]).refused("name_taken");
    assert!(said.err.contains("acme"), "the sentence names it: {}", said.err);
    let second = bench.run(&["init", "--organization", "globex"]).done().json();
    assert_ne!(first["organization"]["id"], second["organization"]["id"]);

    let said = bench.run(&["token", "list"]);
    assert_eq!(said.status, 64, "with two organizations one must be named");
    assert!(said.err.contains("acme, globex") || said.err.contains("globex, acme"), "{}", said.err);
    for name in ["acme", "Globex"] {
        let tokens = bench.run(&["token", "list", "--organization", name]).done().json();
        assert_eq!(tokens["tokens"].as_array().map(Vec::len), Some(1), "{name} sees its own token only: {tokens}");
    }
    bench.run(&["token", "list", "--organization", "initech"]).refused("not_found");
}

#[test]
fn a_name_that_cannot_be_leaves_nothing_behind() {
    let bench = Bench::empty();
    for name in ["", "  ", "two\nlines", &"x".repeat(300)] {
        let said = bench.run(&["init", "--organization", name]).refused("invalid_field");
        assert!(!said.err.is_empty(), "{name:?}");
        assert!(!bench.store().exists(), "{name:?} makes no store");
    }
}

#[test]
fn words_are_for_people() {
    let bench = Bench::empty();
    let store = format!("sqlite:{}", bench.store().display());
    let mut command = crate::bench::program();
    command.args(["init", "--organization", "Acme", "--store", &store, "--key-source", &format!("file:{}", bench.key().display())]);
    let said = crate::bench::Said::of(command.output().unwrap()).done();
    assert!(said.out.contains("Organization `acme`") && said.out.contains("pbo_") && said.out.contains("shown this once"), "{}", said.out);
    assert!(serde_json::from_str::<Value>(&said.out).is_err(), "no JSON unless asked for");
}

#[test]
fn several_at_once_make_one_store_with_all_their_organizations() {
    let bench = Bench::empty();
    let names = ["acme", "globex", "initech", "umbrella"];
    let children: Vec<_> = names
        .iter()
        .map(|name| bench.command(&["init", "--organization", name]).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap())
        .collect();
    for child in children {
        crate::bench::Said::of(child.wait_with_output().unwrap()).done();
    }
    for name in names {
        bench.run(&["token", "list", "--organization", name]).done();
    }
    assert_eq!(bench.run(&["store", "verify"]).done().json()["clean"], true);
}

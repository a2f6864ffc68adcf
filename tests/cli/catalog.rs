//! `patchbay catalog`: the providers of the build, and files judged without a store.

use serde_json::Value;

use crate::bench::{Bench, Said, program};

fn run(words: &[&str]) -> Said {
    Said::of(program().args(words).output().unwrap())
}

fn json(words: &[&str]) -> Value {
    let said = run(&[words, &["--output", "json"]].concat());
    assert_eq!(said.status, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn providers_are_listed_with_what_is_not_known_of_them() {
    let all = json(&["catalog", "list"]);
    let rows = all["providers"].as_array().unwrap();
    assert!(rows.len() >= 60, "{}", rows.len());
    let sum = |name: &str| rows.iter().map(|row| row[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!((all["facts"].as_u64(), all["unverified"].as_u64()), (Some(sum("facts")), Some(sum("unverified"))));
    let ticketing = json(&["catalog", "list", "--connector", "ticketing"]);
    assert!(ticketing["providers"].as_array().unwrap().iter().all(|row| row["id"].as_str().unwrap().starts_with("ticketing_")));
    let words = run(&["catalog", "list"]);
    assert!(words.out.contains("ticketing_jira") && words.out.contains("of them unverified."), "{}", words.out);
}

#[test]
fn a_provider_is_shown_with_its_sources() {
    let slack = json(&["catalog", "show", "chat_slack"]);
    let facts = slack["facts"].as_array().unwrap();
    assert!(facts.iter().any(|fact| fact["fact"] == "server.main.endpoints.fixed.token" && fact["source"].as_str().unwrap().starts_with("https://")), "{facts:?}");
    let unsure = json(&["catalog", "show", "chat_slack", "--unverified"]);
    let unsure = unsure["facts"].as_array().unwrap();
    assert!(!unsure.is_empty() && unsure.len() < facts.len() && unsure.iter().all(|fact| fact["source"] == "unverified"));
    assert!(run(&["catalog", "show", "chat_slack"]).out.contains("calls answer 501"));
    assert!(run(&["catalog", "show", "ticketing_jira"]).out.contains("13 unified operations."));
    // What ends at a provider is told before it does.
    let zendesk = run(&["catalog", "show", "ticketing_zendesk"]).out;
    assert!(zendesk.contains("Ends ") || zendesk.contains("Ended "), "{zendesk}");
}

#[test]
fn the_schema_is_printed_as_it_is_published() {
    let printed: Value = serde_json::from_str(&run(&["catalog", "schema"]).out).unwrap();
    assert_eq!(printed["$id"], "urn:patchbay:schema:manifest:2");
}

#[test]
fn a_file_is_judged_by_line_and_column() {
    let bench = Bench::empty();
    let good = include_str!("../../src-tauri/crates/providers/catalog/ticketing_redmine.toml");
    let file = bench.folder.join("ticketing_redmine.toml");
    let path = file.display().to_string();
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        run(&["catalog", "check", &path])
    };
    let said = check(good);
    assert!(said.status == 0 && said.out.contains(": good."), "{} {}", said.out, said.err);
    let line_of = |text: &str, needle: &str| text.lines().position(|line| line.contains(needle)).unwrap() + 1;

    // What is no TOML.
    let broken = good.replacen("vendor = \"Redmine\"", "vendor = ", 1);
    let said = check(&broken);
    assert!(said.status == 1 && said.out.contains(&format!("{path}:{}:", line_of(&broken, "vendor = "))), "{}", said.out);
    // What the types refuse.
    let unknown = good.replacen("vendor = \"Redmine\"", "vendor = \"Redmine\"\nfrob = 1", 1);
    let said = check(&unknown);
    assert!(said.status == 1 && said.out.contains(&format!("{path}:{}:1: ", line_of(&unknown, "frob"))) && said.out.contains("frob"), "{}", said.out);
    // What contradicts itself, several at once.
    let wrong = good.replacen("https://www.redmine.org/projects/redmine/wiki/Rest_api\"", "ftp://x\"", 1).replacen("X-Redmine-API-Key", "X Key", 1);
    let said = check(&wrong);
    assert!(said.out.contains(&format!("{path}:{}:1: docs_url: ", line_of(&wrong, "docs_url"))), "{}", said.out);
    assert!(said.out.contains("credential.token.place: `X Key` is no name of a header"), "{}", said.out);
    // A file has the name of its provider.
    let other = good.replacen("id = \"ticketing_redmine\"", "id = \"ticketing_bluemine\"", 1);
    assert!(check(&other).out.contains("ticketing_bluemine.toml"));
    // Members of a family are laid over it first.
    std::fs::write(&file, include_str!("../../src-tauri/crates/providers/catalog/chat_slack.toml").replacen("chat_slack", "ticketing_redmine", 1)).unwrap();
    let said = run(&["catalog", "check", &path]);
    assert!(said.status == 1 && said.out.contains("begins with its connector: `chat_...`"), "{}", said.out);
}

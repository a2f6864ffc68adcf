//! Commands that work on what is in a store: tokens, export, calls.

use serde_json::json;

use crate::bench::{Bench, Said};

#[test]
fn tokens_are_minted_listed_reset_and_revoked() {
    let (bench, made) = Bench::new();
    let server = bench.serve(&[]);
    let works = |secret: &str| server.call("GET", "/v1/accounts", secret, None).unwrap().0;

    let minted = bench.run(&["token", "mint", "--permission-set", "viewer", "--ttl", "1h", "--name", "ci"]).done().json();
    let secret = minted["primary"]["access"]["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("pbo_"));
    assert_eq!(works(&secret), 200);
    let (status, _) = server.call("POST", "/v1/accounts", &secret, Some(&json!({ "name": "umbrella" }))).unwrap();
    assert_eq!(status, 403, "a viewer makes nothing");

    let listed = bench.run(&["token", "list", "--filter", "name[eq]ci"]).done();
    assert!(!listed.out.contains(&secret), "a list shows no secret");
    let tokens = listed.json()["tokens"].as_array().unwrap().clone();
    assert_eq!((tokens.len(), tokens[0]["name"].as_str()), (1, Some("ci")));
    let id = tokens[0]["id"].as_str().unwrap();

    let reset = bench.run(&["token", "reset", id]).done().json();
    let renewed = reset["primary"]["access"]["secret"].as_str().unwrap();
    assert_eq!((works(&secret), works(renewed)), (401, 200), "the old secret has ended, the new one works");
    bench.run(&["token", "revoke", id]).done();
    assert_eq!(works(renewed), 401);
    bench.run(&["token", "revoke", id]).refused("not_found");
    bench.run(&["token", "mint", "--permission-set", "emperor"]).refused("invalid_field");
    bench.run(&["token", "mint", "--account", "nobody"]).refused("not_found");

    let access = made["organization"]["token"]["access"]["secret"].as_str().unwrap();
    assert_eq!(works(access), 200, "other tokens are as they were");
}

#[test]
fn a_call_runs_on_the_mock_provider() {
    let (bench, made) = Bench::new();
    let access = made["organization"]["token"]["access"]["secret"].as_str().unwrap();
    let server = bench.serve(&[]);
    let make = |path: &str, body: serde_json::Value| {
        let (status, answer) = server.call("POST", path, access, Some(&body)).unwrap();
        assert_eq!(status, 201, "{path}: {answer}");
        answer
    };
    make("/v1/accounts", json!({ "name": "initech", "environment": "test" }));
    make("/v1/integrations/initech", json!({ "name": "desk", "provider_config": { "type": "ticketing_mock_ticketing" } }));
    let created = bench.run(&["call", "--integration", "initech/desk", "create_ticket", "--body", r#"{"name":"Printer is on fire"}"#]).done().json();
    let id = created["result"]["id"].as_str().unwrap().to_owned();
    let found = bench.run(&["call", "--integration", "initech/desk", "query_tickets", "--limit", "5"]).done().json();
    assert!(found["result"].as_array().unwrap().iter().any(|ticket| ticket["id"] == id.as_str()), "{found}");
    assert!(found["cursor"].is_string(), "a list has its cursor: {found}");
    let one = bench.run(&["call", "--integration", "initech/desk", "get_ticket", &id, "--trace"]).done().json();
    assert_eq!(one["result"]["summary"], "Printer is on fire");
    bench.run(&["call", "--integration", "initech/desk", "get_ticket", "no-such-ticket"]).refused("not_found");
    bench.run(&["call", "--integration", "initech/other", "query_tickets"]).refused("not_found");

    let minted = bench.run(&["token", "mint", "--integration", "initech/desk"]).done().json();
    let secret = minted["secret"].as_str().unwrap();
    assert!(secret.starts_with("pbi_"));
    assert_eq!(server.call("GET", "/v1/ticketing/tickets", secret, None).unwrap().0, 200);
    assert_eq!(server.call("GET", "/v1/accounts", secret, None).unwrap().0, 403, "it is no organization token");
}

#[test]
fn an_export_goes_to_standard_output_a_file_or_a_folder() {
    let (bench, made) = Bench::new();
    let access = made["organization"]["token"]["access"]["secret"].as_str().unwrap();
    let server = bench.serve(&[]);
    let (status, answer) = server.call("POST", "/v1/accounts", access, Some(&json!({ "name": "initech" }))).unwrap();
    assert_eq!(status, 201, "{answer}");
    let text = bench.run(&["export"]).done().json()["configuration"].as_str().unwrap().to_owned();
    assert!(text.contains("initech") && text.contains("version: 1"), "{text}");

    let mut plain = crate::bench::program();
    plain.args(["export", "--store", &format!("sqlite:{}", bench.store().display()), "--key-source", &format!("file:{}", bench.key().display())]);
    assert_eq!(Said::of(plain.output().unwrap()).done().out, text, "without JSON it is the file itself");

    let to = bench.folder.join("out.yaml");
    bench.run(&["export", "--to", to.to_str().unwrap()]).done();
    assert_eq!(std::fs::read_to_string(&to).unwrap(), text);
    let folder = bench.folder.join("configuration");
    std::fs::create_dir(&folder).unwrap();
    bench.run(&["export", "--to", folder.to_str().unwrap()]).done();
    assert_eq!(std::fs::read_to_string(folder.join("patchbay.yaml")).unwrap(), text);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "no draft is left");
    let said = bench.run(&["export", "--to", "/nowhere/at/all.yaml"]);
    assert!(said.status == 1 && said.err.contains("/nowhere/at/all.yaml"), "{}", said.err);
}

#[test]
fn an_export_omits_secrets_or_seals_them_to_a_recipient() {
    let (bench, made) = Bench::new();
    let access = made["organization"]["token"]["access"]["secret"].as_str().unwrap();
    let server = bench.serve(&[]);
    let planted = "planted-4711-secret-of-initech";
    let account = server.call("POST", "/v1/accounts", access, Some(&json!({ "name": "initech" }))).unwrap();
    assert_eq!(account.0, 201, "{}", account.1);
    let config = json!({ "type": "ticketing_redmine", "url": "https://redmine.invalid", "credential": { "type": "token", "secret": planted } });
    let (status, answer) = server.call("POST", "/v1/integrations/initech", access, Some(&json!({ "name": "desk", "provider_config": config }))).unwrap();
    assert_eq!(status, 201, "a provider out of reach does not keep it from being made: {answer}");
    let verified = bench.run(&["store", "verify"]).done().json();
    assert!(verified["clean"] == true && verified["sealed_values"].as_u64() >= Some(1), "{verified}");

    let omitted = bench.run(&["export"]).done();
    assert!(omitted.out.contains("omitted") && !omitted.out.contains(planted), "{}", omitted.out);

    // The pair of age's own test kit; it protects nothing.
    let identity = patchbay_vault::AgeIdentity::parse(&patchbay_model::Secret::new("AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33")).unwrap();
    let sealed = bench.run(&["export", "--secrets", "sealed", "--recipient", &identity.recipient().to_string()]).done();
    let text = sealed.json()["configuration"].as_str().unwrap().to_owned();
    assert!(!text.contains(planted) && !sealed.err.contains(planted), "it is nowhere in clear");
    let (begin, end) = ("-----BEGIN AGE ENCRYPTED FILE-----", "-----END AGE ENCRYPTED FILE-----");
    let from = text.find(begin).unwrap_or_else(|| panic!("a secret is sealed: {text}"));
    let to = text[from..].find(end).unwrap() + from + end.len();
    let armored: Vec<&str> = text[from..to].lines().map(str::trim).collect();
    let opened = identity.open(&armored.join("\n")).unwrap();
    assert!(opened.expose().contains(planted), "the recipient opens it");
}

#[test]
fn an_import_goes_on_where_it_stopped() {
    let (bench, _) = Bench::new();
    let file = bench.folder.join("customers.jsonl");
    let import = || bench.run(&["import", file.to_str().unwrap()]);
    // More than one batch, then a line that cannot be made.
    let mut lines: Vec<String> = (0..700).map(|number| json!({ "account": { "name": format!("customer-{number}"), "environment": "test" } }).to_string()).collect();
    lines.push(json!({ "integration": { "account": "customer-699", "name": "desk", "provider_config": { "type": "ticketing_none" } } }).to_string());
    std::fs::write(&file, lines.join("\n")).unwrap();
    let stopped = import().refused("invalid_config");
    let problem = &stopped.json()["problem"];
    assert!(problem["message"].as_str().unwrap().starts_with("Line 701: "), "{problem}");
    assert!(problem["remediation"].as_str().unwrap().contains("Up to line 500 everything is kept"), "{problem}");

    lines[700] = json!({ "integration": { "account": "customer-699", "name": "desk", "provider_config": { "type": "ticketing_mock_ticketing" } } }).to_string();
    lines.push(String::new());
    std::fs::write(&file, lines.join("\r\n")).unwrap();
    let done = import().done().json();
    assert_eq!((done["imported"]["accounts"].as_u64(), done["imported"]["integrations"].as_u64(), done["imported"]["already_there"].as_u64()), (Some(200), Some(1), Some(500)));
    let again = import().done().json();
    assert_eq!(again["imported"]["already_there"], 701, "what is there is left as it is");
    bench.run(&["call", "--integration", "customer-699/desk", "query_tickets"]).done();
    bench.run(&["store", "verify"]).done();

    for (line, code) in [
        ("{", "invalid_body"),
        ("[]", "invalid_body"),
        (r#"{"customer": {}}"#, "invalid_body"),
        (r#"{"account": {"name": 7}}"#, "invalid_field"),
        (r#"{"account": {"name": "a b"}}"#, "invalid_field"),
        (r#"{"integration": {"provider_config": {"type": "ticketing_mock_ticketing"}}}"#, "invalid_field"),
        (r#"{"integration": {"account": "nobody", "provider_config": {"type": "ticketing_mock_ticketing"}}}"#, "not_found"),
    ] {
        std::fs::write(&file, line).unwrap();
        let problem = import().refused(code).json()["problem"]["message"].clone();
        assert!(problem.as_str().unwrap().starts_with("Line 1: "), "{line}: {problem}");
    }
    std::fs::write(&file, format!(r#"{{"account": {{"fullname": "{}"}}}}"#, "x".repeat(1 << 20))).unwrap();
    import().refused("payload_too_large");
    bench.run(&["import", "no-such-file"]).refused("invalid_field");
}

#[test]
fn the_log_is_listed_shown_carried_away_and_its_changes_taken_back() {
    let (bench, made) = Bench::new();
    let access = made["organization"]["token"]["access"]["secret"].as_str().unwrap();
    let server = bench.serve(&[]);
    let (status, account) = server.call("POST", "/v1/accounts", access, Some(&json!({ "name": "initech" }))).unwrap();
    assert_eq!(status, 201, "{account}");
    let rename = json!([{ "op": "replace", "path": "/fullname", "value": "=Initech" }]);
    assert_eq!(server.call("PATCH", "/v1/accounts/initech", access, Some(&rename)).unwrap().0, 200);
    let fullname = || server.call("GET", "/v1/accounts/initech", access, None).unwrap().1["result"]["fullname"].as_str().unwrap().to_owned();

    let listed = bench.run(&["audit", "list", "--filter", "operation[eq]accounts.update"]).done().json();
    let id = listed["audit"][0]["x_patchbay"]["id"].as_str().unwrap().to_owned();
    let shown = bench.run(&["audit", "show", &id]).done().json();
    assert!(shown["diff"].as_array().unwrap().iter().any(|one| one["path"] == "/fullname" && one["value"] == "=Initech"), "{shown}");

    let undone = bench.run(&["undo", "--last"]).done().json();
    assert_eq!((fullname().as_str(), undone["x_patchbay"]["undo_of"].as_str()), ("initech", Some(id.as_str())));
    bench.run(&["undo", &id]).refused("update_conflict");
    bench.run(&["undo", undone["x_patchbay"]["id"].as_str().unwrap()]).done();
    assert_eq!(fullname(), "=Initech", "an undo can be undone");
    bench.run(&["undo", "nonsense"]).refused("not_found");

    let file = tempfile::tempdir().unwrap();
    let path = file.path().join("audit.csv");
    bench.run(&["audit", "export", "--format", "csv", "--to", path.to_str().unwrap()]).done();
    let cells = std::fs::read_to_string(&path).unwrap();
    assert!(cells.starts_with("id,created_at,") && cells.contains("accounts.update"), "{cells}");
    let lines = bench.run(&["audit", "export", "--filter", "object_kind[eq]account"]).done().json();
    assert!(lines["audit"].as_str().unwrap().lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    bench.run(&["audit", "list", "--filter", "nothing[eq]1"]).refused("invalid_filter");
}

//! The catalog as a whole: every manifest parses, says where its facts are from, and makes schemas that judge rightly.

use std::collections::BTreeSet;

use patchbay_model::connector::Connector;
use patchbay_providers::capability::Expand;
use patchbay_providers::{Catalog, Place, Provider};
use serde_json::{Value, json};

fn catalog() -> Catalog {
    Catalog::builtin().unwrap()
}

fn accepts(schema: &Value, value: &Value) -> bool {
    jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true).build(schema).unwrap().is_valid(value)
}

#[test]
fn every_manifest_is_in_the_catalog_and_nothing_else_is() {
    let files: BTreeSet<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/catalog"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().unwrap().strip_suffix(".toml").map(str::to_owned))
        .collect();
    let catalog = catalog();
    let newest = |provider: &Provider| catalog.find(provider.id().as_str()).is_some_and(|known| known.version() == provider.version());
    let name = |provider: &Provider| if newest(provider) { provider.id().to_string() } else { format!("{}@{}", provider.id(), provider.version()) };
    assert_eq!(files, catalog.every_version().map(|provider| name(provider)).collect());
    for provider in catalog.providers() {
        assert!(provider.id().as_str().starts_with(provider.connector().as_str()), "{} is named by its connector", provider.id());
    }
}

#[test]
fn every_fact_says_where_it_is_from() {
    for provider in catalog().every_version() {
        assert_eq!(provider.manifest().check_sources(), [], "{}", provider.id());
    }
    let openid = catalog();
    let facts = openid.find("identity_openid").unwrap().facts();
    assert!(facts.iter().any(|fact| fact.path == "server.main.redirect.port" && fact.source.as_ref().unwrap().to_string() == "https://www.rfc-editor.org/rfc/rfc8252#section-7.3"));
    assert!(facts.iter().all(|fact| !fact.path.starts_with("server.main.rotation")), "what nobody knows is no fact");
}

/// The file of the catalog says what the types say; editors and other people's tools read it.
#[test]
fn the_published_schema_takes_every_manifest() {
    let schema: Value = serde_json::from_str(patchbay_providers::manifest::JSON_SCHEMA).unwrap();
    for provider in catalog().every_version() {
        let written = serde_json::to_value(provider.manifest()).unwrap();
        assert!(accepts(&schema, &written), "{}", provider.id());
    }
}

/// Nothing is offered that nobody has made: without an adapter a provider has its facts and its connection, and no operation.
#[test]
fn operations_are_offered_only_where_there_is_an_adapter() {
    let catalog = catalog();
    let offering: Vec<&str> = catalog.providers().iter().filter(|provider| !provider.manifest().operation.is_empty()).map(|provider| provider.id().as_str()).collect();
    assert_eq!(offering, ["ticketing_jira", "ticketing_mock_ticketing", "ticketing_redmine"]);
    for provider in catalog.providers().iter().filter(|provider| !provider.is_local()) {
        assert!(provider.probes(), "{} has nothing that proves a credential", provider.id());
        assert!(!provider.manifest().credential.is_empty(), "{} takes no credential", provider.id());
    }
}

/// A sample is what rehearsals and the tests of the life cycle begin with.
#[test]
fn a_sample_configuration_fits_its_schema() {
    for provider in catalog().providers() {
        let sample = Value::Object(patchbay_providers::sample_config(provider.manifest()));
        assert!(accepts(&provider.settings_schema(), &sample), "{}: {sample}", provider.id());
    }
}

#[test]
fn schemas_take_what_the_wire_sends() {
    let catalog = catalog();
    let cases: [(&str, Value, bool); 24] = [
        ("ticketing_redmine", json!({ "type": "ticketing_redmine", "url": "https://r.example", "credential": { "type": "token", "secret": "k" } }), true),
        (
            "ticketing_redmine",
            json!({ "type": "ticketing_redmine", "url": "http://127.0.0.1:3000/sub", "default_project": "a", "default_issue_type": "Bug", "credential": { "type": "basic", "username": "u", "secret": "s" } }),
            true,
        ),
        ("ticketing_redmine", json!({ "type": "ticketing_redmine", "url": "https://r.example", "credential": { "type": "token_id", "value": "x" } }), true),
        ("ticketing_redmine", json!({ "type": "ticketing_redmine", "url": "https://r.example" }), false),
        ("ticketing_redmine", json!({ "type": "ticketing_redmine", "url": "r.example", "credential": { "type": "token", "secret": "k" } }), false),
        ("ticketing_redmine", json!({ "type": "ticketing_redmine", "url": "https://r.example?x=1", "credential": { "type": "token", "secret": "k" } }), false),
        ("ticketing_redmine", json!({ "type": "ticketing_redmine", "url": "https://r.example", "credential": { "type": "token", "secret": "" } }), false),
        ("ticketing_redmine", json!({ "type": "ticketing_redmine", "url": "https://r.example", "credential": { "type": "token" } }), false),
        ("ticketing_redmine", json!({ "type": "ticketing_redmine", "url": "https://r.example", "credential": { "type": "aws", "secret": "k" } }), false),
        ("ticketing_redmine", json!({ "type": "ticketing_redmine", "url": "https://r.example", "frob": 1, "credential": { "type": "token", "secret": "k" } }), false),
        ("ticketing_redmine", json!({ "type": "ticketing_jira", "url": "https://r.example", "credential": { "type": "token", "secret": "k" } }), false),
        (
            "ticketing_jira",
            json!({ "type": "ticketing_jira", "credential": { "type": "basic", "username": "u", "secret": "s" }, "default_issue_type": "Task", "default_project": "DEMO", "url": "http://jira" }),
            true,
        ),
        (
            "ticketing_jira",
            json!({ "type": "ticketing_jira", "credential": { "type": "service_account", "username": "u", "secret": "s" }, "url": "https://x.atlassian.net" }),
            true,
        ),
        ("ticketing_jira", json!({ "type": "ticketing_jira", "credential": { "type": "service_account_id", "value": "c" }, "url": "https://x.atlassian.net" }), true),
        ("ticketing_jira", json!({ "type": "ticketing_jira", "credential": { "type": "o_auth_user" }, "url": "https://x.atlassian.net" }), true),
        ("ticketing_jira", json!({ "type": "ticketing_jira", "credential": { "type": "o_auth_user", "secret": "x" }, "url": "https://x.atlassian.net" }), false),
        (
            "ticketing_jira",
            json!({ "type": "ticketing_jira", "credential": { "type": "basic_id", "value": "C" }, "url": "http://jira", "custom_field_mappings": [{ "name": "a", "project_id": "*", "provider_field_path": "$.fields.b" }] }),
            true,
        ),
        (
            "ticketing_jira",
            json!({ "type": "ticketing_jira", "credential": { "type": "basic_id", "value": "C" }, "url": "http://jira", "custom_field_mappings": [{ "name": "a" }] }),
            false,
        ),
        ("ticketing_mock_ticketing", json!({ "type": "ticketing_mock_ticketing" }), true),
        ("ticketing_mock_ticketing", json!({ "type": "ticketing_mock_ticketing", "name": "demo", "custom_field_mappings": [] }), true),
        ("ticketing_mock_ticketing", json!({ "type": "ticketing_mock_ticketing", "credential": { "type": "token", "secret": "k" } }), false),
        ("identity_openid", json!({ "type": "identity_openid", "issuer": "https://login.example.com", "credential": { "type": "o_auth_user" } }), true),
        ("identity_openid", json!({ "type": "identity_openid", "issuer": "https://login.example.com", "credential": { "type": "o_auth_user_id", "value": "x" } }), true),
        ("identity_openid", json!({ "type": "identity_openid", "credential": { "type": "o_auth_user" } }), false),
    ];
    for (id, config, good) in cases {
        assert_eq!(accepts(&catalog.find(id).unwrap().provider_config_schema(), &config), good, "{config}");
    }
}

#[test]
fn settings_and_credentials_have_schemas_of_their_own() {
    let catalog = catalog();
    let redmine = catalog.find("ticketing_redmine").unwrap();
    assert!(accepts(&redmine.settings_schema(), &json!({ "url": "https://r.example" })));
    assert!(!accepts(&redmine.settings_schema(), &json!({ "url": "https://r.example", "credential": {} })));
    assert!(accepts(&redmine.credentials_schema(), &json!({ "type": "token", "secret": "k" })));
    assert!(!accepts(&redmine.credentials_schema(), &json!({ "type": "token_id", "value": "k" })));
    assert!(redmine.credential_schema("basic").is_some() && redmine.credential_schema("basic_id").is_none() && redmine.credential_schema("aws").is_none());
    assert_eq!(redmine.auth_type(), "token,basic");
    let mock = catalog.find("ticketing_mock_ticketing").unwrap();
    assert!(accepts(&mock.credentials_schema(), &Value::Null) && !accepts(&mock.credentials_schema(), &json!({})));
    assert_eq!(mock.auth_type(), "none");
}

/// A form is drawn from the schema alone, so every property needs its words, and every secret its marks.
#[test]
fn forms_can_be_drawn() {
    for provider in catalog().providers() {
        let schema = provider.provider_config_schema();
        let properties = schema["properties"].as_object().unwrap();
        assert_eq!(properties.keys().next().map(String::as_str), Some("type"));
        if let Some(credential) = properties.get("credential") {
            assert_eq!(properties.keys().next_back().map(String::as_str), Some("credential"), "{}", provider.id());
            for choice in credential["oneOf"].as_array().unwrap() {
                assert!(choice["title"].is_string() && choice["description"].is_string(), "{choice}");
                for (name, field) in choice["properties"].as_object().unwrap().iter().filter(|(name, _)| *name != "type") {
                    assert!(field["title"].is_string(), "{name}");
                    let secret = matches!(name.as_str(), "secret" | "client_secret" | "private_key" | "secret_access_key" | "session");
                    assert_eq!(field["writeOnly"] == true && field["format"] == "password", secret, "{}: {name}", provider.id());
                }
            }
        }
        let mut declared: Vec<&str> = Vec::new();
        for property in provider.manifest().config.iter().chain(provider.manifest().credential.iter().flat_map(|way| &way.config)) {
            if !declared.contains(&property.name.as_str()) {
                declared.push(&property.name);
            }
        }
        let drawn: Vec<&str> = properties.keys().map(String::as_str).filter(|name| !matches!(*name, "type" | "credential")).collect();
        assert_eq!(drawn, declared, "the order is the manifest's");
        for name in declared {
            assert!(properties[name]["title"].is_string() && properties[name]["description"].is_string(), "{name}");
        }
    }
}

#[test]
fn capabilities_list_every_operation_offered_or_not() {
    let catalog = catalog();
    let row = |provider: &Provider, words: &[&str]| serde_json::to_value(provider.capabilities(Expand::parse(words.iter().copied()).unwrap())).unwrap();
    let jira = row(catalog.find("ticketing_jira").unwrap(), &["operations", "provider_config"]);
    assert_eq!((jira["id"].as_str(), jira["connector_id"].as_str(), jira["connector"].as_str()), (Some("ticketing_jira"), Some("ticketing"), Some("ticketing")));
    assert_eq!(jira["operations"].as_array().unwrap().len(), 19);
    let query = jira["operations"].as_array().unwrap().iter().find(|operation| operation["name"] == "query_tickets").unwrap();
    assert_eq!((query["supported"].as_bool(), query["request_method"].as_str(), query["request_path"].as_str()), (Some(true), Some("GET"), Some("/v1/ticketing/tickets")));
    assert!(query["filters"].as_array().unwrap().iter().any(|filter| filter["name"] == "status" && filter["type"] == "string"));
    let note = jira["operations"].as_array().unwrap().iter().find(|operation| operation["name"] == "create_note").unwrap();
    assert_eq!(note["supported"], false);
    assert!(jira["provider_config"]["properties"]["url"].is_object());
    let plain = row(catalog.find("ticketing_jira").unwrap(), &[]);
    assert!(plain.get("operations").is_none() && plain.get("provider_config").is_none());
    let openid = row(catalog.find("identity_openid").unwrap(), &["all"]);
    assert!(openid["operations"].as_array().unwrap().iter().all(|operation| operation["supported"] == false));
    assert_eq!((openid["operations"].as_array().unwrap().len(), openid["connector"]["id"].as_str()), (13, Some("identity")));
    let bodies = row(catalog.find("ticketing_redmine").unwrap(), &["request_body"]);
    let create = bodies["operations"].as_array().unwrap().iter().find(|operation| operation["name"] == "create_ticket").unwrap();
    assert_eq!(create["request_body"]["schema"]["required"], json!(["name"]));
    assert!(Expand::parse(["frob"]).is_err());

    let connectors = serde_json::to_value(catalog.connectors(Expand::parse(["providers"]).unwrap())).unwrap();
    let ids: Vec<&str> = connectors.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert!(["accounting", "crm", "identity", "storage", "ticketing"].iter().all(|id| ids.contains(id)) && !ids.contains(&"vulnerabilities"), "{ids:?}");
    let ticketing = &connectors[ids.iter().position(|id| *id == "ticketing").unwrap()];
    assert!(["ticketing_jira", "ticketing_mock_ticketing", "ticketing_redmine"].iter().all(|id| ticketing["provider_ids"].as_array().unwrap().contains(&json!(id))));
    assert_eq!(ticketing["providers"].as_array().unwrap().len(), catalog.of(Connector::Ticketing).count());
}

#[test]
fn a_credential_goes_where_the_manifest_says() {
    let catalog = catalog();
    let placement = |provider: &str, word: &str| catalog.find(provider).unwrap().credential(word).map(|option| (option.place.clone(), option.kind.as_str()));
    let (place, kind) = placement("ticketing_redmine", "token_id").unwrap();
    assert_eq!((place.header(), kind), (Some("X-Redmine-API-Key"), "token"));
    assert_eq!(placement("ticketing_jira", "service_account"), Some((Place::Basic, "basic")));
    assert_eq!(placement("ticketing_jira", "o_auth_user"), Some((Place::Bearer, "o_auth_user")));
    assert_eq!(placement("ticketing_jira", "aws"), None);
}

#[test]
fn what_is_not_offered_is_refused_before_any_request() {
    let context = crate::drive::context(json!({ "issuer": "https://login.example.com" }), Some("https://login.example.com"));
    let problem = crate::drive::start("identity_openid", patchbay_model::connector::ticketing::TicketingOperation::ListRemoteFields, &context).err().unwrap();
    assert_eq!(problem.code, patchbay_model::Code::OperationUnsupported);
}

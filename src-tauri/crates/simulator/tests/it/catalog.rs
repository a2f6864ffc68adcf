//! Every manifest of the catalog has another side: each address answers, and nobody gets in without a credential.

use patchbay_model::credential::CredentialKind;
use patchbay_providers::Catalog;
use patchbay_providers::manifest::{Auth, Place};
use patchbay_simulator::SimRequest;
use serde_json::Value;

use crate::client::World;

#[test]
fn every_key_of_the_catalog_can_be_made() {
    let catalog = Catalog::builtin().unwrap();
    let world = World::new(&catalog);
    let mut made = 0;
    for provider in catalog.providers().iter().filter(|provider| !provider.is_local()) {
        for way in &provider.manifest().credential {
            let key = world.simulator.issue(provider.id(), &way.word).unwrap();
            if way.kind == CredentialKind::OAuthUser {
                assert!(key.fields.is_empty(), "what a person grants cannot be entered");
                continue;
            }
            assert!(!key.fields.is_empty(), "{} {}", provider.id(), way.word);
            assert!(key.fields.values().all(|value| !value.is_null()));
            for field in &way.extra {
                assert!(key.fields["extra"][&field.name].is_string(), "{} {}: {}", provider.id(), way.word, field.name);
            }
            made += 1;
        }
    }
    assert!(made >= 3, "{made}");
}

#[test]
fn every_configuration_passes_its_schema() {
    let catalog = Catalog::builtin().unwrap();
    let world = World::new(&catalog);
    for provider in catalog.providers().iter().filter(|provider| !provider.is_local()) {
        let setup = world.simulator.setup(provider.id()).unwrap();
        let schema = provider.settings_schema();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let base = patchbay_providers::sample_config(provider.manifest());
        let faults: Vec<String> = validator.iter_errors(&Value::Object(base.clone())).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{}: {faults:?}", provider.id());
        assert!(base.iter().all(|(name, value)| setup.config.get(name) == Some(value)), "{}", provider.id());
    }
}

#[test]
fn nobody_gets_in_without_a_credential() {
    let catalog = Catalog::builtin().unwrap();
    let world = World::new(&catalog);
    for provider in catalog.providers().iter().filter(|provider| !provider.is_local()) {
        for way in &provider.manifest().credential {
            let addresses = world.simulator.addresses(provider.id(), &way.word);
            assert!(!addresses.is_empty(), "{} {} has no address at which it would be proven", provider.id(), way.word);
            for (method, url) in addresses {
                let answer = world.ask(&SimRequest::to(method, &url));
                // An address that is itself the secret is not there for who does not know it.
                assert_eq!(answer.status == 404, way.place == Place::Nowhere, "{} {}: {method} {url}", provider.id(), way.word);
                let body = String::from_utf8_lossy(&answer.body).into_owned();
                assert!(!body.contains("Ada Lovelace") && !body.contains("sim_access"), "{} {}: {method} {url}: {body}", provider.id(), way.word);
            }
            if let Auth::Consent { server, .. } = &way.auth {
                assert!(provider.server(server).is_some());
            }
        }
    }
}

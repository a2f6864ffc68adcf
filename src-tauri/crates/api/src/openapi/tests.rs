use std::collections::BTreeSet;

use patchbay_engine::list_fields;
use patchbay_providers::Catalog;

use super::*;
use crate::{operation, ticketing};

fn documents() -> [Value; 2] {
    [management(&Catalog::builtin().unwrap()), engine()]
}

/// Every operation with its path and method.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))).collect()
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let [management, engine] = documents();
    let described = |document| operations(document).into_iter().map(|(method, path, _)| format!("{method} {path}")).collect::<BTreeSet<_>>();
    let routed: BTreeSet<_> = operation::ROUTES.iter().map(|route| format!("{} {}", route.method.as_str(), route.path)).collect();
    assert_eq!(described(&management), routed);
    let routed: BTreeSet<_> = ticketing::ROUTES.iter().filter(|route| route.answer.is_some()).map(|route| format!("{} {}", route.method.as_str(), route.path)).collect();
    assert_eq!(described(&engine), routed);
}

#[test]
fn operation_ids_are_those_of_the_table() {
    let [management, _] = documents();
    for (method, path, described) in operations(&management) {
        let route = operation::ROUTES.iter().find(|route| route.path == path && route.method.as_str() == method).unwrap();
        assert_eq!(described["operationId"], route.operation.id().replace('.', "_"));
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_referred_to() {
    for document in documents() {
        let mut references = BTreeSet::new();
        fn collect(value: &Value, references: &mut BTreeSet<String>) {
            match value {
                Value::Object(node) => {
                    if let Some(Value::String(reference)) = node.get("$ref") {
                        references.insert(reference.clone());
                    }
                    node.values().for_each(|value| collect(value, references));
                }
                Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
                _ => {}
            }
        }
        collect(&document, &mut references);
        for reference in &references {
            assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference} leads nowhere");
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(references.contains(&format!("#/components/schemas/{name}")), "nothing refers to the schema {name}");
            assert!(!name.ends_with(|c: char| c.is_ascii_digit()), "two types are called {name}: give one of them another name");
        }
    }
}

#[test]
fn links_fill_every_parameter_of_their_target() {
    for document in documents() {
        let operations = operations(&document);
        let mut links = 0;
        for (_, _, operation) in &operations {
            for response in operation["responses"].as_object().unwrap().values() {
                for link in response["links"].as_object().into_iter().flat_map(Map::values) {
                    links += 1;
                    let (_, _, target) = operations.iter().find(|(_, _, target)| target["operationId"] == link["operationId"]).unwrap();
                    let wanted: BTreeSet<_> = target["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "path").map(|one| one["name"].as_str().unwrap()).collect();
                    let filled: BTreeSet<_> = link["parameters"].as_object().unwrap().keys().map(String::as_str).collect();
                    assert_eq!(wanted, filled, "{} to {}", operation["operationId"], target["operationId"]);
                }
            }
        }
        assert!(links > 10);
    }
}

#[test]
fn lists_tell_the_fields_of_the_store() {
    let [management, _] = documents();
    for route in operation::ROUTES {
        let described = &management["paths"][route.path][route.method.as_str().to_lowercase()];
        let Some(filter) = described["parameters"].as_array().into_iter().flatten().find(|parameter| parameter["name"] == "filter") else { continue };
        let table = lists::table(route.operation).unwrap_or_else(|| panic!("which table does {} list?", route.operation.id()));
        let fields = list_fields(table).unwrap_or_else(|| panic!("the table {table} is not listed"));
        for field in fields {
            assert!(filter["description"].as_str().unwrap().contains(&format!("`{}`", field.name)), "{} does not tell of {}", route.operation.id(), field.name);
        }
    }
}

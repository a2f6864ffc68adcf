//! The schemas of a document: two generators, since what is read and what is written differ (a member that may be left out
//! of a request, and is always in an answer), and one place where they end up.

use std::collections::BTreeSet;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Where answers' schemas stand.
const ANSWERS: &str = "#/components/schemas/";
/// Where those of requests stand until it is known which of them share a name with another one of an answer.
const REQUESTS: &str = "#/components/requests/";
/// Ends the name of a request's schema where an answer has another one of that name.
const GIVEN: &str = "Input";

/// Collects the schemas of a document.
pub struct Schemas {
    answers: SchemaGenerator,
    requests: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        Self {
            answers: SchemaSettings::draft2020_12().for_serialize().with(|settings| settings.definitions_path = "/components/schemas".into()).into_generator(),
            requests: SchemaSettings::draft2020_12().for_deserialize().with(|settings| settings.definitions_path = "/components/requests".into()).into_generator(),
        }
    }

    /// The schema of what is answered.
    pub fn answer<T: JsonSchema + ?Sized>(&mut self) -> Value {
        self.answers.subschema_for::<T>().into()
    }

    /// The schema of what is sent in a body.
    pub fn request<T: JsonSchema + ?Sized>(&mut self) -> Value {
        self.requests.subschema_for::<T>().into()
    }

    /// The query parameters that a structure stands for, one for each of its members; a list is a repeated parameter.
    pub fn parameters<T: JsonSchema + ?Sized>(&self) -> Vec<Value> {
        let generator = SchemaSettings::draft2020_12().for_deserialize().with(|settings| settings.inline_subschemas = true).into_generator();
        let mut schema: Value = generator.into_root_schema_for::<T>().into();
        without_null(&mut schema);
        let required: BTreeSet<String> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut).map(std::mem::take).unwrap_or_default();
        properties
            .into_iter()
            .map(|(name, mut schema)| {
                let description = schema.as_object_mut().and_then(|schema| schema.shift_remove("description"));
                let mut parameter = json!({ "name": name, "in": "query", "required": required.contains(&name) });
                if let Some(description) = description {
                    parameter["description"] = description;
                }
                if schema["type"] == "array" {
                    parameter["style"] = "form".into();
                    parameter["explode"] = true.into();
                }
                parameter["schema"] = schema;
                parameter
            })
            .collect()
    }

    /// Puts the collected schemas, and `more` beside them, into a document that refers to them.
    pub(super) fn finish(mut self, document: &mut Value, more: Map<String, Value>) {
        let mut answers = self.answers.take_definitions(true);
        answers.values_mut().for_each(without_null);
        let mut requests = self.requests.take_definitions(true);
        let differing = differing(&answers, &requests);
        let renamed =
            |reference: &str| reference.strip_prefix(REQUESTS).map(|name| if differing.contains(name) { format!("{ANSWERS}{name}{GIVEN}") } else { format!("{ANSWERS}{name}") });
        for schema in requests.values_mut() {
            rename(schema, &renamed);
            // A default of null says no more than that a member may be left out.
            visit(schema, &mut |node| {
                if node.get("default").is_some_and(Value::is_null) {
                    node.shift_remove("default");
                }
            });
        }
        rename(document, &renamed);
        for (name, schema) in requests {
            let name = if differing.contains(&name) { format!("{name}{GIVEN}") } else { name };
            answers.insert(name, schema);
        }
        answers.extend(more);
        answers.sort_keys();
        document["components"]["schemas"] = Value::Object(answers);
    }
}

/// Names that requests and answers use for different schemas, or for equal ones that refer to different ones.
fn differing(answers: &Map<String, Value>, requests: &Map<String, Value>) -> BTreeSet<String> {
    let aligned = |schema: &Value| {
        let mut schema = schema.clone();
        rename(&mut schema, &|reference| reference.strip_prefix(REQUESTS).map(|name| format!("{ANSWERS}{name}")));
        schema
    };
    let mut differing: BTreeSet<String> =
        requests.iter().filter(|(name, schema)| answers.get(*name).is_some_and(|other| *other != aligned(schema))).map(|(name, _)| name.clone()).collect();
    loop {
        let more: Vec<String> = requests
            .iter()
            .filter(|(name, schema)| !differing.contains(*name) && answers.contains_key(*name) && references(schema).iter().any(|reference| differing.contains(reference)))
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            return differing;
        }
        differing.extend(more);
    }
}

fn references(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    visit(&mut schema.clone(), &mut |node| {
        if let Some(name) = node.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix(REQUESTS)) {
            found.push(name.to_owned());
        }
    });
    found
}

fn rename(value: &mut Value, renamed: &dyn Fn(&str) -> Option<String>) {
    visit(value, &mut |node| {
        if let Some(reference) = node.get_mut("$ref")
            && let Some(new) = reference.as_str().and_then(renamed)
        {
            *reference = new.into();
        }
    });
}

fn visit(value: &mut Value, each: &mut dyn FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(node) => {
            each(node);
            node.values_mut().for_each(|value| visit(value, each));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| visit(value, each)),
        _ => {}
    }
}

/// Takes `null` from members that may be absent: in answers and in queries they are absent and never null.
fn without_null(schema: &mut Value) {
    visit(schema, &mut |node| {
        let required: BTreeSet<String> = node.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
        let Some(properties) = node.get_mut("properties").and_then(Value::as_object_mut) else { return };
        for (_, property) in properties.iter_mut().filter(|(name, _)| !required.contains(*name)) {
            not_null(property);
        }
    });
}

fn not_null(schema: &mut Value) {
    let Some(node) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = node.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            node.insert("type".to_owned(), only);
        }
    }
    if node.get("default").is_some_and(Value::is_null) {
        node.shift_remove("default");
    }
    if let Some(Value::Array(choices)) = node.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [only] = choices.as_slice() {
            let only = only.clone();
            node.shift_remove("anyOf");
            if let Value::Object(only) = only {
                for (key, value) in only {
                    node.entry(key).or_insert(value);
                }
            }
        }
    }
}

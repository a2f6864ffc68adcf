//! Judges requests by an OpenAPI 3.0 description: method, path, query, headers and body, with a JSON Schema validator.
//! Whatever cannot be judged is a fault.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use patchbay_providers::{ProviderRequest, RequestBody};
use serde_json::{Value, json};

/// A description with its paths, split for matching.
pub(crate) struct Description {
    document: Value,
    /// The schemas in the words of JSON Schema.
    components: Value,
}

/// An operation of the description: path template and method.
pub(crate) type Operation = (String, String);

impl Description {
    /// The reduced copy that is kept with the tests.
    pub(crate) fn reduced() -> Self {
        Self::new(serde_json::from_slice(&std::fs::read(crate::fixture::folder("jira").join("platform-v3.reduced.json")).unwrap()).unwrap())
    }

    /// The whole description, where it is at hand: below `PATCHBAY_SHARED`, or in `shared` beside the repository.
    pub(crate) fn full() -> Option<Self> {
        let file = "vendor-descriptions/jira/platform-v3.json.gz";
        let path = match std::env::var_os("PATCHBAY_SHARED") {
            Some(shared) => PathBuf::from(shared).join(file),
            None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).ancestors().map(|up| up.join("shared").join(file)).find(|path| path.is_file())?,
        };
        let mut text = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        Some(Self::new(serde_json::from_str(&text).unwrap()))
    }

    fn new(document: Value) -> Self {
        Self { components: nullable(&document["components"]), document }
    }

    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// The operation that a request is, or what is wrong with the request.
    pub(crate) fn judge(&self, request: &ProviderRequest, base: &str) -> Result<Operation, String> {
        let path = request.url.as_str().split(['?', '#']).next().unwrap();
        let path = path.strip_prefix(base.trim_end_matches('/')).ok_or_else(|| format!("{path} is not below {base}"))?;
        let method = request.method.as_str().to_lowercase();
        let template = self.template(path, &method)?;
        let operation = &self.document["paths"][&template][&method];
        self.query(request, operation)?;
        self.body(request, operation)?;
        headers(request, &template)?;
        Ok((template, method))
    }

    /// The most literal template that a path matches and that has the method.
    fn template(&self, path: &str, method: &str) -> Result<String, String> {
        let segments: Vec<&str> = path.split('/').collect();
        let mut matching: Vec<(usize, &String)> = Vec::new();
        for (template, item) in self.document["paths"].as_object().unwrap() {
            let parts: Vec<&str> = template.split('/').collect();
            let fits = parts.len() == segments.len() && parts.iter().zip(&segments).all(|(part, segment)| part == segment || (part.starts_with('{') && !segment.is_empty()));
            if fits && item.get(method).is_some() {
                matching.push((parts.iter().filter(|part| part.starts_with('{')).count(), template));
            }
        }
        matching.into_iter().min().map(|(_, template)| template.clone()).ok_or_else(|| format!("no operation for {method} {path}"))
    }

    fn query(&self, request: &ProviderRequest, operation: &Value) -> Result<(), String> {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in request.url.query_pairs() {
            given.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        for (name, values) in &given {
            let known =
                parameters.iter().find(|parameter| parameter["in"] == "query" && parameter["name"] == name.as_str()).ok_or_else(|| format!("unknown query parameter {name}"))?;
            let schema = &known["schema"];
            let value = match schema["type"].as_str().ok_or_else(|| format!("the type of {name} cannot be judged"))? {
                "array" => values.iter().map(|value| typed(value, &schema["items"])).collect::<Result<Value, String>>()?,
                _ if values.len() == 1 => typed(&values[0], schema)?,
                _ => return Err(format!("query parameter {name} stands twice")),
            };
            self.validate(schema, &value).map_err(|why| format!("query parameter {name}: {why}"))?;
        }
        match parameters.iter().find(|parameter| parameter["required"] == true && parameter["in"] == "query" && !given.contains_key(parameter["name"].as_str().unwrap())) {
            Some(missing) => Err(format!("query parameter {} is missing", missing["name"])),
            None => Ok(()),
        }
    }

    fn body(&self, request: &ProviderRequest, operation: &Value) -> Result<(), String> {
        let content = &operation["requestBody"]["content"];
        match &request.body {
            RequestBody::Empty if operation["requestBody"]["required"] == true => Err("the body is missing".to_owned()),
            RequestBody::Empty => Ok(()),
            RequestBody::Json(body) => {
                let schema = content["application/json"].get("schema").ok_or("the operation takes no JSON")?;
                self.validate(schema, body)?;
                self.read_only(schema, body, "")
            }
            RequestBody::Multipart(parts) => {
                let schema = &content["multipart/form-data"]["schema"];
                // The schema is a list of files; the name of each part is in the operation's text.
                if schema["type"] != "array" || schema["items"]["$ref"] != "#/components/schemas/MultipartFile" {
                    return Err(format!("a multipart schema that cannot be judged: {schema}"));
                }
                let good = !parts.is_empty() && parts.iter().all(|part| part.name == "file" && part.file_name.as_ref().is_some_and(|name| !name.is_empty()));
                if good { Ok(()) } else { Err("every part must be a file named `file`".to_owned()) }
            }
            RequestBody::Bytes { content_type, .. } => Err(format!("a body of {content_type} cannot be judged")),
        }
    }

    /// Validates against a schema of the description; one that does not compile is a fault.
    pub(crate) fn validate(&self, schema: &Value, value: &Value) -> Result<(), String> {
        self.check(schema, value, true)
    }

    /// The same without formats: Jira writes offsets without a colon, against its own description (RFC 3339 asks for one).
    pub(crate) fn validate_answer(&self, schema: &Value, value: &Value) -> Result<(), String> {
        self.check(schema, value, false)
    }

    fn check(&self, schema: &Value, value: &Value, formats: bool) -> Result<(), String> {
        // OpenAPI 3.0 schemas are JSON Schema draft 4 with `nullable`; references lead into the document.
        let mut whole = nullable(schema);
        let mut schemas = serde_json::Map::new();
        let mut waiting = references(&whole);
        while let Some(name) = waiting.pop() {
            if !schemas.contains_key(&name) {
                let schema = self.components["schemas"].get(&name).ok_or_else(|| format!("{name} is not described"))?;
                waiting.extend(references(schema));
                schemas.insert(name, schema.clone());
            }
        }
        if !schemas.is_empty() {
            whole = json!({ "allOf": [whole], "components": { "schemas": schemas } });
        }
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft4)
            .should_validate_formats(formats)
            .build(&whole)
            .map_err(|error| format!("the schema does not compile: {error}"))?;
        match validator.iter_errors(value).next() {
            Some(error) => Err(format!("{error} at {}", error.instance_path)),
            None => Ok(()),
        }
    }

    /// Refuses members that the description calls read-only: a request must not have them.
    fn read_only(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.document.pointer(reference.strip_prefix('#').unwrap()).ok_or_else(|| format!("{reference} leads nowhere"))?;
            return self.read_only(target, value, at);
        }
        if schema["readOnly"] == true {
            return Err(format!("{at} is read-only"));
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.read_only(part, value, at)?;
        }
        match value {
            Value::Object(members) => members
                .iter()
                .filter_map(|(name, value)| Some((name, schema["properties"].get(name)?, value)))
                .try_for_each(|(name, schema, value)| self.read_only(schema, value, &format!("{at}/{name}"))),
            Value::Array(list) => list.iter().try_for_each(|value| self.read_only(&schema["items"], value, at)),
            _ => Ok(()),
        }
    }
}

fn headers(request: &ProviderRequest, template: &str) -> Result<(), String> {
    for (name, value) in &request.headers {
        let good = match name.as_str() {
            "accept" => value == "application/json" || (template.contains("/attachment/content/") && value == "*/*"),
            "x-atlassian-token" => value == "no-check",
            _ => false,
        };
        if !good {
            return Err(format!("header {name}: {value}"));
        }
    }
    let upload = template.ends_with("/attachments");
    if upload == request.headers.iter().any(|(name, _)| name == "x-atlassian-token") { Ok(()) } else { Err("x-atlassian-token belongs to uploads, and they to it".to_owned()) }
}

/// The schemas that a schema refers to.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Array(list) => list.iter().flat_map(references).collect(),
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str).map(|reference| reference.rsplit('/').next().unwrap().to_owned());
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        _ => Vec::new(),
    }
}

/// A query value as the type that the schema says.
fn typed(value: &str, schema: &Value) -> Result<Value, String> {
    match schema["type"].as_str() {
        Some("string") => Ok(value.into()),
        Some("integer") => value.parse::<i64>().map(Value::from).map_err(|_| format!("{value} is no integer")),
        Some("boolean") => value.parse::<bool>().map(Value::from).map_err(|_| format!("{value} is no boolean")),
        other => Err(format!("a query value of type {other:?} cannot be judged")),
    }
}

/// `nullable: true` in the words of JSON Schema.
fn nullable(schema: &Value) -> Value {
    match schema {
        Value::Array(list) => list.iter().map(nullable).collect(),
        Value::Object(members) => {
            let mut members: serde_json::Map<String, Value> = members.iter().map(|(name, value)| (name.clone(), nullable(value))).collect();
            if members.get("nullable") == Some(&json!(true))
                && let Some(kind) = members.get("type").filter(|kind| kind.is_string()).cloned()
            {
                members.insert("type".to_owned(), json!([kind, "null"]));
            }
            Value::Object(members)
        }
        other => other.clone(),
    }
}

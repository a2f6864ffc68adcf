//! The served OpenAPI documents (3.1): one for the Management API, one for the Connector API. Both are made from the tables
//! that the routers are made from and from the types that the handlers read and write, so a route cannot be served without
//! being described. What types cannot say (sentences, statuses of single operations) stands in `operations.toml`.

mod connector;
mod links;
mod lists;
mod management;
mod prose;
mod responses;
mod schemas;

use patchbay_providers::Catalog;
use serde_json::{Map, Value, json};

pub(crate) use self::management::Management;
pub use self::responses::Answered;
pub use self::schemas::Schemas;

/// The document of the Management API; the providers of the catalog give the schema of `provider_config`.
pub fn management(catalog: &Catalog) -> Value {
    management::document(catalog)
}

/// The document of the Connector API.
pub fn engine() -> Value {
    connector::document()
}

/// What both documents have around their operations.
struct Frame<'a> {
    title: &'a str,
    description: &'a str,
    /// Security schemes; the first is what an operation needs that says nothing else.
    security: &'a [(&'a str, &'a str, &'a str)],
    paths: Map<String, Value>,
    components: Map<String, Value>,
}

impl Frame<'_> {
    fn document(self) -> Value {
        let mut components = self.components;
        let schemes = self
            .security
            .iter()
            .map(|(name, format, description)| ((*name).to_owned(), json!({ "type": "http", "scheme": "bearer", "bearerFormat": format, "description": description })));
        components.insert("securitySchemes".to_owned(), Value::Object(schemes.collect()));
        components.insert("responses".to_owned(), responses::problems());
        let needed: Vec<Value> = self.security.first().map(|(name, ..)| json!({ *name: [] })).into_iter().collect();
        json!({
            "openapi": "3.1.0",
            "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
            "info": {
                "title": self.title,
                "description": self.description,
                "version": env!("CARGO_PKG_VERSION"),
                "license": { "name": "Apache-2.0 OR MIT", "identifier": env!("CARGO_PKG_LICENSE") },
            },
            "servers": [{ "url": "/" }],
            "security": needed,
            "tags": prose::tags(&self.paths),
            "paths": self.paths,
            "components": components,
        })
    }
}

/// One operation while it is described.
struct Described {
    id: String,
    tag: &'static str,
    summary: String,
    description: String,
    parameters: Vec<Value>,
    body: Option<Value>,
    responses: Map<String, Value>,
    /// Alternatives of security, where they differ from the document's.
    security: Option<Value>,
}

impl Described {
    fn insert(self, paths: &mut Map<String, Value>, path: &str, method: &str) {
        let mut operation = Map::new();
        operation.insert("operationId".to_owned(), self.id.into());
        operation.insert("tags".to_owned(), json!([self.tag]));
        operation.insert("summary".to_owned(), self.summary.into());
        operation.insert("description".to_owned(), self.description.into());
        if !self.parameters.is_empty() {
            operation.insert("parameters".to_owned(), self.parameters.into());
        }
        if let Some(body) = self.body {
            operation.insert("requestBody".to_owned(), body);
        }
        if let Some(security) = self.security {
            operation.insert("security".to_owned(), security);
        }
        operation.insert("responses".to_owned(), self.responses.into());
        let item = paths.entry(path).or_insert_with(|| Value::Object(Map::new()));
        if let Some(item) = item.as_object_mut() {
            item.insert(method.to_ascii_lowercase(), Value::Object(operation));
        }
    }
}

/// A body of JSON.
fn body(schema: &Value, required: bool, examples: &Map<String, Value>) -> Value {
    let mut content = json!({ "schema": schema });
    if !examples.is_empty() {
        let named: Map<String, Value> = examples.iter().map(|(name, value)| (name.clone(), json!({ "value": value }))).collect();
        content["examples"] = Value::Object(named);
    }
    json!({ "required": required, "content": { "application/json": content } })
}

#[cfg(test)]
mod tests;

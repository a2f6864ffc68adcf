//! The document of the Connector API: the operations that a provider of this build can offer.

use patchbay_model::Code;
use patchbay_model::connector::Connector;
use serde_json::{Map, Value, json};

use super::{Answered, Described, Frame, Schemas, body, links, prose, responses};
use crate::operation::{self, Method};
use crate::ticketing::{Query, ROUTES, Route, Shape};
use crate::wire::envelope::Messages;
use crate::wire::problem::Problem;
use crate::wire::query::{Conditions, MetaParams, PageParams};

pub(super) fn document() -> Value {
    let mut schemas = Schemas::new();
    schemas.answer::<Problem>();
    schemas.answer::<Messages>();
    let mut paths = Map::new();
    for route in ROUTES {
        if let Some(shape) = &route.answer {
            describe(route, shape, &mut schemas).insert(&mut paths, route.path, route.method.as_str());
        }
    }
    links::add(&mut paths);
    let frame = Frame {
        title: "Patchbay Connector API",
        description: "One API for each category of providers. Which integration is meant stands in the token, never in the path. What each provider \
            offers is listed by `GET /v1/capabilities/providers?expand=operations` of the Management API; an operation that the integration's provider \
            lacks answers 501. A Problem with status 502 or 504 tells of trouble at the provider, in its own words.",
        security: &[("integration_token", "pbi_...", "An integration access token. Organization access tokens are refused with 403.")],
        paths,
        components: Map::new(),
    };
    let mut document = frame.document();
    schemas.finish(&mut document, Map::from_iter([("Meta".to_owned(), meta())]));
    document
}

fn describe(route: &Route, shape: &Shape, schemas: &mut Schemas) -> Described {
    let id = format!("{}.{}", Connector::Ticketing.as_str(), route.name);
    let prose = prose::of(&id);
    let mut parameters: Vec<Value> = operation::path_parameters(route.path).map(path_parameter).collect();
    match route.query {
        Query::None => {}
        Query::Page => parameters.extend(schemas.parameters::<PageParams>()),
        Query::Conditions => {
            parameters.extend(schemas.parameters::<PageParams>());
            parameters.extend(schemas.parameters::<Conditions>());
        }
    }
    let answered = match shape {
        Shape::Nothing => Answered::Nothing,
        Shape::One(schema) => Answered::Json(envelope(schema(schemas), false)),
        Shape::Many(schema) => Answered::Json(envelope(json!({ "type": "array", "items": schema(schemas) }), false)),
        Shape::Page(schema) => Answered::Json(envelope(json!({ "type": "array", "items": schema(schemas) }), true)),
    };
    if !matches!(shape, Shape::Nothing) {
        parameters.extend(schemas.parameters::<MetaParams>());
    }
    let body_schema = route.body.map(|schema| schema(schemas));
    let mut statuses = vec![400, 401, 403, 429, 500, 501, 502, 503, 504];
    if operation::path_parameters(route.path).next().is_some() || route.method == Method::Post {
        statuses.push(404);
    }
    if body_schema.is_some() {
        statuses.extend([413, 415]);
    }
    statuses.extend(&prose.also);
    statuses.retain(|status| !prose.never.contains(status));
    statuses.sort_unstable();
    statuses.dedup();
    let success = (route.status.to_string(), answered.response());
    Described {
        id: id.replace('.', "_"),
        tag: Connector::Ticketing.as_str(),
        summary: prose.summary,
        description: prose.description,
        parameters,
        body: body_schema.map(|schema| body(&schema, true, &prose.examples)),
        responses: std::iter::once(success).chain(statuses.into_iter().map(|status| (status.to_string(), responses::problem(status)))).collect(),
        security: None,
    }
}

fn envelope(result: Value, paged: bool) -> Value {
    let mut properties = Map::from_iter([("result".to_owned(), result)]);
    let mut required = vec!["result"];
    if paged {
        properties.insert("cursor".to_owned(), json!({ "type": "string", "description": "`cursor` of the next page; empty at the end." }));
        required.push("cursor");
    }
    properties.insert("meta".to_owned(), json!({ "$ref": "#/components/schemas/Meta" }));
    properties.insert("messages".to_owned(), json!({ "$ref": "#/components/schemas/Messages" }));
    json!({ "type": "object", "properties": properties, "required": required })
}

/// What was asked for beside the result.
fn meta() -> Value {
    let exchange = json!({
        "type": "object",
        "properties": { "endpoint": { "type": "string" }, "response": { "type": "string" } },
        "required": ["endpoint", "response"],
    });
    json!({
        "type": "object",
        "properties": {
            "stats": {
                "type": "object",
                "properties": { "count": { "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 } } },
                "required": ["count"],
            },
            "api": {
                "type": "object",
                "properties": {
                    "response": {
                        "type": "object",
                        "properties": {
                            "primary": exchange,
                            "list": { "type": "object", "additionalProperties": { "type": "array", "items": { "type": "string" } } },
                        },
                    },
                },
                "required": ["response"],
            },
        },
    })
}

fn path_parameter(name: &str) -> Value {
    let noun = name.strip_suffix("_id").unwrap_or(name).replace('_', " ");
    json!({
        "name": name,
        "in": "path",
        "required": true,
        "description": format!("The provider's id of the {noun}. An id longer than 300 bytes is not found ({}).", Code::NotFound.as_str()),
        "schema": { "type": "string", "minLength": 1, "maxLength": 300 },
    })
}

//! The document of the Management API, one operation for each row of the table.

use patchbay_engine::permission;
use patchbay_model::permission::PermissionSet;
use patchbay_providers::Catalog;
use serde_json::{Map, Value, json};

use super::{Described, Frame, Schemas, body, links, lists, prose, responses};
use crate::contract::ResultType;
use crate::operation::{self, Method, Route, Rule};
use crate::request::{ReadBody, ReadQuery};
use crate::wire::problem::Problem;

/// The document while operations are added to it.
pub(crate) struct Management {
    schemas: Schemas,
    paths: Map<String, Value>,
}

pub(super) fn document(catalog: &Catalog) -> Value {
    let mut management = Management { schemas: Schemas::new(), paths: Map::new() };
    management.schemas.answer::<Problem>();
    operation::openapi(&mut management);
    let Management { schemas, mut paths } = management;
    links::add(&mut paths);
    let frame = Frame {
        title: "Patchbay Management API",
        description: "Who is connected to what: accounts, integration points, integrations, credentials, tokens and members of one organization. \
            Wherever a path takes an id, the unique name of the object may stand instead. What is Patchbay's own travels in the one member `x_patchbay` \
            of an object, and under `/v1/x/`; a PUT or PATCH without it leaves it alone. \
            A request whose line or headers are longer than the server takes is answered with 414 or 431 before any operation.",
        security: &[
            ("organization_token", "pbo_...", "An organization access token. Integration access tokens are refused with 403."),
            ("refresh_token", "pbr_...", "A refresh secret: it refreshes its own token and does nothing else."),
        ],
        paths,
        components: Map::new(),
    };
    let mut document = frame.document();
    schemas.finish(&mut document, Map::from_iter([("ProviderConfig".to_owned(), provider_config(catalog))]));
    document
}

/// The schema of `provider_config`: one choice for each provider of the catalog.
fn provider_config(catalog: &Catalog) -> Value {
    let choices: Vec<Value> = catalog
        .providers()
        .iter()
        .map(|provider| {
            let mut schema = provider.provider_config_schema();
            if let Some(schema) = schema.as_object_mut() {
                // They would make it a document of its own.
                schema.shift_remove("$schema");
                schema.shift_remove("$id");
            }
            schema
        })
        .collect();
    json!({
        "title": "ProviderConfig",
        "description": "The configuration of a provider, told apart by `type`. Secrets given inline become credentials and are never given back.",
        "oneOf": choices,
    })
}

impl Management {
    /// Describes one operation.
    pub(crate) fn operation<Q: ReadQuery, B: ReadBody, R: ResultType>(&mut self, route: &Route) {
        let prose = prose::of(route.operation.id());
        let body_schema = B::body(&mut self.schemas);
        let mut parameters: Vec<Value> = operation::path_parameters(route.path).map(path_parameter).collect();
        let mut query = Q::parameters(&self.schemas);
        lists::tell(route.operation, &mut query);
        parameters.extend(query);

        let mut statuses = usual(route, body_schema.is_some());
        statuses.extend(&prose.also);
        statuses.retain(|status| !prose.never.contains(status));
        statuses.sort_unstable();
        statuses.dedup();
        let success = (route.status.to_string(), R::answered(&mut self.schemas).response());
        let problems = statuses.into_iter().map(|status| (status.to_string(), responses::problem(status)));

        let described = Described {
            id: route.operation.id().replace('.', "_"),
            tag: route.operation.id().split('.').next().unwrap_or_default(),
            summary: prose.summary,
            description: format!("{}\n\n{}", prose.description.trim(), who(route)).trim().to_owned(),
            parameters,
            body: body_schema.map(|(optional, schema)| body(&schema, !optional, &prose.examples)),
            responses: std::iter::once(success).chain(problems).collect(),
            security: match route.rule {
                Rule::Management => None,
                Rule::RefreshOrManagement => Some(json!([{ "refresh_token": [] }, { "organization_token": [] }])),
                Rule::Logon => Some(json!([])),
            },
        };
        described.insert(&mut self.paths, route.path, route.method.as_str());
    }
}

/// The statuses of Problems that follow from the shape of an operation.
fn usual(route: &Route, body: bool) -> Vec<u16> {
    let mut statuses = vec![400, 401, 403, 500, 503];
    if operation::path_parameters(route.path).next().is_some() {
        statuses.push(404);
    }
    if body {
        statuses.extend([413, 415]);
    }
    if route.method != Method::Get {
        statuses.push(409);
    }
    statuses
}

/// Who may call, in a sentence.
fn who(route: &Route) -> String {
    if route.rule == Rule::Logon {
        return "Needs no token.".to_owned();
    }
    let sets: Vec<String> = PermissionSet::ALL.into_iter().filter(|set| permission::allows(*set, route.operation)).map(|set| format!("`{}`", set.as_str())).collect();
    let whole = if permission::organization_wide(route.operation) { " A token that is narrowed to some objects is refused." } else { "" };
    format!("Permission sets: {}.{whole}", sets.join(", "))
}

fn path_parameter(name: &str) -> Value {
    let noun = name.strip_suffix("_id").unwrap_or(name).replace('_', " ");
    json!({
        "name": name,
        "in": "path",
        "required": true,
        "description": format!("Id or name of the {noun}."),
        "schema": { "type": "string", "minLength": 1, "maxLength": 300 },
    })
}

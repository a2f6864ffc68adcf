//! Capabilities: what each connector and provider offers (synqly-wire.md sections 10 and 13).

use patchbay_model::connector::Connector;
use patchbay_model::list::{Direction, Filter, Operator, Order};
use patchbay_model::problem::Location;
use patchbay_model::{Code, Problem};
use serde::Serialize;
use serde_json::{Value, json};

use crate::catalog::{Catalog, Provider};
use crate::manifest::{FilterFacts, OperationFacts, OrderFacts, Release};

/// Which optional parts a capabilities row carries; the words of `expand`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Expand {
    /// `connector`: the connector as an object rather than its id.
    pub connector: bool,
    /// `operations`.
    pub operations: bool,
    /// `provider_config`: its JSON Schema.
    pub provider_config: bool,
    /// `request_body`: with the operations, the schemas of their bodies.
    pub request_body: bool,
    /// `providers`, on rows of connectors.
    pub providers: bool,
}

impl Expand {
    /// Reads the values of repeated `expand` parameters.
    ///
    /// # Errors
    /// `invalid_field` for an unknown word.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, Problem> {
        let mut expand = Self::default();
        for word in words.into_iter().flat_map(|word| word.split(',')).map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "connector" => expand.connector = true,
                "operations" => expand.operations = true,
                "provider_config" => expand.provider_config = true,
                "request_body" => (expand.operations, expand.request_body) = (true, true),
                "providers" => expand.providers = true,
                "all" => expand = Self { connector: true, operations: true, provider_config: true, request_body: true, providers: true },
                other => {
                    let shown: String = other.chars().take(40).collect();
                    return Err(Problem::new(
                        Code::InvalidField,
                        format!("`{shown}` cannot be expanded. Use connector, operations, provider_config, request_body, providers or all."),
                    )
                    .at(Location::Query, "expand"));
                }
            }
        }
        Ok(expand)
    }
}

/// A connector (`GET /v1/capabilities/connectors`).
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ConnectorRow {
    /// Category id.
    pub id: &'static str,
    /// The same.
    pub name: &'static str,
    /// Name for people.
    pub fullname: &'static str,
    /// One sentence.
    pub description: String,
    /// Its providers.
    pub provider_ids: Vec<String>,
    /// Its providers as rows, when expanded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub providers: Option<Vec<ProviderRow>>,
}

/// A provider (`GET /v1/capabilities/providers`).
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ProviderRow {
    /// Provider id.
    pub id: String,
    /// The same.
    pub name: String,
    /// Name for people.
    pub fullname: String,
    /// Who makes it.
    pub vendor: String,
    /// What it is.
    pub description: String,
    /// Category id.
    pub connector_id: &'static str,
    /// Category id, or the connector's row when expanded.
    pub connector: Value,
    /// Operations of the connector, offered or not, when expanded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<OperationRow>>,
    /// JSON Schema of `provider_config`, when expanded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_config: Option<Value>,
    /// How ready it is.
    pub release: Release,
}

/// An operation of a provider.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct OperationRow {
    /// `ticketing_query_tickets`: connector and name.
    pub id: String,
    /// Its name in the connector.
    pub name: &'static str,
    /// Name for people.
    pub fullname: String,
    /// HTTP method of the Connector API.
    pub request_method: &'static str,
    /// Path of the Connector API.
    pub request_path: &'static str,
    /// Whether this provider offers it.
    pub supported: bool,
    /// Fields that must be given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required_fields: Vec<String>,
    /// Fields that answers can have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supported_response_fields: Vec<String>,
    /// Filters applied by the provider.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FilterFacts>,
    /// Sort keys applied by the provider.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<OrderFacts>,
    /// The body that it takes, when expanded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_body: Option<Value>,
}

/// An operation of a connector, whoever offers it.
pub(crate) struct ConnectorOperation {
    pub(crate) name: &'static str,
    method: &'static str,
    path: &'static str,
    required: &'static [&'static str],
}

const fn operation(name: &'static str, method: &'static str, path: &'static str) -> ConnectorOperation {
    ConnectorOperation { name, method, path, required: &[] }
}

const fn requiring(name: &'static str, method: &'static str, path: &'static str, required: &'static [&'static str]) -> ConnectorOperation {
    ConnectorOperation { name, method, path, required }
}

const TICKETING: &[ConnectorOperation] = &[
    operation("list_remote_fields", "GET", "/v1/ticketing/remote-fields"),
    operation("list_projects", "GET", "/v1/ticketing/projects"),
    operation("query_tickets", "GET", "/v1/ticketing/tickets"),
    operation("get_ticket", "GET", "/v1/ticketing/tickets/{ticket_id}"),
    requiring("create_ticket", "POST", "/v1/ticketing/tickets", &["name"]),
    operation("patch_ticket", "PATCH", "/v1/ticketing/tickets/{ticket_id}"),
    requiring("create_attachment", "POST", "/v1/ticketing/attachments/{ticket_id}", &["file_name", "content"]),
    operation("list_attachments_metadata", "GET", "/v1/ticketing/attachments/{ticket_id}"),
    operation("download_attachment", "GET", "/v1/ticketing/attachments/{ticket_id}/{attachment_id}/download"),
    operation("delete_attachment", "DELETE", "/v1/ticketing/attachments/{ticket_id}/{attachment_id}"),
    operation("list_comments", "GET", "/v1/ticketing/tickets/{ticket_id}/comments"),
    requiring("create_comment", "POST", "/v1/ticketing/tickets/{ticket_id}/comments", &["content"]),
    operation("delete_comment", "DELETE", "/v1/ticketing/tickets/{ticket_id}/comments/{comment_id}"),
    requiring("create_note", "POST", "/v1/ticketing/tickets/{ticket_id}/notes", &["content", "title"]),
    operation("delete_note", "DELETE", "/v1/ticketing/tickets/{ticket_id}/notes/{note_id}"),
    operation("list_notes", "GET", "/v1/ticketing/tickets/{ticket_id}/notes"),
    operation("patch_note", "PATCH", "/v1/ticketing/tickets/{ticket_id}/notes/{note_id}"),
    operation("query_escalation_policies", "GET", "/v1/ticketing/escalation-policies"),
    operation("list_on_call", "GET", "/v1/ticketing/escalation-policies/{escalation_policy_id}/on-call"),
];

const IDENTITY: &[ConnectorOperation] = &[
    operation("query_audit_log", "GET", "/v1/identity/audit"),
    operation("query_risk_events", "GET", "/v1/identity/risk-events"),
    operation("query_risky_users", "GET", "/v1/identity/risky-users"),
    operation("query_users", "GET", "/v1/identity/users"),
    operation("get_user", "GET", "/v1/identity/users/{user_id}"),
    operation("query_groups", "GET", "/v1/identity/groups"),
    operation("get_group", "GET", "/v1/identity/groups/{group_id}"),
    operation("get_group_members", "GET", "/v1/identity/groups/{group_id}/members"),
    operation("enable_user", "POST", "/v1/identity/users/{user_id}/actions/enable"),
    operation("disable_user", "POST", "/v1/identity/users/{user_id}/actions/disable"),
    operation("force_user_password_reset", "POST", "/v1/identity/users/{user_id}/actions/force_reset_password"),
    operation("expire_all_user_sessions", "POST", "/v1/identity/users/{user_id}/actions/expire_all_sessions"),
    operation("get_user_picture", "GET", "/v1/identity/users/{user_id}/picture"),
];

/// The operations of a connector, as far as a provider of this build belongs to it.
pub(crate) const fn operations(connector: Connector) -> &'static [ConnectorOperation] {
    match connector {
        Connector::Ticketing => TICKETING,
        Connector::Identity => IDENTITY,
        _ => &[],
    }
}

/// Operators as written in a filter.
pub(crate) const OPERATORS: &[&str] = &["eq", "ne", "gt", "lt", "gte", "lte", "in", "not in", "like", "not like"];

const fn word(operator: Operator) -> &'static str {
    match operator {
        Operator::Eq => "eq",
        Operator::Ne => "ne",
        Operator::Gt => "gt",
        Operator::Lt => "lt",
        Operator::Gte => "gte",
        Operator::Lte => "lte",
        Operator::In => "in",
        Operator::NotIn => "not in",
        Operator::Like => "like",
        Operator::NotLike => "not like",
    }
}

/// Refuses filters and orders that the provider cannot apply: none is ever dropped silently.
pub(crate) fn check_query(provider: &str, facts: &OperationFacts, filters: &[Filter], orders: &[Order]) -> Result<(), Problem> {
    for filter in filters {
        let known = facts.filters.iter().find(|known| known.name == filter.field);
        if !known.is_some_and(|known| known.operators.iter().any(|operator| operator == word(filter.operator))) {
            let offered = facts.filters.iter().map(|known| format!("{}[{}]", known.name, known.operators.join("|"))).collect::<Vec<_>>().join(", ");
            let shown: String = filter.field.chars().take(80).collect();
            return Err(Problem::new(
                Code::InvalidFilter,
                format!(
                    "{provider} cannot filter `{}` by `{shown}[{}]`. It can filter by: {}.",
                    facts.name,
                    word(filter.operator),
                    if offered.is_empty() { "nothing" } else { &offered }
                ),
            )
            .at(Location::Query, "filter"));
        }
        if let Some(FilterFacts { value_type, .. }) = known
            && value_type == "datetime"
            && let Some(bad) = filter.values.iter().find(|value| value.parse::<patchbay_model::Timestamp>().is_err())
        {
            let shown: String = bad.chars().take(80).collect();
            return Err(Problem::new(Code::InvalidFilter, format!("The value `{shown}` of the filter on `{}` must be a time such as 2026-01-31T08:00:00Z.", filter.field))
                .at(Location::Query, "filter"));
        }
        if let Some(FilterFacts { values: Some(allowed), .. }) = known
            && let Some(bad) = filter.values.iter().find(|value| !allowed.contains(value))
        {
            let shown: String = bad.chars().take(80).collect();
            return Err(Problem::new(Code::InvalidFilter, format!("The value `{shown}` of the filter on `{}` must be one of: {}.", filter.field, allowed.join(", ")))
                .at(Location::Query, "filter"));
        }
    }
    for order in orders {
        let direction = if order.direction == Direction::Asc { "asc" } else { "desc" };
        if !facts.orders.iter().any(|known| known.name == order.field && known.directions.iter().any(|known| known == direction)) {
            let offered = facts.orders.iter().map(|known| format!("{}[{}]", known.name, known.directions.join("|"))).collect::<Vec<_>>().join(", ");
            let shown: String = order.field.chars().take(80).collect();
            return Err(Problem::new(
                Code::InvalidOrder,
                format!("{provider} cannot sort `{}` by `{shown}[{direction}]`. It can sort by: {}.", facts.name, if offered.is_empty() { "nothing" } else { &offered }),
            )
            .at(Location::Query, "order"));
        }
    }
    Ok(())
}

/// Words with capitals: `list_remote_fields` becomes `List remote fields`.
fn fullname(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

pub(crate) fn provider_row(provider: &Provider, expand: Expand) -> ProviderRow {
    let manifest = provider.manifest();
    let connector = manifest.connector;
    ProviderRow {
        id: manifest.id.to_string(),
        name: manifest.id.to_string(),
        fullname: manifest.fullname.clone(),
        vendor: manifest.vendor.clone(),
        description: manifest.description.clone(),
        connector_id: connector.as_str(),
        connector: if expand.connector {
            json!({ "id": connector.as_str(), "name": connector.as_str(), "fullname": connector.fullname(), "description": describe(connector) })
        } else {
            connector.as_str().into()
        },
        operations: expand.operations.then(|| operations(connector).iter().map(|known| operation_row(provider, known, expand.request_body)).collect()),
        provider_config: expand.provider_config.then(|| provider.provider_config_schema()),
        release: manifest.release.clone(),
    }
}

fn operation_row(provider: &Provider, known: &ConnectorOperation, with_body: bool) -> OperationRow {
    let facts = provider.manifest().operation.iter().find(|facts| facts.name == known.name);
    let mut required: Vec<String> = known.required.iter().map(|&field| field.to_owned()).collect();
    if let Some(facts) = facts {
        required.extend(facts.required_fields.iter().filter(|field| !known.required.contains(&field.as_str())).cloned());
    }
    OperationRow {
        id: format!("{}_{}", provider.connector().as_str(), known.name),
        name: known.name,
        fullname: fullname(known.name),
        request_method: known.method,
        request_path: known.path,
        supported: facts.is_some(),
        supported_response_fields: facts.map(|facts| facts.response_fields.clone()).unwrap_or_default(),
        filters: facts.map(|facts| facts.filters.clone()).unwrap_or_default(),
        orders: facts.map(|facts| facts.orders.clone()).unwrap_or_default(),
        request_body: if with_body { request_body(known.name, &required) } else { None },
        required_fields: required,
    }
}

/// The body of a ticketing operation (synqly-wire.md section 11).
fn request_body(name: &str, required: &[String]) -> Option<Value> {
    let text = || json!({ "type": "string" });
    let schema = match name {
        "create_ticket" => json!({
            "type": "object",
            "properties": {
                "name": text(), "summary": text(), "description": text(), "creator": text(), "assignee": text(), "contact": text(),
                "priority": { "enum": ["URGENT", "CRITICAL", "HIGH", "MEDIUM", "MODERATE", "LOW", "PLANNING"] },
                "status": text(), "project": text(), "issue_type": text(), "parent": text(),
                "due_date": { "type": "string", "format": "date-time" }, "completion_date": { "type": "string", "format": "date-time" },
                "tags": { "type": "array", "items": text() }, "custom_fields": { "type": "object" },
            },
            "required": required,
        }),
        "create_comment" => json!({ "type": "object", "properties": { "content": text(), "creator": text() }, "required": required }),
        "create_attachment" => json!({
            "type": "object",
            "properties": { "file_name": text(), "content": { "type": "string", "contentEncoding": "base64" } },
            "required": required,
        }),
        "patch_ticket" => json!({
            "type": "array",
            "items": {
                "type": "object",
                "properties": { "op": { "enum": ["add", "copy", "move", "remove", "replace", "test"] }, "path": text(), "from": text(), "value": {} },
                "required": ["op", "path"],
            },
        }),
        _ => return None,
    };
    Some(json!({ "required": true, "schema": schema }))
}

fn describe(connector: Connector) -> String {
    format!("One API for {} providers.", connector.fullname())
}

impl Catalog {
    /// The rows of `GET /v1/capabilities/connectors`: connectors that have a provider.
    pub fn connectors(&self, expand: Expand) -> Vec<ConnectorRow> {
        Connector::ALL
            .iter()
            .copied()
            .filter(|connector| self.of(*connector).next().is_some())
            .map(|connector| ConnectorRow {
                id: connector.as_str(),
                name: connector.as_str(),
                fullname: connector.fullname(),
                description: describe(connector),
                provider_ids: self.of(connector).map(|provider| provider.id().to_string()).collect(),
                providers: expand.providers.then(|| self.of(connector).map(|provider| provider.capabilities(expand)).collect()),
            })
            .collect()
    }
}

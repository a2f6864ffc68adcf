//! Parameters of lists: what `filter`, `order` and `expand` may say, told from the store's tables of fields.

use patchbay_engine::list_fields;
use patchbay_model::Operation;
use patchbay_model::list::{FieldKind, ListField};
use serde_json::{Value, json};

use crate::request::MAX_CONDITIONS;

/// The store's table behind a list.
pub(super) fn table(operation: Operation) -> Option<&'static str> {
    Some(match operation.id() {
        "accounts.list" => "accounts",
        "integration_points.list" => "integration_points",
        "integrations.list" | "integrations.list_account" => "integration_instances",
        "credentials.list" => "credentials",
        "tokens.list" => "token_containers",
        "members.list" => "members",
        "audit.list" | "audit.export" => "audit_events",
        "provider_apps.list" => "provider_apps",
        "definitions.list" => "integration_definitions",
        "roles.list" => "roles",
        "connect_links.list" => "public_links",
        "end_users.list" => "end_users",
        "revocations.list" => "revocations",
        "end_users.receipts" => "consent_receipts",
        "status.list" => "integration_states",
        "status.list_events" => "status_events",
        "organization_webhooks.list" => "organization_webhooks",
        "organization_webhooks.list_deliveries" => "webhook_deliveries",
        _ => return None,
    })
}

/// The parts that a list can put in.
fn parts(operation: Operation) -> &'static [&'static str] {
    match operation.id() {
        "integrations.list" | "integrations.list_account" => &["account", "accounts", "integration_point", "integration_points", "all"],
        "status.list" | "status.get" => &["account", "accounts", "integration", "integrations", "all"],
        "capabilities.list_connectors" => &["providers", "all"],
        "capabilities.list_providers" => &["connector", "operations", "provider_config", "facts", "all"],
        "capabilities.get_provider" => &["connector", "operations", "provider_config", "request_body", "facts", "all"],
        _ => &[],
    }
}

/// Says in the parameters of an operation what its `filter`, `order` and `expand` may be.
pub(super) fn tell(operation: Operation, parameters: &mut Vec<Value>) {
    let parts = parts(operation);
    if parts.is_empty() {
        parameters.retain(|parameter| parameter["name"] != "expand");
    }
    let fields = table(operation).and_then(list_fields);
    for parameter in parameters {
        match (parameter["name"].as_str(), &fields) {
            (Some("expand"), _) => parameter["schema"] = json!({ "type": "array", "items": { "type": "string", "enum": parts } }),
            (Some("filter"), Some(fields)) => {
                parameter["description"] = format!(
                    "`field[operator]value`, repeatable, joined by AND. Operators are eq, ne, neq, gt, lt, gte, lte, in, not in, like, not like; `in` takes a comma list, and `%` or `*` in a `like` stands for any text. Fields: {}.",
                    told(fields.iter())
                )
                .into();
                parameter["schema"]["maxItems"] = MAX_CONDITIONS.into();
                parameter["schema"]["items"]["pattern"] = filters(fields).into();
            }
            (Some("order"), Some(fields)) => {
                let fields: Vec<&ListField> = fields.iter().filter(|field| field.ordered).collect();
                parameter["description"] = format!("`field[asc]` or `field[desc]`, repeatable, the first counts most. Fields: {}.", told(fields.iter().copied())).into();
                parameter["schema"]["maxItems"] = MAX_CONDITIONS.into();
                parameter["schema"]["items"]["pattern"] = format!(r"^({})(\[(asc|desc)\])?$", names(fields.into_iter())).into();
            }
            _ => {}
        }
    }
}

fn told<'a>(fields: impl Iterator<Item = &'a ListField>) -> String {
    fields.map(|field| format!("`{}`", field.name)).collect::<Vec<_>>().join(", ")
}

fn names<'a>(fields: impl Iterator<Item = &'a ListField>) -> String {
    fields.map(|field| field.name.replace('.', r"\.")).collect::<Vec<_>>().join("|")
}

const TIME: &str = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";
const ID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const NUMBER: &str = "-?[0-9]{1,18}";

/// Every filter on these fields: the operators that their kind has, and values of their kind.
fn filters(fields: &[ListField]) -> String {
    let of = |kind: FieldKind| {
        let fields: Vec<&ListField> = fields.iter().filter(|field| field.kind == kind).collect();
        (!fields.is_empty()).then(|| names(fields.into_iter()))
    };
    let text = r"[^\x00]*";
    let mut choices = Vec::new();
    if let Some(names) = of(FieldKind::Text) {
        choices.push(format!(r"({names})\[(eq|neq?|gte?|lte?|in|not in|like|not like)\]{text}"));
    }
    if let Some(names) = of(FieldKind::Texts) {
        choices.push(format!(r"({names})\[(eq|neq?|in|not in|like|not like)\]{text}"));
    }
    for (kind, operators, value) in [(FieldKind::Time, "eq|neq?|gte?|lte?", TIME), (FieldKind::Id, "eq|neq?", ID), (FieldKind::Number, "eq|neq?|gte?|lte?", NUMBER)] {
        if let Some(names) = of(kind) {
            choices.push(format!(r"({names})\[({operators})\]{value}"));
            choices.push(format!(r"({names})\[(in|not in)\]{value}(,{value})*"));
        }
    }
    format!("^({})$", choices.join("|"))
}

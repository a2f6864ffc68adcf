//! The objects of the wire (synqly-wire.md sections 3 to 7 and 10). One set serves `/v1` and `/rpc`.
//!
//! Optional members are absent, never null. What is ours travels in `x_patchbay`. Nothing here knows the store or a
//! provider; a view is made from the model's nouns and from counts that the engine hands over.

pub mod account;
pub mod audit;
pub mod backup;
pub mod call;
pub mod capability;
pub mod connect_link;
pub mod consent;
pub mod credential;
pub mod deadline;
pub mod definition;
pub mod end_user;
pub mod envelope;
pub mod governance;
pub mod host;
pub mod integration;
pub mod key;
pub mod manifest_entry;
pub mod member;
pub mod moving;
pub mod organization;
pub mod overview;
pub mod point;
pub mod preflight;
pub mod problem;
pub mod query;
pub mod receipt;
pub mod refresh;
pub mod rehearsal;
pub mod revocation;
pub mod role;
pub mod status;
pub mod token;
pub mod webhook;

/// The schema of a `provider_config` in a request: a choice of the catalog's providers, which the document of the Management
/// API holds ([`crate::openapi`]).
fn provider_config(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "$ref": "#/components/schemas/ProviderConfig" })
}

/// Schema of the permission sets that the first token of an account can have.
struct FirstTokenSet;

impl schemars::JsonSchema for FirstTokenSet {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FirstTokenSet".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": ["account-manager", "connect-ui", "token-issuer"] })
    }
}

/// Schema of a connector's category, or `*` for all of them.
struct CategoryOrAll;

impl schemars::JsonSchema for CategoryOrAll {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CategoryOrAll".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words: Vec<&str> = std::iter::once("*").chain(patchbay_model::connector::Connector::ALL.iter().map(|connector| connector.as_str())).collect();
        schemars::json_schema!({ "type": "string", "enum": words })
    }
}

/// Schema of the name of a ticketing operation.
struct TicketingName;

impl schemars::JsonSchema for TicketingName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TicketingName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = crate::ticketing::ROUTES.iter().map(|route| route.name).collect();
        schemars::json_schema!({ "type": "string", "enum": names })
    }
}

/// The schema of the `config` of a credential in a request: its kind, and the fields that the kind has
/// (synqly-wire.md section 7). Which of them are needed depends on whether there are secrets already.
fn credential_config(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": ["object", "null"],
        "properties": {
            "type": { "type": "string", "enum": ["aws", "aws_role", "token", "basic", "secret", "o_auth_client", "tls_certificate"] },
            "extra": { "type": "object", "additionalProperties": { "type": "string" } },
        },
        "additionalProperties": { "type": "string", "pattern": r"^[^\x00]*$" },
        "required": ["type"],
    })
}

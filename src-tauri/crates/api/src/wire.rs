//! The objects of the wire (synqly-wire.md sections 3 to 7 and 10). One set serves `/v1` and `/rpc`.
//!
//! Optional members are absent, never null. What is ours travels in `x_patchbay`. Nothing here knows the store or a
//! provider; a view is made from the model's nouns and from counts that the engine hands over.

pub mod account;
pub mod audit;
pub mod call;
pub mod capability;
pub mod consent;
pub mod credential;
pub mod definition;
pub mod end_user;
pub mod envelope;
pub mod governance;
pub mod host;
pub mod integration;
pub mod member;
pub mod organization;
pub mod overview;
pub mod point;
pub mod problem;
pub mod query;
pub mod role;
pub mod status;
pub mod token;
pub mod webhook;

/// The schema of a `provider_config` in a request: a choice of the catalog's providers, which the document of the Management
/// API holds ([`crate::openapi`]).
fn provider_config(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "$ref": "#/components/schemas/ProviderConfig" })
}

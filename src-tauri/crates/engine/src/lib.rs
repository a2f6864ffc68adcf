//! The verbs of Patchbay: what an organization, its members and its programs can do, each with its permission, its audit
//! row and its transaction. Nothing here knows HTTP routes, windows or SQL.

pub mod account;
pub mod audit;
mod background;
pub mod backup;
pub mod call;
pub mod changes;
pub mod configuration;
pub mod consent;
pub mod contention;
pub mod credential;
pub mod definition;
pub mod deletion;
pub mod end_user;
mod engine;
mod governance;
pub mod grant;
pub mod http;
pub mod import;
pub mod installation;
pub mod integration;
pub mod key;
pub mod member;
pub mod moving;
mod oauth;
pub mod organization;
mod outbound;
pub mod overview;
pub mod permission;
pub mod point;
pub mod provider_app;
mod reach;
mod redact;
mod refresh;
pub mod role;
mod schema;
mod sealing;
pub mod session;
pub mod status;
pub mod token;
mod usage;
pub mod webhook;

pub use engine::Engine;
pub use grant::{CallerInfo, ConnectorGrant, Grant, ManagementGrant, RefreshGrant};
pub use http::NetworkPolicy;
pub use patchbay_store::list_fields;

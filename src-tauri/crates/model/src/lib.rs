//! The nouns of Patchbay: ids, values, states and the closed table of problems.
//!
//! This crate does no I/O, reads no clock and knows no SQL, HTTP or window. Parsing happens in constructors,
//! so a value that exists is a value that is valid.

pub mod account;
pub mod audit;
pub mod change;
pub mod connector;
pub mod consent;
pub mod context;
pub mod credential;
pub mod deadline;
pub mod definition;
pub mod deletion;
pub mod end_user;
pub mod environment;
pub mod flight;
pub mod id;
pub mod integration;
pub mod json;
pub mod list;
pub mod member;
pub mod name;
pub mod operation;
pub mod organization;
pub mod permission;
pub mod place;
pub mod point;
pub mod preflight;
pub mod problem;
pub mod provider;
pub mod public_link;
pub mod refresh;
pub mod revocation;
pub mod schema;
pub mod scope;
pub mod secret;
pub mod status;
pub mod time;
pub mod token;
pub mod web;
pub mod webhook;

pub use context::{Clock, Context, Entropy};
pub use environment::Environment;
pub use id::*;
pub use name::{Fullname, Label, Name};
pub use operation::Operation;
pub use place::{PostgresUrl, RemoteUrl};
pub use problem::{Code, Problem};
pub use provider::ProviderId;
pub use scope::{Origin, Scope};
pub use secret::Secret;
pub use time::Timestamp;

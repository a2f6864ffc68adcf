//! Credentials: metadata for everybody who may list, sealed values for calls alone.

pub(crate) mod config;
mod create;
mod delete;
mod get;
mod impact;
mod list;
mod owner;
pub(crate) mod update;

use patchbay_model::Timestamp;
use serde_json::Value;

pub use create::create;
pub use delete::delete;
pub use get::{get, lookup};
pub use impact::impact;
pub use list::list;
pub use update::update;

/// A new credential of an account or a point.
#[derive(Clone, Default)]
pub struct CreateCredential {
    /// Slug; derived where missing.
    pub name: Option<String>,
    /// Name for people; the name where missing.
    pub fullname: Option<String>,
    /// `config` as on the wire, secrets among it.
    pub config: Option<Value>,
    /// `account` or `integration_point`; what the owner in the path is, where missing.
    pub owner_type: Option<String>,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

/// The whole credential as it shall be.
#[derive(Clone, Default)]
pub struct UpdateCredential {
    /// Slug; unchanged where missing.
    pub name: Option<String>,
    /// Name for people; unchanged where missing.
    pub fullname: Option<String>,
    /// `config` as on the wire. Secret fields that are left out keep their sealed values; nothing but `type` changes nothing.
    pub config: Option<Value>,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// The `updated_at` that the change was made from; a different one is an `update_conflict`.
    pub expected: Option<Timestamp>,
}

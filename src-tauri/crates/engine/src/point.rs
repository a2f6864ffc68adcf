//! Integration points: governance of one connector.

mod create;
mod delete;
mod get;
mod impact;
mod list;
mod policy;
mod preview;
mod update;

use patchbay_model::Timestamp;
use patchbay_model::point::{PointEnvironments, PointPolicy};

pub use create::create;
pub(crate) use create::description;
pub use delete::delete;
pub use get::{get, of_ids};
pub use impact::impact;
pub use list::list;
pub use preview::{Affected, Effect, Preview, preview};
pub use update::update;

/// A new integration point.
#[derive(Clone, PartialEq, Debug)]
pub struct CreatePoint {
    /// Slug; derived where missing.
    pub name: Option<String>,
    /// Name for people; the name where missing.
    pub fullname: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Id of the connector, such as `ticketing`.
    pub connector: String,
    /// Providers allowed per environment.
    pub environments: PointEnvironments,
    /// Shared configuration and scopes.
    pub policy: PointPolicy,
}

/// The whole point as it shall be. The connector cannot change.
#[derive(Clone, PartialEq, Debug)]
pub struct UpdatePoint {
    /// Slug; unchanged where missing.
    pub name: Option<String>,
    /// Name for people; unchanged where missing.
    pub fullname: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Must be the connector that it has, where given.
    pub connector: Option<String>,
    /// Providers allowed per environment.
    pub environments: PointEnvironments,
    /// Shared configuration and scopes; unchanged where missing.
    pub policy: Option<PointPolicy>,
    /// The `updated_at` that the change was made from; a different one is an `update_conflict`.
    pub expected: Option<Timestamp>,
}

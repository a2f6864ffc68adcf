//! End users: the persons of an account who authorized a provider or configured something. They are made by their consent or
//! by whoever connects the customer, and erased on request without breaking what they connected.

mod create;
mod erase;
mod get;
mod list;
mod update;

use patchbay_model::Timestamp;

pub use create::create;
pub use erase::{ErasureImpact, erase, impact};
pub use get::get;
pub use list::{list, receipts};
pub use update::update;

/// A new end user.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CreateEndUser {
    /// Slug; derived where missing.
    pub name: Option<String>,
    /// Name for people; the address or the name where missing.
    pub fullname: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// The id by which the customer knows the person.
    pub external_id: Option<String>,
}

/// The whole end user as it shall be.
#[derive(Clone, PartialEq, Debug)]
pub struct UpdateEndUser {
    /// Unchanged where missing.
    pub name: Option<String>,
    /// Unchanged where missing.
    pub fullname: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// The id by which the customer knows the person.
    pub external_id: Option<String>,
    /// The `updated_at` that the change was made from; a different one is an `update_conflict`.
    pub expected: Option<Timestamp>,
}

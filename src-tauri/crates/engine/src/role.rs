//! Roles: a permission set over resources, by name. A member may do what its roles allow at that moment, so a change of a
//! role acts at once on live tokens of logons and on web sessions.

mod create;
mod delete;
mod get;
mod impact;
mod list;
mod update;

use patchbay_model::permission::{PermissionSet, ResourceScope};
use patchbay_model::{Problem, Timestamp};

pub use create::create;
pub use delete::delete;
pub use get::get;
pub use impact::impact;
pub use list::{list, member_counts};
pub use update::update;

/// A new role.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateRole {
    /// Slug; derived where missing.
    pub name: Option<String>,
    /// Name for people; the name where missing.
    pub fullname: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// On which objects.
    pub resources: ResourceScope,
    /// Which operations.
    pub permission_set: PermissionSet,
}

/// The whole role as it shall be.
#[derive(Clone, PartialEq, Debug)]
pub struct UpdateRole {
    /// Slug; unchanged where missing. Members that have the role have it under the new name.
    pub name: Option<String>,
    /// Name for people; unchanged where missing.
    pub fullname: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// On which objects.
    pub resources: ResourceScope,
    /// Which operations.
    pub permission_set: PermissionSet,
    /// The `updated_at` that the change was made from; a different one is an `update_conflict`.
    pub expected: Option<Timestamp>,
}

/// Refuses a change of a role that every organization has.
///
/// # Errors
/// `invalid_request`.
fn own(role: &patchbay_model::permission::Role) -> Result<(), Problem> {
    if !role.is_builtin() {
        return Ok(());
    }
    Err(Problem::new(patchbay_model::Code::InvalidRequest, format!("The role `{}` is built in and cannot be changed or deleted. Make a role of your own.", role.name))
        .with_resource("role", role.id, "affected"))
}

//! The organization itself.

mod get;
mod update;

use patchbay_model::Timestamp;
use patchbay_model::organization::OrganizationOptions;

pub use get::get;
pub(crate) use update::picture;
pub use update::update;

/// The whole organization as it shall be.
#[derive(Clone, PartialEq, Debug)]
pub struct UpdateOrganization {
    /// Slug; unchanged where missing.
    pub name: Option<String>,
    /// Name for people; unchanged where missing.
    pub fullname: Option<String>,
    /// E-mail address of whom to ask.
    pub contact: Option<String>,
    /// E-mail address for answers to our mails.
    pub reply_to: Option<String>,
    /// URL of a logo.
    pub picture: Option<String>,
    /// Policy for members.
    pub options: OrganizationOptions,
    /// The `updated_at` that the change was made from; a different one is an `update_conflict`.
    pub expected: Option<Timestamp>,
}

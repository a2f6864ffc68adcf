//! Members: persons and programs that act within an organization, and how they sign in.

mod create;
mod delete;
mod get;
mod impact;
mod link;
mod list;
mod logoff;
mod logon;
pub(crate) mod password;
pub(crate) mod rules;
mod unlock;
mod update;

use patchbay_model::member::{Member, MemberOption, MemberState, MemberType};
use patchbay_model::organization::Organization;
use patchbay_model::{Secret, Timestamp};

pub use create::create;
pub use delete::delete;
pub use get::get;
pub use impact::impact;
pub use link::{LinkOffer, MemberLink, create_link, look_at_link, redeem_link};
pub use list::list;
pub use logoff::logoff;
pub use logon::{LOCK_AFTER, LOCK_LASTS, logon};
pub use password::change_password;
pub(crate) use unlock::release_locks;
pub use unlock::unlock;
pub use update::update;

use crate::token::ContainerState;

/// A new member.
#[derive(Clone)]
pub struct CreateMember {
    /// E-mail address of a person, slug of a program.
    pub name: String,
    /// Name for people.
    pub fullname: Option<String>,
    /// Short name.
    pub nickname: Option<String>,
    /// URL of a picture.
    pub picture: Option<String>,
    /// First password; without one the member is invited and cannot sign in yet.
    pub secret: Option<Secret>,
    /// Roles; `member` where empty.
    pub role_binding: Vec<String>,
    /// Person or program.
    pub member_type: MemberType,
    /// Lifetime of the member such as `720h`; ten years where missing.
    pub ttl: Option<String>,
    /// Lifetime of the tokens of a logon.
    pub token_ttl: Option<String>,
    /// How it begins.
    pub options: Vec<MemberOption>,
}

/// The whole member as it shall be.
#[derive(Clone, PartialEq, Debug)]
pub struct UpdateMember {
    /// Unchanged where missing.
    pub name: Option<String>,
    /// Unchanged where missing.
    pub fullname: Option<String>,
    /// Short name.
    pub nickname: Option<String>,
    /// URL of a picture.
    pub picture: Option<String>,
    /// Unchanged where missing; `enabled` also unlocks.
    pub state: Option<MemberState>,
    /// Its lifetime such as `720h`, counted from now where it changes; none within for a member without end. Unchanged where
    /// missing.
    pub ttl: Option<Option<String>>,
    /// When it ends. Unchanged where missing.
    pub expires: Option<Option<Timestamp>>,
    /// When the password must be changed. Unchanged where missing.
    pub pin_expires: Option<Option<Timestamp>>,
    /// Unchanged where missing.
    pub role_binding: Option<Vec<String>>,
    /// Unchanged where missing.
    pub token_ttl: Option<String>,
    /// The `updated_at` that the change was made from; a different one is an `update_conflict`.
    pub expected: Option<Timestamp>,
}

/// What a good logon gives.
#[derive(Clone)]
pub struct Logon {
    /// The container of the member's tokens, with secrets.
    pub token: ContainerState,
    /// Whose organization.
    pub organization: Organization,
    /// Who signed in.
    pub member: Member,
}

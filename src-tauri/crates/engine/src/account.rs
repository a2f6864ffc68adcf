//! Accounts: the organization's customers.

pub(crate) mod create;
mod delete;
mod get;
mod impact;
mod list;
mod update;

use patchbay_model::account::Account;
use patchbay_model::permission::PermissionSet;
use patchbay_model::{Environment, Timestamp};

pub(crate) use create::FIRST;
pub use create::create;
pub use delete::{delete, delete_and_revoke};
pub use get::{get, of_ids};
pub use impact::impact;
pub use list::{integration_counts, list};
pub use update::update;

use crate::token::ContainerState;

/// A new account.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CreateAccount {
    /// Slug; derived where missing.
    pub name: Option<String>,
    /// Name for people; the name where missing.
    pub fullname: Option<String>,
    /// Production where missing.
    pub environment: Option<Environment>,
    /// Labels as given.
    pub labels: Vec<String>,
    /// Tenant id for integration systems; the name where missing.
    pub external_id: Option<String>,
    /// The account's first token, if one is wanted.
    pub token: Option<FirstToken>,
}

/// The token that is made together with an account (synqly-wire.md section 7).
#[derive(Clone, PartialEq, Debug)]
pub struct FirstToken {
    /// `account-manager`, `connect-ui` or `token-issuer`.
    pub permission_set: PermissionSet,
    /// Lifetime such as `24h`, the default.
    pub token_ttl: Option<String>,
    /// Slug; derived where missing.
    pub name: Option<String>,
    /// Name for people.
    pub fullname: Option<String>,
}

/// What a creation made.
#[derive(Clone)]
pub struct CreatedAccount {
    /// The account.
    pub account: Account,
    /// Its first token, with secrets.
    pub token: Option<ContainerState>,
}

/// The whole account as it shall be.
#[derive(Clone, PartialEq, Debug)]
pub struct UpdateAccount {
    /// Slug; unchanged where missing.
    pub name: Option<String>,
    /// Name for people; unchanged where missing.
    pub fullname: Option<String>,
    /// Unchanged where missing.
    pub environment: Option<Environment>,
    /// All labels.
    pub labels: Vec<String>,
    /// Unchanged where missing.
    pub external_id: Option<String>,
    /// The `updated_at` that the change was made from; a different one is an `update_conflict`.
    pub expected: Option<Timestamp>,
}

//! Token containers and their secrets (synqly-wire.md section 6, product.md section 3).

mod delete;
mod governed;
mod impact;
pub(crate) mod issue;
pub(crate) mod lifetime;
mod list;
mod mint;
pub(crate) mod narrow;
mod refresh;
mod remove_secondary;
mod reset;
mod rotate;
pub(crate) mod verify;

use patchbay_model::permission::{PermissionSet, ResourceScope};
use patchbay_model::token::TokenContainer;
use patchbay_model::{OrganizationId, Secret, Timestamp, TokenId};

pub use delete::delete;
pub(crate) use delete::end;
pub use impact::impact;
pub use list::{get, list};
pub use mint::{mint, mint_integration};
pub use refresh::refresh;
pub use remove_secondary::remove_secondary;
pub use reset::reset;
pub use rotate::rotate;

use crate::grant::{ManagementGrant, RefreshGrant};

/// A container with its live pairs.
#[derive(Clone)]
pub struct ContainerState {
    /// The container.
    pub container: TokenContainer,
    /// The newest pair; none when all its secrets have ended.
    pub primary: Option<Pair>,
    /// The pair before, while it works.
    pub secondary: Option<Pair>,
}

/// An access secret and the refresh secret that goes with it.
#[derive(Clone)]
pub struct Pair {
    /// Authenticates calls.
    pub access: LiveSecret,
    /// Refreshes the container; none for a single token.
    pub refresh: Option<LiveSecret>,
}

/// One secret. It is in clear exactly once: in the answer of the call that made it.
#[derive(Clone)]
pub struct LiveSecret {
    /// The secret; none on every later read.
    pub secret: Option<Secret>,
    /// When it ends.
    pub expires: Timestamp,
}

/// A new organization token.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateToken {
    /// Slug; derived where missing.
    pub name: Option<String>,
    /// Name for people.
    pub fullname: Option<String>,
    /// Which objects; never more than the caller's.
    pub resources: ResourceScope,
    /// Which operations; never more than the caller's.
    pub permission_set: PermissionSet,
    /// Lifetime of access secrets such as `24h`, the default.
    pub token_ttl: Option<String>,
}

/// Who asks for a refresh.
#[derive(Clone, Copy)]
pub enum Bearer<'a> {
    /// A caller of the Management API that governs the container.
    Management(&'a ManagementGrant),
    /// The holder of a refresh secret of the container itself.
    Refresh(&'a RefreshGrant),
}

impl Bearer<'_> {
    /// Whose organization.
    pub fn organization(&self) -> OrganizationId {
        match self {
            Self::Management(grant) => grant.organization(),
            Self::Refresh(grant) => grant.organization(),
        }
    }

    /// The only container within reach, for a refresh secret.
    pub fn own_container(&self) -> Option<TokenId> {
        match self {
            Self::Management(_) => None,
            Self::Refresh(grant) => Some(grant.container()),
        }
    }
}

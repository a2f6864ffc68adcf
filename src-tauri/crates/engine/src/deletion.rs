//! Deletions: disabled at once, kept for an undo window (product.md section 1).

use std::time::Duration;

use patchbay_model::problem::Resource;
use patchbay_model::{Problem, Timestamp};

use crate::{Engine, ManagementGrant};

/// How long a deletion can be undone.
pub const UNDO_WINDOW: Duration = Duration::from_secs(600);

/// A deletion that can be undone.
#[derive(Clone, PartialEq, Debug)]
pub struct Deletion {
    /// Its id, for `deletions.undo`.
    pub id: uuid::Uuid,
    /// Until when.
    pub undo_until: Timestamp,
}

/// What a delete takes along, and what forbids it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Impact {
    /// Objects that go along, by kind.
    pub counts: Vec<(String, u64)>,
    /// Objects that use it, so that it cannot go.
    pub users: Vec<Resource>,
}

/// Brings back everything that one deletion took, within the undo window.
///
/// # Errors
/// `not_found` when there is no such deletion, or its window has passed.
pub async fn undo(engine: &Engine, grant: &ManagementGrant, deletion: &str) -> Result<(), Problem> {
    let _ = (grant, deletion);
    Err(crate::pending(engine))
}

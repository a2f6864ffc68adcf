//! Deletions: what was deleted together can be brought back together, for a while (product.md section 1).

use std::time::Duration;

use serde::Serialize;

use crate::change::ChangeKind;
use crate::{AccountId, DeletionId, Timestamp};

/// How long a deletion can be undone.
pub const UNDO_WINDOW: Duration = Duration::from_secs(600);

/// A deletion as stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deletion {
    /// Its id.
    pub id: DeletionId,
    /// What kind of object was deleted by name.
    pub kind: ChangeKind,
    /// That object's id.
    pub object_id: uuid::Uuid,
    /// In which account, if in one.
    pub account_id: Option<AccountId>,
    /// When.
    pub deleted_at: Timestamp,
}

impl Deletion {
    /// Until when it can be undone.
    pub fn undo_until(&self) -> Timestamp {
        self.deleted_at.plus(UNDO_WINDOW)
    }
}

/// What a deletion takes, or would take, beside the object itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ts_rs::TS, schemars::JsonSchema)]
pub struct Impact {
    /// Integrations.
    #[ts(type = "number")]
    pub integrations: u64,
    /// Credentials.
    #[ts(type = "number")]
    pub credentials: u64,
    /// Token containers, whose secrets die at once.
    #[ts(type = "number")]
    pub tokens: u64,
    /// Consents that are under way.
    #[ts(type = "number")]
    pub connect_sessions: u64,
    /// End users.
    #[ts(type = "number")]
    pub end_users: u64,
}

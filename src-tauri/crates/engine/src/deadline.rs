//! Deadlines: everything that ends by itself, in one list, with who has to act and what is to be done.

mod assemble;
pub(crate) mod clocks;
mod feed;
mod list;

use std::time::Duration;

use patchbay_model::AccountId;
use patchbay_model::deadline::{Actor, Deadline, DeadlineKind};

pub use crate::refresh::worker::renew_due;
pub use feed::{feed_link, make_feed_link, open_feed, revoke_feed_link};
pub use list::{everything_for_people, list};

/// Most deadlines that one list holds.
pub const MOST: u32 = 1000;

/// Which deadlines are asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadlineQuery {
    /// Those within this time from now, and those that have passed.
    pub within: Duration,
    /// Of these kinds; none: of all.
    pub kinds: Option<Vec<DeadlineKind>>,
    /// Those for which this one has to act; none: all.
    pub who: Option<Actor>,
    /// Of one customer alone.
    pub account: Option<AccountId>,
    /// Most of them.
    pub limit: u32,
}

/// Deadlines, the earliest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Deadlines {
    /// The rows.
    pub items: Vec<Deadline>,
    /// Whether there are more than the limit.
    pub more: bool,
}

//! The audit log: every change and every refused call; what was there before and after; and the way back.

mod export;
mod floods;
mod get;
mod inverse;
mod list;
pub(crate) mod record;
mod refused;
mod restore;
pub(crate) mod snapshot;
mod undo;

use patchbay_model::audit::AuditEvent;

pub(crate) use floods::Floods;
pub(crate) use refused::flush as flush_refusals;

pub use export::{Export, export};
pub use get::get;
pub use inverse::{Inverse, inverse};
pub use list::list;
pub use refused::refused;
pub use undo::undo;

use crate::Engine;

/// Whether an undo of a row could be tried now. It may still find that the object was changed since, or that the caller
/// may not.
pub fn undoable(engine: &Engine, row: &AuditEvent) -> bool {
    inverse::undoable(row, engine.now())
}

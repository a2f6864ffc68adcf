//! The audit log.

mod list;
pub(crate) mod record;
mod refused;
pub(crate) mod snapshot;

pub use list::list;
pub use refused::refused;

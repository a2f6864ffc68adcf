//! The audit log.

mod list;
mod refused;

pub use list::list;
pub use refused::refused;

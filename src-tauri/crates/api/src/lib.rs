//! The contract of Patchbay: objects of the wire, the table of management operations, and the commands of the user
//! interface with their TypeScript. It maps and dispatches; what an operation does is a verb of the engine.

pub mod calendar;
pub mod contract;
pub mod export;
mod handle;
pub mod image;
pub mod import;
pub mod openapi;
pub mod operation;
mod patch;
pub mod picture;
pub mod reply;
pub mod request;
pub mod rpc;
pub mod ticketing;
pub mod wire;

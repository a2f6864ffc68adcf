//! Patchbay over HTTP, on one port: the Management API and the Connector API under `/v1`, commands and events for the web
//! interface, its sessions, the callback of consents, and the interface itself.
//!
//! The router is built from one table ([`routes::entries`]), in which every route has its rule: who may call it. A route
//! cannot be added beside the table. Handlers turn HTTP into the contract of the `api` crate and back; nothing is decided here
//! but who is asking.

mod answer;
mod app;
mod body;
mod callback;
mod connect;
mod connector;
mod events;
mod feed;
mod gate;
mod leaving;
mod limiter;
mod listen;
mod management;
pub mod missing;
mod options;
mod peer;
mod probes;
mod rehearsal;
pub mod routes;
mod serving;
mod session;
mod simulate;
mod start;
mod ui;

pub use listen::{Server, serve};
pub use options::{Cidr, ServeOptions, TlsFiles};
pub use peer::Peer;
pub use rehearsal::Rehearsals;
pub use serving::router;
pub use simulate::Simulated;

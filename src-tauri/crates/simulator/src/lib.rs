//! The other side of every manifest: authorization servers and APIs of providers, made of the same facts that the engine acts on.
//!
//! [`Simulator::answer`] takes a request as a value and gives the answer as a value. Nothing here opens a socket: whoever hosts it does, and
//! makes the faults real that are none of content ([`SimReply`]). Since it reads our own manifests, it proves that manifest, engine and
//! simulator agree; that a vendor does so too only the vendor's own servers can show.

mod api;
mod authorize;
mod capture;
mod clients;
mod control;
mod fault;
mod jwt;
mod keys;
mod metadata;
mod page;
mod person;
mod routing;
mod sigv4;
mod simulator;
mod site;
mod tokens;
mod wire;
mod world;
mod writing;

pub use fault::{Fault, FaultOrder, Place};
pub use keys::SampleKey;
pub use page::{LOGIN, PASSWORD};
pub use simulator::{Setup, Simulator};
pub use wire::{SimAnswer, SimReply, SimRequest};
pub use world::Entry;

//! The server on a real store, without a network: requests go straight into the router.

mod input;
mod interface;
mod lifecycle;
mod listening;
mod separation;
mod session;
mod world;

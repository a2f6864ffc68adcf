//! Another Patchbay as a store: a client of the typed contract over `/rpc` and `/events` of a `patchbay serve`, with an
//! organization access token.
//!
//! [`Client`] speaks with the server and keeps the token fresh; it is all that a program for one command needs. [`RemoteStore`]
//! is for a window: it also listens for changes, tells whether the server can be reached, and keeps the last answers of reads,
//! sealed, for the time when it cannot.
//!
//! What holds for both: TLS is verified, redirects are not followed, nothing is sent twice that could be done twice, and tokens
//! lie in the operating system's keyring or in memory and nowhere else.

mod answer;
mod cache;
mod client;
mod events;
mod image;
mod store;
mod token;
mod transport;

pub use cache::{Cache, CacheLimits};
pub use client::{Client, Failure};
pub use events::Event;
pub use store::{Connection, RemoteStore};
pub use token::{Held, TokenPlace};
pub use transport::Lost;

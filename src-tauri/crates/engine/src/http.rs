//! The one HTTP client of Patchbay. Everything that goes out to a provider goes through it, so its rules hold everywhere:
//! time limits, a cap on answers, no redirects, no cookies, no private targets, retries that cannot do a thing twice, and a
//! log without query values, headers or bodies.
//!
//! It knows nothing of integrations, credentials or connectors.

mod address;
mod exchange;
mod lane;
mod mask;
mod resolve;
mod retry;
mod send;

pub use address::{NetworkPolicy, Rehearsal, is_private};
pub use exchange::{Exchange, ExchangeRequest, ExchangeResponse, Recorder};
pub use lane::{Lane, Lanes, Turn};
pub use mask::Mask;
pub use resolve::Lookup;
pub(crate) use retry::retry_after;
pub use send::{HttpAnswer, HttpClient, HttpFailure, HttpRequest, Limits, Repeat};

#[cfg(test)]
mod tests;

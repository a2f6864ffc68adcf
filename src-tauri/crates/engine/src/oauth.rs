//! Grants (OAuth 2.0 and what grew around it): requests are built as values by the types of the `oauth2` crate, finished by us, written
//! down by whoever needs that, and sent by the one client; what comes back is read by our own reader.

mod answer;
mod assertion;
mod authority;
mod call;
mod cause;
mod client;
mod device;
mod introspect;
mod metadata;
mod push;
mod random;
mod request;
mod tokens;

pub(crate) use answer::{Answer, Refusal, bounded, read, until};
pub(crate) use assertion::written;
pub(crate) use authority::{Authority, authority};
pub(crate) use call::{Sent, send};
pub(crate) use cause::cause;
pub(crate) use client::OAuthClient;
pub(crate) use device::{Polled, device, poll};
pub(crate) use introspect::introspect;
pub(crate) use metadata::{MetadataCache, same_issuer};
pub(crate) use push::{push, pushed};
pub(crate) use random::random;
pub(crate) use request::{Asking, Prepared, authorize};
pub(crate) use tokens::{MAIN, NewTokens, Token, TokenSet};

#[cfg(test)]
pub(crate) use answer::sample;

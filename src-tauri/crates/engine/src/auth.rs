//! What becomes of a credential before a request can carry it.

mod client;
mod minted;

pub(crate) use client::{ClientFields, is_granted, token};
pub(crate) use minted::{MintKey, Minted, MintedToken, Unminted};

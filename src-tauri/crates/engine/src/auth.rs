//! What becomes of a credential before a request can carry it, and where it goes in one.

mod assume;
mod client;
mod exchange;
mod mint;
mod minted;
mod place;
mod sigv4;

pub(crate) use assume::{RoleFields, arn_of, ask_identity, error_of, identify, roles_of};
pub(crate) use client::{ClientFields, request as request_for_client};
pub(crate) use exchange::{Asking, is_minted, token};
pub(crate) use mint::Sessions;
pub(crate) use minted::{MintKey, Minted, MintedToken, Unminted};
pub(crate) use place::Carried;
pub(crate) use sigv4::AwsKeys;
